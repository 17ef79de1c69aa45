/*
 * study/pageload/carrier_stack.h: a page loader's network (web/carrier.h) over our stack and its
 * engine, names from c-ares over our UDP.
 *
 * TLS begins in the SYN (embedded), or once TCP's handshake is over: then the session that is
 * resumed is the newest there is at that moment; who knows none, but one is due, waits for it
 * (patience.h). With early data, and a session that allows it, the
 * handshake waits for the first request: in the embedded mode there is no SYN before.
 */
#ifndef STUDY_PAGELOAD_CARRIER_STACK_H
#define STUDY_PAGELOAD_CARRIER_STACK_H

#include <tlsyn/resolver.h>

#include "study/node.h"
#include "study/pageload/larder.h"
#include "web/carrier.h"

struct carrier_stack_options {
    struct node *node;               /* of which the stack and the loop are used */
    struct tlsyn_tls_config *config; /* which keeps its sessions in the larder */
    const struct larder *larder;
    enum tlsyn_level level; /* NONE: sequential */
    bool early;
    bool h2; /* offered by ALPN, and nothing else: what early data is, before there is an answer */
    tlsyn_time timeout; /* a connection that hears nothing for so long fails; 0: the stack's */
    struct tlsyn_resolver_options names; /* what it points to is read while the carrier is made */
    enum tlsyn_family family;            /* of the addresses that are asked for */
    double patience_us;                  /* how long a session is waited for; 0: as others wait */
};

/** What the options point to outlives it. 0 or -errno. */
int carrier_stack_new(const struct carrier_stack_options *options, struct carrier **carrier);

/** Its streams were closed. NULL is allowed. */
void carrier_stack_free(struct carrier *carrier);

#endif
