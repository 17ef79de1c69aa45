/*
 * web/dns.h: an authoritative DNS server of one small zone, from a datagram to its answer. Read
 * first: RFC 1035 4; RFC 2308 2 (what is not there), RFC 6891 (EDNS), RFC 8482 (ANY).
 *
 * It knows addresses, IPv4's and IPv6's, one of each per name. What it is asked:
 *
 *     a name that it knows                      its addresses of the type
 *     one of another type, or one between       nothing, with the zone's SOA
 *     one of the zone that it does not know     NXDOMAIN, with the SOA
 *     one outside of the zone, another class    REFUSED
 *     another operation than a query            NOTIMP
 *     what is no message, or two questions      FORMERR
 *     a response, or less than a header         no answer: two servers would not stop
 *
 * An answer is never longer than DNS_ANSWER_MAX, and so fits the oldest of clients.
 */
#ifndef WEB_DNS_H
#define WEB_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_PORT       53
#define DNS_NAMES_MAX  64
#define DNS_NAME_MAX   255 /* octets on the wire (RFC 1035 2.3.4) */
#define DNS_ANSWER_MAX 512

/** A name as it is on the wire: labels behind their lengths, in lower case, the last one empty. */
struct dns_name {
    uint8_t octets[DNS_NAME_MAX];
    size_t len;
};

struct dns_host {
    struct dns_name name;
    bool has_ip4, has_ip6;
    uint8_t ip4[4], ip6[16];
};

struct dns_zone {
    struct dns_name origin;
    uint32_t ttl; /* seconds that answers may be kept, those that there is nothing too */
    struct dns_host host[DNS_NAMES_MAX];
    int hosts;
};

/** `origin` as text, "page.test"; "" is the root, of which every name is. 0, -EINVAL: no name. */
int dns_zone_init(struct dns_zone *zone, const char *origin, uint32_t ttl);

/** Gives a name an address of 4 or 16 octets, in place of the one of that size that it had. 0;
 * -EINVAL: no name, or none of the zone; -ENOSPC. */
int dns_zone_add(struct dns_zone *zone, const char *name, const void *address, size_t len);

/** The answer's length, 0: there is none. */
size_t dns_answer(const struct dns_zone *zone, const void *query, size_t len,
                  uint8_t answer[DNS_ANSWER_MAX]);

#endif
