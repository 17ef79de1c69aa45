/*
 * ip/icmp6.h: ICMPv6: echo both ways, errors in, the errors that we send; and how a message of the
 * link's own protocols leaves. Read first: RFC 4443.
 */
#ifndef TLSYN_IP_ICMP6_H
#define TLSYN_IP_ICMP6_H

#include "ip/iface.h"
#include "wire/ip6.h"

struct ip_datagram;
struct ip_error;
struct ip_tx;
struct wire_ether;

#define ICMP6_PING_SIZE_MAX 1452 /* fills a datagram of 1500 octets */

/** Takes an ICMPv6 message; `ether` is the frame's header. True: *error is for a protocol above. */
bool icmp6_input(const struct wire_ether *ether, const struct ip_datagram *datagram,
                 struct ip_error *error);

/** Tells the sender of a datagram what is wrong with its extension headers, unless RFC 4443 2.4
 * (e) forbids it. */
void icmp6_parameter_problem(const struct ip_datagram *datagram,
                             const struct wire_ip6_chain *chain);

/** Tells the sender of a datagram that it could not be delivered: an error of this type and code,
 * whose 32-bit field is `word`. */
void icmp6_error(const struct ip_datagram *datagram, uint8_t type, uint8_t code, uint32_t word);

/** Sends an echo request: as ip_output(). `tx` has the addresses and the data. */
int icmp6_echo(struct ip *ip, struct ip_tx *tx, uint16_t id, uint16_t sequence);

/** A message to a neighbour or a group of the link, with no look at routes and neighbours. */
struct icmp6_frame {
    struct tlsyn_addr src, dst;
    const uint8_t *ether_dst; /* NULL: that of the group `dst` */
    uint8_t hop_limit;
    bool router_alert; /* RFC 2711, as MLD wants */
};

/** Fills in the message's checksum, and puts a copy into the reply queue. 0; -ENOBUFS,
 * -ENOMEM (counted). */
int icmp6_send_frame(struct tlsyn_iface *iface, const struct icmp6_frame *frame, uint8_t *message,
                     size_t len);

#endif
