/*
 * study/pageload/carrier_kernel.h: a page loader's network (web/carrier.h) over the kernel's stack
 * with OpenSSL, names from c-ares over the kernel's UDP: TLS begins once TCP's handshake is over,
 * and resumes the newest session that there is then; if the context and that session allow early
 * data, with the first request.
 *
 * A connection that was opened when another one's handshake ended is up when that one's tickets
 * come: they left the server in one moment, but the kernel answers a SYN before OpenSSL has sealed
 * the tickets. So who knows no session, but one is due in this moment, waits for it.
 */
#ifndef STUDY_PAGELOAD_CARRIER_KERNEL_H
#define STUDY_PAGELOAD_CARRIER_KERNEL_H

#include "peer/context.h"
#include "study/pageload/poller.h"
#include "web/carrier.h"

#define CARRIER_PATIENCE_US    2000
#define CARRIER_PATIENCE_SHARE 0.05 /* of a round trip */

struct carrier_kernel_options {
    struct poller *poller;
    struct peer_context *context; /* of a client; it has the sessions */
    const char *dns;              /* IPv4 address */
    double patience_us; /* how long a session is waited for; 0: CARRIER_PATIENCE_US, or more if
                           the round trip is long */
};

/** What the options point to outlives it. 0 or -errno. */
int carrier_kernel_new(const struct carrier_kernel_options *options, struct carrier **carrier);

/** Its streams were closed. NULL is allowed. */
void carrier_kernel_free(struct carrier *carrier);

#endif
