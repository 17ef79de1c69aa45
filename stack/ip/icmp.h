/*
 * ip/icmp.h: ICMP: echo both ways, errors in, the one error that we send. Read first: RFC 792,
 * RFC 1122 3.2.2.
 */
#ifndef TLSYN_IP_ICMP_H
#define TLSYN_IP_ICMP_H

#include "core/budget.h"
#include "core/context.h"

struct ip;
struct ip_datagram;
struct ip_arrival;
struct ip_error;

#define ICMP_PING_SIZE_MAX 1472 /* fills a datagram of 1500 octets */

struct icmp {
    struct budget budget;            /* messages in answer to something (RFC 1812 4.3.2.8) */
    struct tlsyn_ping_handler *ping; /* NULL: nobody asked */
    uint16_t ping_id;
};

void icmp_init(struct icmp *icmp, struct context *cx);

/** Takes an ICMP message. True: out->error is for a protocol above. */
bool icmp_input(struct ip *ip, const struct ip_datagram *datagram, struct ip_error *error);

/** True if one more answer may leave now; takes its share of the budget. */
bool icmp_may_answer(struct ip *ip);

/** Octets as a view, to be copied before the call returns and never written to. */
struct tlsyn_view icmp_view(const uint8_t *bytes, size_t len);

/** Gives an echo reply to whoever asked. */
void icmp_take_reply(struct ip *ip, const struct ip_datagram *datagram, uint16_t id,
                     uint16_t sequence, size_t size);

/** Gives an error about an echo request of ours to whoever sent it. False: the datagram was
 * none. */
bool icmp_take_own_error(struct ip *ip, const struct ip_error *error);

#endif
