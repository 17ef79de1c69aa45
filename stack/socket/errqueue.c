/*
 * socket/errqueue.c: see errqueue.h.
 */
#include "socket/errqueue.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>

struct complaint {
    struct list node;
    struct sock_received about;
    size_t len;
    uint8_t bytes[];
};

/* --- what Linux calls them -------------------------------------------------------------------- */

struct meaning {
    int error;
    bool hard;
};

/* Linux's icmp_err_convert, by the code of an ICMP destination unreachable. */
static const struct meaning unreachable4[] = {
    [ICMP_NET_UNREACH] = {-ENETUNREACH, false},    [ICMP_HOST_UNREACH] = {-EHOSTUNREACH, false},
    [ICMP_PROT_UNREACH] = {-ENOPROTOOPT, true},    [ICMP_PORT_UNREACH] = {-ECONNREFUSED, true},
    [ICMP_FRAG_NEEDED] = {-EMSGSIZE, true},        [ICMP_SR_FAILED] = {-EOPNOTSUPP, false},
    [ICMP_NET_UNKNOWN] = {-ENETUNREACH, true},     [ICMP_HOST_UNKNOWN] = {-EHOSTDOWN, true},
    [ICMP_HOST_ISOLATED] = {-ENONET, true},        [ICMP_NET_ANO] = {-ENETUNREACH, true},
    [ICMP_HOST_ANO] = {-EHOSTUNREACH, true},       [ICMP_NET_UNR_TOS] = {-ENETUNREACH, false},
    [ICMP_HOST_UNR_TOS] = {-EHOSTUNREACH, false},  [ICMP_PKT_FILTERED] = {-EHOSTUNREACH, true},
    [ICMP_PREC_VIOLATION] = {-EHOSTUNREACH, true}, [ICMP_PREC_CUTOFF] = {-EHOSTUNREACH, true},
};

/* The same of ICMPv6: icmpv6_err_convert(). */
static const struct meaning unreachable6[] = {
    [ICMP6_DST_UNREACH_NOROUTE] = {-ENETUNREACH, false},
    [ICMP6_DST_UNREACH_ADMIN] = {-EACCES, true},
    [ICMP6_DST_UNREACH_BEYONDSCOPE] = {-EHOSTUNREACH, false},
    [ICMP6_DST_UNREACH_ADDR] = {-EHOSTUNREACH, false},
    [ICMP6_DST_UNREACH_NOPORT] = {-ECONNREFUSED, true},
    [5] = {-EACCES, true}, /* source address failed policy */
    [6] = {-EACCES, true}, /* reject route to destination */
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct meaning meaning4(uint8_t type, uint8_t code)
{
    if (type == ICMP_DEST_UNREACH)
        return code < COUNT(unreachable4) ? unreachable4[code]
                                          : (struct meaning){-EHOSTUNREACH, false};
    if (type == ICMP_PARAMETERPROB)
        return (struct meaning){-EPROTO, true};
    return (struct meaning){-EHOSTUNREACH, false}; /* time exceeded */
}

static struct meaning meaning6(uint8_t type, uint8_t code)
{
    if (type == ICMP6_DST_UNREACH)
        return code < COUNT(unreachable6) ? unreachable6[code] : (struct meaning){-EPROTO, true};
    if (type == ICMP6_PACKET_TOO_BIG)
        return (struct meaning){-EMSGSIZE, true};
    if (type == ICMP6_PARAM_PROB)
        return (struct meaning){-EPROTO, true};
    return (struct meaning){-EHOSTUNREACH, false};
}

int errqueue_errno(const struct tlsyn_udp_error *told, bool *hard)
{
    struct meaning meaning = tlsyn_addr_is_ip4(&told->to.addr) ? meaning4(told->type, told->code)
                                                               : meaning6(told->type, told->code);

    *hard = meaning.hard;
    return meaning.error;
}

bool errqueue_wanted(const struct sock *sock, const struct tlsyn_addr *to)
{
    return tlsyn_addr_is_ip4(to) ? sock->options.recv_err : sock->options.recv_err6;
}

/* --- in and out ------------------------------------------------------------------------------- */

static void add(struct sock *sock, const struct sock_received *about, const uint8_t *bytes,
                size_t len)
{
    struct complaint *complaint;

    if (sock->dgram.queued + len + DGRAM_OVERHEAD > (size_t)sock->options.rcv_buf)
        return;
    complaint = malloc(sizeof(*complaint) + len);
    if (!complaint)
        return;
    complaint->about = *about;
    complaint->about.flags = MSG_ERRQUEUE;
    complaint->about.has_error = true;
    (void)clock_gettime(CLOCK_REALTIME, &complaint->about.when);
    complaint->len = len;
    if (len > 0)
        memcpy(complaint->bytes, bytes, len);
    list_append(&sock->dgram.errors, &complaint->node);
    sock->dgram.queued += len + DGRAM_OVERHEAD;
}

void errqueue_add(struct sock *sock, const struct tlsyn_udp_error *told, int error)
{
    bool ip4 = tlsyn_addr_is_ip4(&told->to.addr);
    const struct sock_received about = {
        .from = told->to,
        .has_from = true,
        .offender = told->from,
        .error = {.ee_errno = (uint32_t)-error,
                  .ee_origin = ip4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6,
                  .ee_type = told->type,
                  .ee_code = told->code,
                  .ee_info = error == -EMSGSIZE ? told->mtu : 0},
    };

    add(sock, &about, told->bytes, told->len);
}

void errqueue_add_too_long(struct sock *sock, const struct tlsyn_endpoint *to, uint32_t mtu)
{
    const struct sock_received about = {
        .from = *to,
        .has_from = true,
        .error = {.ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = mtu},
    };

    add(sock, &about, NULL, 0);
    sock_changed(sock);
}

static struct complaint *front(struct sock *sock)
{
    struct list *first = list_first(&sock->dgram.errors);

    return first ? container_of(first, struct complaint, node) : NULL;
}

static void discard(struct sock *sock, struct complaint *complaint)
{
    list_remove(&complaint->node);
    sock->dgram.queued -= complaint->len + DGRAM_OVERHEAD;
    free(complaint);
}

/* Linux's sock_dequeue_err_skb(): the other calls tell the error of the next one, if it is one that
 * came with a message; and none behind the last. */
static void tell_next(struct sock *sock, const struct sock_received *taken)
{
    const struct complaint *next = front(sock);

    if (next && next->about.error.ee_origin != SO_EE_ORIGIN_LOCAL)
        sock_fail(sock, -(int)next->about.error.ee_errno);
    else if (taken->error.ee_origin != SO_EE_ORIGIN_LOCAL)
        (void)sock_take_error(sock);
}

ssize_t errqueue_take(struct sock *sock, struct cursor *into, struct sock_received *about)
{
    struct complaint *complaint = front(sock);
    size_t n;

    if (!complaint)
        return -EAGAIN;
    *about = complaint->about;
    n = cursor_put(into, complaint->bytes, complaint->len);
    if (n < complaint->len)
        about->flags |= MSG_TRUNC;
    discard(sock, complaint);
    tell_next(sock, about);
    return (ssize_t)n;
}

void errqueue_clear(struct sock *sock)
{
    struct complaint *complaint;

    while ((complaint = front(sock)))
        discard(sock, complaint);
}
