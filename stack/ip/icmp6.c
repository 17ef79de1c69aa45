/*
 * ip/icmp6.c: ICMPv6. Read first: RFC 4443 2.4, 3, 4; RFC 5927.
 *
 * Errors in are believed as far as they quote what we could have sent, as in icmp.c; answers are
 * taken from the same budget, and nothing that was sent to a group is answered with an error, but
 * by the two exceptions of RFC 4443 2.4 (e.3).
 */
#include "ip/icmp6.h"

#include <errno.h>

#include "ip/ip.h"
#include "ip/mld.h"
#include "ip/ndp.h"
#include "ip/source.h"
#include "wire/icmp6.h"

#define QUOTED_MAX       (IP6_MTU_MIN - IP6_HEADER_LEN - ICMP6_HEADER_LEN) /* RFC 4443 2.4 (c) */
#define ROUTER_ALERT_LEN 8
#define MESSAGE_MAX      1024 /* of the link's own protocols: MLD with all groups, and all of NDP */

/* --- out -------------------------------------------------------------------------------------- */

static int icmp6_send(struct ip *ip, const struct wire_icmp6 *icmp, struct ip_tx *tx)
{
    int error;

    wire_icmp6_emit(icmp, tx->header, sizeof(tx->header)); /* the payload goes as text */
    tx->header_len = ICMP6_HEADER_LEN;
    tx->csum_offset = ICMP6_CHECKSUM_OFFSET;
    tx->protocol = IP6_ICMP;
    error = output_copied(ip, tx);
    if (error < 0)
        return error;
    count(ip->cx, TLSYN_COUNT_icmp6_out);
    return 0;
}

int icmp6_send_frame(struct tlsyn_iface *iface, const struct icmp6_frame *frame, uint8_t *message,
                     size_t len)
{
    static const uint8_t alert[ROUTER_ALERT_LEN] = {IP6_ICMP, 0, 5, 2, 0, 0, 1, 0};
    size_t extra = frame->router_alert ? ROUTER_ALERT_LEN : 0;
    uint8_t bytes[ETHER_HEADER_LEN + IP6_HEADER_LEN + ROUTER_ALERT_LEN + MESSAGE_MAX];
    struct wire_ether ether = {.type = ETHER_TYPE_IP6};
    struct wire_ip6 ip6 = {
        .src = frame->src,
        .dst = frame->dst,
        .next = frame->router_alert ? IP6_HOP_BY_HOP : IP6_ICMP,
        .hop_limit = frame->hop_limit,
        .payload_len = (uint16_t)(extra + len),
    };
    uint8_t *at = bytes + ETHER_HEADER_LEN + IP6_HEADER_LEN;
    int error;

    if (len > MESSAGE_MAX)
        return -EMSGSIZE;
    wire_icmp6_checksum(&frame->src, &frame->dst, message, len);
    if (frame->ether_dst)
        memcpy(ether.dst, frame->ether_dst, ETHER_ADDR_LEN);
    else
        ip6_group_hwaddr(&frame->dst, ether.dst);
    memcpy(ether.src, iface->link->caps.hwaddr, ETHER_ADDR_LEN);
    wire_ether_emit(&ether, bytes, ETHER_HEADER_LEN);
    wire_ip6_emit(&ip6, bytes + ETHER_HEADER_LEN, IP6_HEADER_LEN);
    memcpy(at, alert, extra);
    memcpy(at + extra, message, len);
    error = outbox_reply(iface->ip, iface, bytes, (size_t)(at - bytes) + extra + len);
    if (error == 0)
        count(iface->ip->cx, TLSYN_COUNT_icmp6_out);
    return error;
}

/* RFC 4443 4.2: back from the address that was asked; of a group, from one of ours. (R4443-4) */
static void echo_reply(struct ip *ip, const struct ip_datagram *datagram,
                       const struct wire_icmp6 *request)
{
    struct wire_icmp6 reply = {
        .type = ICMP6_ECHO_REPLY, .id = request->id, .sequence = request->sequence};
    const struct tlsyn_addr *src = &datagram->dst;
    struct ip_tx tx = {
        .dst = datagram->src, .tos = datagram->tos, .may_fragment = true, .by_path = true};

    if (datagram->broadcast)
        src = source_select(datagram->iface, &datagram->src);
    if (!src || !icmp_may_answer(ip))
        return;
    tx.src = *src;
    tx.text = icmp_view(request->payload, request->payload_len);
    icmp6_send(ip, &reply, &tx);
}

/* RFC 4443 2.4 (e): no error is sent to the unspecified address, or about an error message. (What
 * stands behind a broken extension header can't be known.) (R4443-3) */
static bool may_be_told(const struct ip_datagram *datagram)
{
    return !tlsyn_addr_unspecified(&datagram->src) &&
           !(datagram->protocol == IP6_ICMP && datagram->len > 0 &&
             icmp6_is_error(datagram->payload[0]));
}

/* R4443-1 */
static void send_error(const struct ip_datagram *datagram, const struct wire_icmp6 *icmp)
{
    struct ip *ip = datagram->iface->ip;
    const struct tlsyn_addr *src =
        datagram->broadcast ? source_select(datagram->iface, &datagram->src) : &datagram->dst;
    size_t whole = (size_t)(datagram->payload - datagram->header) + datagram->len;
    struct ip_tx tx = {.dst = datagram->src};

    if (!src || !may_be_told(datagram) || !icmp_may_answer(ip))
        return;
    tx.src = *src;
    tx.text = icmp_view(datagram->header, whole < QUOTED_MAX ? whole : QUOTED_MAX);
    icmp6_send(ip, icmp, &tx);
}

void icmp6_error(const struct ip_datagram *datagram, uint8_t type, uint8_t code, uint32_t word)
{
    struct wire_icmp6 icmp = {.type = type, .code = code, .pointer = word};

    if (!datagram->broadcast)
        send_error(datagram, &icmp);
}

void icmp6_parameter_problem(const struct ip_datagram *datagram, const struct wire_ip6_chain *chain)
{
    struct wire_icmp6 icmp = {
        .type = ICMP6_PARAMETER_PROBLEM, .code = chain->problem, .pointer = chain->problem_pointer};

    if (!datagram->broadcast || chain->problem_to_group)
        send_error(datagram, &icmp);
}

int icmp6_echo(struct ip *ip, struct ip_tx *tx, uint16_t id, uint16_t sequence)
{
    struct wire_icmp6 request = {.type = ICMP6_ECHO, .id = id, .sequence = sequence};

    return icmp6_send(ip, &request, tx);
}

/* --- errors in -------------------------------------------------------------------------------- */

struct meaning {
    int error;
    bool hard;
};

/* RFC 4443 3.1, and which of them RFC 1122 4.2.3.9 would call hard: what nobody is going to repair
 * within seconds. */
static const struct meaning unreachable[] = {
    [ICMP6_NO_ROUTE] = {-ENETUNREACH, false},      [ICMP6_PROHIBITED] = {-EHOSTUNREACH, true},
    [ICMP6_BEYOND_SCOPE] = {-EHOSTUNREACH, false}, [ICMP6_ADDRESS] = {-EHOSTUNREACH, false},
    [ICMP6_PORT] = {-ECONNREFUSED, true},          [ICMP6_SOURCE_POLICY] = {-EHOSTUNREACH, true},
    [ICMP6_REJECT_ROUTE] = {-EHOSTUNREACH, true},
};

/* False: a code that means nothing to us. */
static bool meaning_of(const struct wire_icmp6 *icmp, struct meaning *meaning)
{
    switch (icmp->type) {
    case ICMP6_UNREACHABLE:
        if (icmp->code >= sizeof(unreachable) / sizeof(unreachable[0]))
            return false;
        *meaning = unreachable[icmp->code];
        return true;
    case ICMP6_PACKET_TOO_BIG:
        *meaning = (struct meaning){-EMSGSIZE, false};
        return true;
    case ICMP6_TIME_EXCEEDED:
        *meaning = (struct meaning){-ETIMEDOUT, false};
        return true;
    /* ICMP6_PARAMETER_PROBLEM: the parser lets no other pass; a next header unknown is a protocol
     * unreachable */
    default:
        *meaning = icmp->code == ICMP6_PROBLEM_NEXT ? (struct meaning){-ECONNREFUSED, true}
                                                    : (struct meaning){-EPROTO, false};
        return true;
    }
}

/* A quoted fragment tells whose it is if it is the first one: what is behind its header then stands
 * in the chain. */
static bool pass_fragment(struct wire_ip6_chain *chain)
{
    struct wire_ip6_fragment fragment;

    if (chain->protocol != IP6_FRAGMENT)
        return true;
    if (wire_ip6_fragment_parse(chain->payload, chain->payload_len, &fragment) < 0 ||
        fragment.offset > 0)
        return false;
    chain->protocol = fragment.next;
    chain->payload += IP6_FRAGMENT_LEN;
    chain->payload_len = (uint16_t)(chain->payload_len - IP6_FRAGMENT_LEN);
    return true;
}

/* What the quoted datagram was about, if it could have been ours; *len: its octets. */
static bool read_quoted(const struct ip *ip, const struct wire_icmp6 *icmp, struct ip_error *error,
                        uint32_t *len)
{
    struct wire_ip6 quoted;
    struct wire_ip6_chain chain;

    if (wire_ip6_parse_quoted(icmp->payload, icmp->payload_len, &quoted) < 0 ||
        !ip_is_ours(ip, &quoted.src) || wire_ip6_walk(&quoted, &chain) < 0 ||
        !pass_fragment(&chain) || chain.payload_len < sizeof(error->quoted))
        return false;
    *len = (uint32_t)IP6_HEADER_LEN + quoted.payload_len;
    error->protocol = chain.protocol;
    error->src = quoted.src;
    error->dst = quoted.dst;
    error->rest = chain.payload + sizeof(error->quoted);
    error->rest_len = chain.payload_len - sizeof(error->quoted);
    memcpy(error->quoted, chain.payload, sizeof(error->quoted));
    return true;
}

/* True: for a protocol above. */
static bool error_arrives(struct ip *ip, const struct ip_datagram *datagram,
                          const struct wire_icmp6 *icmp, struct ip_error *error)
{
    struct meaning meaning;
    uint32_t len;

    *error = (struct ip_error){0};
    if (!meaning_of(icmp, &meaning) || !read_quoted(ip, icmp, error, &len)) {
        drop(ip->cx, TLSYN_DROP_icmp_unrelated);
        return false;
    }
    /* RFC 8201 4; RFC 5927 7.2: what would have fitted was not too big */
    if (icmp->type == ICMP6_PACKET_TOO_BIG && (icmp->mtu < IP6_MTU_MIN || icmp->mtu >= len)) {
        drop(ip->cx, TLSYN_DROP_icmp_malformed);
        return false;
    }
    error->error = meaning.error;
    error->hard = meaning.hard;
    error->type = icmp->type;
    error->code = icmp->code;
    error->from = datagram->src;
    error->mtu = icmp->mtu < UINT16_MAX ? (uint16_t)icmp->mtu : UINT16_MAX;
    return !icmp_take_own_error(ip, error);
}

/* --- in --------------------------------------------------------------------------------------- */

static bool message_arrives(struct ip *ip, const struct ip_datagram *datagram,
                            struct ip_error *error)
{
    struct wire_icmp6 icmp;
    int parsed = wire_icmp6_parse(datagram->payload, datagram->len, &icmp);

    if (parsed < 0) {
        /* RFC 4443 2.4 (b): informational types unknown are discarded in silence; errors unknown
         * have nobody above */
        drop(ip->cx, parsed == -EPROTONOSUPPORT ? TLSYN_DROP_icmp_type : TLSYN_DROP_icmp_malformed);
        return false;
    }
    if (tlsyn_addr_unspecified(&datagram->src)) {
        drop(ip->cx, TLSYN_DROP_ip_source);
        return false;
    }
    switch (icmp.type) {
    case ICMP6_ECHO:
        echo_reply(ip, datagram, &icmp);
        return false;
    case ICMP6_ECHO_REPLY:
        icmp_take_reply(ip, datagram, icmp.id, icmp.sequence, icmp.payload_len);
        return false;
    default:
        return error_arrives(ip, datagram, &icmp, error);
    }
}

bool icmp6_input(const struct wire_ether *ether, const struct ip_datagram *datagram,
                 struct ip_error *error)
{
    struct ip *ip = datagram->iface->ip;

    count(ip->cx, TLSYN_COUNT_icmp6_in);
    if (datagram->len == 0) {
        drop(ip->cx, TLSYN_DROP_icmp_malformed);
        return false;
    }
    if (!datagram->csum_verified && !wire_icmp6_checksum_good(&datagram->src, &datagram->dst,
                                                              datagram->payload, datagram->len)) {
        drop(ip->cx, TLSYN_DROP_icmp_checksum);
        return false;
    }
    switch (datagram->payload[0]) {
    case ICMP6_ROUTER_SOLICITATION:
    case ICMP6_ROUTER_ADVERTISEMENT:
    case ICMP6_NEIGHBOUR_SOLICITATION:
    case ICMP6_NEIGHBOUR_ADVERTISEMENT:
    case ICMP6_REDIRECT:
        ndp_input(datagram->iface, ether, datagram);
        return false;
    case ICMP6_MLD_QUERY:
        mld_input(datagram->iface, datagram);
        return false;
    case ICMP6_MLD1_REPORT:
    case ICMP6_MLD1_DONE:
    case ICMP6_MLD2_REPORT:
        return false; /* for routers */
    default:
        return message_arrives(ip, datagram, error);
    }
}
