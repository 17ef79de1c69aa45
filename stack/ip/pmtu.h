/*
 * ip/pmtu.h: what is known of the paths that are narrower than their first link. Read first:
 * RFC 1191 3 to 7, RFC 8201 4 and 5.2.
 *
 * Theory. An entry is made by a protocol above, once it has made sure that the news is about
 * something it sent (RFC 5927 7), or has found out by itself (RFC 4821). It is forgotten after
 * ten minutes: then whoever begins anew tries the link's MTU again, and connections that last
 * look upward by themselves (tcp/mtu.h). Bounded by limits.path_mtus; who was learnt longest
 * ago makes room.
 */
#ifndef TLSYN_IP_PMTU_H
#define TLSYN_IP_PMTU_H

#include "core/context.h"
#include "core/list.h"
#include "core/siphash.h"
#include "core/table.h"

#define PMTU_AGE TLSYN_SECONDS(600) /* RFC 1191 6.3, RFC 8201 5.3 */
/* Less is more likely a lie: table 7-1 of RFC 1191 has only 296 and 508 below. */
#define PMTU_MIN_IP4 552
#define PMTU_MIN_IP6 1280 /* RFC 8201 4 */

struct pmtus {
    struct context *cx;
    struct siphash_key key;
    struct table table;
    struct list oldest;
};

void pmtus_init(struct pmtus *pmtus, struct context *cx);
void pmtus_release(struct pmtus *pmtus);

/** Octets of the largest datagram that passes; 0: nothing is known. */
uint16_t pmtu_find(const struct pmtus *pmtus, const struct tlsyn_addr *dst);

/** From now on, for ten minutes, the path takes so much: less than before, or more. 0: forget it.
 * Without memory nothing is learnt. */
void pmtu_learn(struct pmtus *pmtus, const struct tlsyn_addr *dst, uint16_t mtu);

/** The least that is believed of a path to this address. */
uint16_t pmtu_least(const struct tlsyn_addr *dst);

/** RFC 1191 5 and 7: the likely MTU of a path that didn't take `len` octets, of which a router
 * did not say more. */
uint16_t pmtu_plateau(uint16_t len);

#endif
