/*
 * tlsyn/types.h: the few types that every other header needs: time, addresses, views of bytes.
 */
#ifndef TLSYN_TYPES_H
#define TLSYN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Microseconds on a clock that never runs backwards. Its origin means nothing. */
typedef int64_t tlsyn_time;

#define TLSYN_NEVER      INT64_MAX
#define TLSYN_MS(n)      ((tlsyn_time)(n)*1000)
#define TLSYN_SECONDS(n) ((tlsyn_time)(n)*1000000)

/**
 * An IP address in network byte order. An IPv4 address is held in its IPv4-mapped form
 * (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so that one comparison and one hash serve both families.
 * All zero is "unspecified".
 */
struct tlsyn_addr {
    uint8_t byte[16];
};

#define TLSYN_SOURCE_ROUTE_HOPS 9 /* what an IPv4 header has room for */

/** A source route (RFC 791 3.1): the IPv4 hosts by whose way a datagram goes to its destination, in
 * their order. All zero: straight. */
struct tlsyn_source_route {
    bool strict; /* from each directly to the next */
    uint8_t hops;
    uint8_t hop[TLSYN_SOURCE_ROUTE_HOPS][4]; /* octets of addresses */
};

/** Address and port; the port is in host byte order. */
struct tlsyn_endpoint {
    struct tlsyn_addr addr;
    uint16_t port;
};

/** An IPv4 address from its four octets, as they stand in a header. */
static inline struct tlsyn_addr tlsyn_addr_ip4(const uint8_t octets[4])
{
    struct tlsyn_addr a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};

    memcpy(a.byte + 12, octets, 4);
    return a;
}

static inline bool tlsyn_addr_is_ip4(const struct tlsyn_addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(a->byte, mapped, sizeof(mapped)) == 0;
}

/** The four octets of an IPv4 address; only for an address for which tlsyn_addr_is_ip4() holds. */
static inline const uint8_t *tlsyn_addr_octets(const struct tlsyn_addr *a)
{
    return a->byte + 12;
}

static inline bool tlsyn_addr_eq(const struct tlsyn_addr *a, const struct tlsyn_addr *b)
{
    return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

/** "::", all zero, or 0.0.0.0. */
static inline bool tlsyn_addr_unspecified(const struct tlsyn_addr *a)
{
    static const struct tlsyn_addr zero = {{0}};

    return tlsyn_addr_eq(a, &zero) ||
           (tlsyn_addr_is_ip4(a) && memcmp(a->byte + 12, zero.byte, 4) == 0);
}

/** A view of at most two pieces of memory, in order: what a byte ring can show at once. */
struct tlsyn_view {
    struct iovec part[2]; /* unused parts have iov_len 0 */
};

static inline size_t tlsyn_view_len(const struct tlsyn_view *v)
{
    return v->part[0].iov_len + v->part[1].iov_len;
}

#ifdef __cplusplus
}
#endif

#endif
