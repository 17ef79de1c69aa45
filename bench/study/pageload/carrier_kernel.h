/*
 * study/pageload/carrier_kernel.h: a page loader's network (web/carrier.h) over the kernel's stack
 * with OpenSSL, names from c-ares over the kernel's UDP: TLS begins once TCP's handshake is over,
 * and resumes the newest session that there is then; if the context and that session allow early
 * data, with the first request.
 * Who knows no session, but one is due, waits for it (patience.h).
 */
#ifndef STUDY_PAGELOAD_CARRIER_KERNEL_H
#define STUDY_PAGELOAD_CARRIER_KERNEL_H

#include "peer/context.h"
#include "study/pageload/poller.h"
#include "web/carrier.h"

struct carrier_kernel_options {
    struct poller *poller;
    struct peer_context *context; /* of a client; it has the sessions */
    const char *dns;              /* IPv4 address */
    double patience_us;           /* how long a session is waited for; 0: as others wait */
};

/** What the options point to outlives it. 0 or -errno. */
int carrier_kernel_new(const struct carrier_kernel_options *options, struct carrier **carrier);

/** Its streams were closed. NULL is allowed. */
void carrier_kernel_free(struct carrier *carrier);

#endif
