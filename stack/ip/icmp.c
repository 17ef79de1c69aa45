/*
 * ip/icmp.c: ICMP for IPv4. Read first: RFC 792, RFC 1122 3.2.2, RFC 5927.
 *
 * Errors in. Anybody can make one up, so it is believed as far as it quotes what we could have
 * sent: an IPv4 datagram from an address of ours, not a later fragment, with eight octets behind
 * its header. Whether a connection sent it, and whether its sequence number is in flight, is for
 * the protocol above to say (RFC 5927 4).
 *
 * Answers. Echo replies and errors out are taken from one budget (limits.icmp_per_second), and
 * nothing that was sent to a broadcast address is answered (RFC 1122 3.2.2, 3.2.2.6).
 */
#include "ip/icmp.h"

#include <assert.h>
#include <errno.h>

#include "ip/icmp6.h"
#include "ip/ip4.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"

#define ERROR_MAX             576 /* octets of an error, with its IP header */
#define ICMP4_CHECKSUM_OFFSET 2
#define MTU_MIN               68 /* RFC 1191 3: no router may say less */

void icmp_init(struct icmp *icmp, struct context *cx)
{
    *icmp = (struct icmp){0};
    budget_init(&icmp->budget, cx->limits.icmp_per_second, UINT32_MAX, cx->now);
}

/* --- out -------------------------------------------------------------------------------------- */

static int icmp_send(struct ip *ip, const struct wire_icmp4 *icmp, struct ip_tx *tx)
{
    struct wire_icmp4 header = *icmp;
    int error;

    header.payload = NULL; /* it goes as text */
    header.payload_len = 0;
    wire_icmp4_emit(&header, tx->header, sizeof(tx->header));
    memset(tx->header + ICMP4_CHECKSUM_OFFSET, 0, 2);
    tx->header_len = ICMP4_HEADER_LEN;
    tx->csum_offset = ICMP4_CHECKSUM_OFFSET;
    tx->protocol = IP_PROTOCOL_ICMP;
    error = output_copied(ip, tx);
    if (error < 0)
        return error;
    count(ip->cx, TLSYN_COUNT_icmp_out);
    return 0;
}

struct tlsyn_view icmp_view(const uint8_t *bytes, size_t len)
{
    struct tlsyn_view view = {0};

    if (len > 0)
        view.part[0] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    return view;
}

bool icmp_may_answer(struct ip *ip)
{
    if (ip->cx->shared)
        return false;
    if (budget_take(&ip->icmp.budget, ip->cx->now))
        return true;
    count(ip->cx, TLSYN_COUNT_icmp_rate_limited);
    return false;
}

/* R1122-4, R4443-2 */
static bool may_answer(struct ip *ip, const struct ip_datagram *datagram)
{
    return !datagram->broadcast && icmp_may_answer(ip);
}

/* RFC 1122 3.2.2.6: the same data, back from the address that was asked. (R1122-3) */
static void echo_reply(struct ip *ip, const struct ip_datagram *datagram,
                       const struct wire_icmp4 *request)
{
    struct wire_icmp4 reply = {
        .type = ICMP4_ECHO_REPLY, .id = request->id, .sequence = request->sequence};
    struct ip_tx tx = {.src = datagram->dst,
                       .dst = datagram->src,
                       .tos = datagram->tos,
                       .may_fragment = true,
                       .by_path = true};

    if (!may_answer(ip, datagram))
        return;
    tx.text = icmp_view(request->payload, request->payload_len);
    icmp_send(ip, &reply, &tx);
}

/* An error about a datagram that was sent to us, quoting as much of it as RFC 1812 4.3.2.3 says. */
static void tell_sender(struct ip *ip, const struct ip_datagram *datagram, uint8_t type,
                        uint8_t code)
{
    struct wire_icmp4 error = {.type = type, .code = code};
    struct ip_tx tx = {.src = datagram->dst, .dst = datagram->src};
    size_t header_len = (size_t)(datagram->payload - datagram->header);
    size_t quoted = header_len + datagram->len,
           most = ERROR_MAX - IP4_HEADER_LEN - ICMP4_HEADER_LEN;

    if (!may_answer(ip, datagram))
        return;
    tx.text = icmp_view(datagram->header, quoted < most ? quoted : most);
    icmp_send(ip, &error, &tx);
}

/* R8200-3 */
void ip_protocol_unreachable(struct ip *ip, const struct ip_datagram *datagram)
{
    if (!tlsyn_addr_is_ip4(&datagram->src))
        icmp6_error(datagram, ICMP6_PARAMETER_PROBLEM, ICMP6_PROBLEM_NEXT, datagram->protocol_at);
    else
        tell_sender(ip, datagram, ICMP4_UNREACHABLE, ICMP4_PROTOCOL);
}

void ip_port_unreachable(struct ip *ip, const struct ip_datagram *datagram)
{
    if (!tlsyn_addr_is_ip4(&datagram->src))
        icmp6_error(datagram, ICMP6_UNREACHABLE, ICMP6_PORT, 0);
    else
        tell_sender(ip, datagram, ICMP4_UNREACHABLE, ICMP4_PORT);
}

/* R8200-5 */
void ip_reassembly_exceeded(struct ip *ip, const struct ip_datagram *first)
{
    if (!tlsyn_addr_is_ip4(&first->src))
        icmp6_error(first, ICMP6_TIME_EXCEEDED, ICMP6_REASSEMBLY, 0);
    /* RFC 1122 3.2.2: no error about an error */
    else if (first->protocol != IP_PROTOCOL_ICMP || !icmp4_is_error(first->payload[0]))
        tell_sender(ip, first, ICMP4_TIME_EXCEEDED, ICMP4_REASSEMBLY);
}

/* --- our own echo requests -------------------------------------------------------------------- */

int ip_ping(struct ip *ip, const struct tlsyn_addr *to, uint16_t id, uint16_t sequence, size_t size,
            struct tlsyn_ping_handler *handler)
{
    struct icmp *icmp = &ip->icmp;
    bool ip4 = tlsyn_addr_is_ip4(to);
    struct wire_icmp4 request = {.type = ICMP4_ECHO, .id = id, .sequence = sequence};
    uint8_t data[ICMP_PING_SIZE_MAX];
    struct ip_tx tx = {.dst = *to};
    struct ip_path path;
    int error;

    if (size > (ip4 ? ICMP_PING_SIZE_MAX : ICMP6_PING_SIZE_MAX))
        return -EINVAL;
    if (icmp->ping && (icmp->ping != handler || icmp->ping_id != id))
        return -EBUSY;
    error = ip_path_find(ip, to, &path);
    if (error < 0)
        return error;
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)i;
    tx.src = path.src;
    tx.text = icmp_view(data, size);
    error = ip4 ? icmp_send(ip, &request, &tx) : icmp6_echo(ip, &tx, id, sequence);
    if (error < 0)
        return error;
    icmp->ping = handler;
    icmp->ping_id = id;
    return 0;
}

void ip_ping_stop(struct ip *ip)
{
    ip->icmp.ping = NULL;
}

void icmp_take_reply(struct ip *ip, const struct ip_datagram *datagram, uint16_t id,
                     uint16_t sequence, size_t size)
{
    struct tlsyn_ping_handler *ping = ip->icmp.ping;

    if (!ping || id != ip->icmp.ping_id)
        drop(ip->cx, TLSYN_DROP_icmp_unrelated);
    else
        ping->on_reply(ping, &datagram->src, sequence, size, datagram->ttl, 0);
}

bool icmp_take_own_error(struct ip *ip, const struct ip_error *error)
{
    struct tlsyn_ping_handler *ping = ip->icmp.ping;
    uint16_t id = (uint16_t)(error->quoted[4] << 8 | error->quoted[5]);
    uint16_t sequence = (uint16_t)(error->quoted[6] << 8 | error->quoted[7]);

    uint8_t echo = error->protocol == IP_PROTOCOL_ICMP ? ICMP4_ECHO : ICMP6_ECHO;

    if (error->protocol != IP_PROTOCOL_ICMP && error->protocol != IP_PROTOCOL_ICMP6)
        return false;
    if (!ping || error->quoted[0] != echo || id != ip->icmp.ping_id)
        drop(ip->cx, TLSYN_DROP_icmp_unrelated);
    else
        ping->on_reply(ping, &error->dst, sequence, 0, 0, error->error);
    return true;
}

/* --- errors in -------------------------------------------------------------------------------- */

struct meaning {
    int error;
    bool hard;
};

/* RFC 1122 4.2.3.9: network, host and source route are soft, protocol and port are hard; RFC 1122
 * 3.2.2.1 and RFC 1812 5.2.7.1 for the later codes, which tell of what nobody is going to repair
 * within seconds. */
static const struct meaning unreachable[] = {
    [ICMP4_NET] = {-ENETUNREACH, false},
    [ICMP4_HOST] = {-EHOSTUNREACH, false},
    [ICMP4_PROTOCOL] = {-ECONNREFUSED, true},
    [ICMP4_PORT] = {-ECONNREFUSED, true},
    [ICMP4_FRAGMENTATION_NEEDED] = {-EMSGSIZE, false},
    [ICMP4_SOURCE_ROUTE_FAILED] = {-EHOSTUNREACH, false},
    [6] = {-ENETUNREACH, true},    /* destination network unknown */
    [7] = {-EHOSTUNREACH, true},   /* destination host unknown */
    [8] = {-EHOSTUNREACH, false},  /* source host isolated */
    [9] = {-ENETUNREACH, true},    /* network administratively prohibited */
    [10] = {-EHOSTUNREACH, true},  /* host administratively prohibited */
    [11] = {-ENETUNREACH, false},  /* network unreachable for type of service */
    [12] = {-EHOSTUNREACH, false}, /* host unreachable for type of service */
    [ICMP4_ADMIN_PROHIBITED] = {-EHOSTUNREACH, true},
    [14] = {-EHOSTUNREACH, true}, /* host precedence violation */
    [15] = {-EHOSTUNREACH, true}, /* precedence cutoff in effect */
};

/* False: a code that means nothing to us. */
static bool meaning_of(const struct wire_icmp4 *icmp, struct meaning *meaning)
{
    switch (icmp->type) {
    case ICMP4_UNREACHABLE:
        if (icmp->code >= sizeof(unreachable) / sizeof(unreachable[0]))
            return false;
        *meaning = unreachable[icmp->code];
        return true;
    case ICMP4_TIME_EXCEEDED:
        *meaning = (struct meaning){-ETIMEDOUT, false};
        return true;
    default: /* ICMP4_PARAMETER_PROBLEM: the parser lets no other pass */
        *meaning = (struct meaning){-EPROTO, false};
        return true;
    }
}

/* What a router says that could not send a datagram on. False: absurd, or it would have fitted
 * (RFC 5927 7.2). */
static bool mtu_of(const struct wire_icmp4 *icmp, const struct wire_ip4 *quoted, uint16_t *mtu)
{
    *mtu = icmp->mtu > 0 ? icmp->mtu : pmtu_plateau(quoted->total_len);
    return *mtu >= MTU_MIN && *mtu < quoted->total_len;
}

/* RFC 1122 3.2.2: the quoted header says whom it is about. True: for a protocol above. */
static bool error_arrives(struct ip *ip, const struct ip_datagram *datagram,
                          const struct wire_icmp4 *icmp, struct ip_error *error)
{
    struct meaning meaning;
    struct wire_ip4 quoted;
    uint16_t mtu = 0;

    static_assert(sizeof(error->quoted) == ICMP4_QUOTED_MIN, "so many the parser has seen");
    if (!meaning_of(icmp, &meaning) ||
        wire_ip4_parse_quoted(icmp->payload, icmp->payload_len, &quoted) < 0 || quoted.offset > 0 ||
        !ip_is_ours(ip, &quoted.src)) {
        drop(ip->cx, TLSYN_DROP_icmp_unrelated);
        return false;
    }
    if (meaning.error == -EMSGSIZE && !mtu_of(icmp, &quoted, &mtu)) {
        drop(ip->cx, TLSYN_DROP_icmp_malformed);
        return false;
    }
    *error = (struct ip_error){
        .error = meaning.error,
        .hard = meaning.hard,
        .mtu = mtu,
        .protocol = quoted.protocol,
        .src = quoted.src,
        .dst = wire_ip4_destination(icmp->payload, &quoted),
        .type = icmp->type,
        .code = icmp->code,
        .from = datagram->src,
        .rest = quoted.payload + sizeof(error->quoted),
        .rest_len = quoted.payload_len - sizeof(error->quoted),
    };
    memcpy(error->quoted, quoted.payload, sizeof(error->quoted));
    return !icmp_take_own_error(ip, error);
}

/* --- in --------------------------------------------------------------------------------------- */

/* R1122-5 */
bool icmp_input(struct ip *ip, const struct ip_datagram *datagram, struct ip_error *error)
{
    struct wire_icmp4 icmp;
    int parsed = wire_icmp4_parse(datagram->payload, datagram->len, &icmp);

    count(ip->cx, TLSYN_COUNT_icmp_in);
    if (!datagram->csum_verified && !wire_icmp4_checksum_good(datagram->payload, datagram->len)) {
        drop(ip->cx, TLSYN_DROP_icmp_checksum);
        return false;
    }
    if (parsed < 0) {
        /* RFC 1122 3.2.2: types unknown are discarded in silence */
        drop(ip->cx, parsed == -EPROTONOSUPPORT ? TLSYN_DROP_icmp_type : TLSYN_DROP_icmp_malformed);
        return false;
    }
    switch (icmp.type) {
    case ICMP4_ECHO:
        echo_reply(ip, datagram, &icmp);
        return false;
    case ICMP4_ECHO_REPLY:
        icmp_take_reply(ip, datagram, icmp.id, icmp.sequence, icmp.payload_len);
        return false;
    default:
        return error_arrives(ip, datagram, &icmp, error);
    }
}
