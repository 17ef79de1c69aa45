/*
 * Attacks by floods of what a host has to remember: fragments of datagrams that never become whole,
 * neighbours. docs/TESTING.md has the table of attacks, defences and bounds.
 */
#include "ip/frag_store.h"
#include "support/holds.h"
#include "support/peer.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/ndp.h"

#define IP_AT ETHER_HEADER_LEN
#define MORE  0x2000u /* fragments */

static uint8_t frame[PEER_FRAME_MAX];

static void put_u16_at(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* --- FragmentSmack: CVE-2018-5391 ------------------------------------------------------------- */

/* A fragment of UDP from 10.0.0.<host>; `place`: the header's field, MORE and eights of octets. */
static void fragment(struct tcp_test *t, uint8_t host, uint16_t id, uint32_t place, size_t octets)
{
    size_t len = IP_AT + 20 + octets;

    memset(frame, 0, len);
    peer_frame(t, ACK(), frame);
    frame[IP_AT + 9] = IP_PROTOCOL_UDP;
    frame[IP_AT + 15] = host;
    put_u16_at(frame + IP_AT + 2, 20 + octets);
    put_u16_at(frame + IP_AT + 4, id);
    put_u16_at(frame + IP_AT + 6, place);
    memset(frame + IP_AT + 20, 0, octets);
    peer_seal(frame);
    peer_sends_frame(t, frame, len);
}

static uint32_t most_pieces(const struct frags *frags)
{
    uint32_t most = 0;

    list_each(it, &frags->oldest)
    {
        const struct frag_datagram *d = container_of(it, struct frag_datagram, age);

        most = d->count > most ? d->count : most;
    }
    return most;
}

/* limits.reassembly_bytes and limits.reassembly_datagrams, of which one source gets a quarter, and
 * limits.reassembly_fragments bound what is held, whatever is sent; finding the place of a fragment
 * takes a few comparisons in any order. Who else sends fragments is not pushed out. */
START_TEST(fragments_that_never_become_a_datagram_are_bounded) /* loop: few, or many, or large */
{
    static const struct {
        uint32_t each;
        size_t octets;
    } flood[] = {{600, 16}, {3, 16}, {1, 16}, {5, 1400}};
    const size_t octets = flood[_i].octets;
    struct tlsyn_limits limits = default_limits();

    limits.reassembly_bytes = 64u << 10;
    limits.reassembly_datagrams = 64;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    const struct frags *frags = &t->tcp->ip->frags;

    fragment(t, 9, 1, MORE, 16);
    size_t before = t->memory.bytes;
    for (uint32_t i = 0; i < 6000; i++) {
        uint32_t place = (uint32_t)(octets / 8 * (1 + i * 37 % (octets > 16 ? 40 : 200)));

        fragment(t, 2, (uint16_t)(i / flood[_i].each), MORE | place, octets);
        HOLDS(t->memory.bytes - before <= limits.reassembly_bytes / 4 + 4096);
        HOLDS(most_pieces(frags) <= limits.reassembly_fragments);
        HOLDS(frags->datagrams.count - 1 <= limits.reassembly_datagrams / 4);
    }
    ck_assert_uint_le(counted(t, TLSYN_COUNT_ip_reasm_steps), 6000 * 9); /* log2(128) + 2 */
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_ip_reasm_oks), 0);
    fragment(t, 9, 1, 2, 16); /* the other's end */
    ck_assert_uint_eq(counted(t, TLSYN_COUNT_ip_reasm_oks), 1);
    advance(t, limits.reassembly_timeout + TLSYN_SECONDS(2));
    ck_assert_uint_le(t->memory.bytes, before + 4096); /* and time gives it back */
    tcp_test_close(t);
}
END_TEST

/* --- caches of neighbours --------------------------------------------------------------------- */

static void arp_from(struct tcp_test *t, uint8_t host, enum arp_op op)
{
    struct wire_ether ether = {
        .dst = {2, 0, 0, 0, 0, 1}, .src = {2, 9, 0, 0, 0, host}, .type = ETHER_TYPE_ARP};
    struct wire_arp arp = {.op = (uint16_t)op,
                           .sender_hw = {2, 9, 0, 0, 0, host},
                           .sender = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, host}),
                           .target_hw = {2, 0, 0, 0, 0, 1},
                           .target = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 1})};

    wire_ether_emit(&ether, frame, IP_AT);
    wire_arp_emit(&arp, frame + IP_AT, ARP_LEN);
    peer_sends_frame(t, frame, IP_AT + ARP_LEN);
}

static void solicited_by(struct tcp_test *t, uint16_t host)
{
    struct tlsyn_addr src = {{0xfd, 0x77, [14] = (uint8_t)(host >> 8), [15] = (uint8_t)host}};
    struct tlsyn_addr dst = {{0xfd, 0x77, [15] = 1}};
    struct wire_ndp ndp = {.type = ICMP6_NEIGHBOUR_SOLICITATION,
                           .target = dst,
                           .has_source_hw = true,
                           .source_hw = {2, 9, 0, 0, (uint8_t)(host >> 8), (uint8_t)host}};
    struct wire_ether ether = {
        .dst = {2, 0, 0, 0, 0, 1}, .src = {2, 9, 0, 0, 0, 1}, .type = ETHER_TYPE_IP6};
    uint8_t *icmp = frame + IP_AT + IP6_HEADER_LEN;
    size_t len = (size_t)wire_ndp_emit(&ndp, icmp, 100);
    struct wire_ip6 ip6 = {
        .src = src, .dst = dst, .next = IP6_ICMP, .hop_limit = 255, .payload_len = (uint16_t)len};

    wire_icmp6_checksum(&src, &dst, icmp, len);
    wire_ether_emit(&ether, frame, IP_AT);
    wire_ip6_emit(&ip6, frame + IP_AT, IP6_HEADER_LEN);
    peer_sends_frame(t, frame, IP_AT + IP6_HEADER_LEN + len);
}

/* Everybody on the link, or somebody with many names, asks for us and is remembered:
 * limits.neighbours at most, and not in the place of who we are talking to. */
START_TEST(a_crowd_of_neighbours_pushes_out_nobody_in_use) /* loop 2: the family */
{
    struct tlsyn_limits limits = default_limits();

    limits.neighbours = 16;
    struct tcp_test *t = TCP_TEST(.limits = limits, .ip6 = _i == 1);
    const struct table *known;

    opens_passively(t);
    known = &t->tcp->ip->neigh.table;
    for (uint16_t host = 3; host < (_i == 1 ? 3000 : 250); host++) {
        if (_i == 1)
            solicited_by(t, host);
        else
            arp_from(t, (uint8_t)host, host % 2 ? ARP_REQUEST : ARP_REPLY);
        HOLDS(known->count <= limits.neighbours);
    }
    uint64_t asked = counted(t, TLSYN_COUNT_arp_out);
    user_sends(t, 10);
    expect(t, ACK(.seq = 1, .len = 10)); /* without asking for its address again */
    ck_assert(_i == 1 || counted(t, TLSYN_COUNT_arp_out) == asked);
    tcp_test_close(t);
}
END_TEST

/* A SYN from 10.0.0.<host>, and what it brings about, with nobody there for our questions. */
static void syn_from(struct tcp_test *t, uint8_t host, uint16_t port)
{
    struct checksum sum = {0};
    size_t len = peer_frame(t, SYN(.seq = 0), frame);
    uint8_t *tcp = frame + IP_AT + 20;

    frame[IP_AT + 15] = host;
    peer_seal(frame);
    put_u16_at(tcp, port);
    put_u16_at(tcp + 16, 0);
    struct tlsyn_addr src = tlsyn_addr_ip4(frame + IP_AT + 12),
                      dst = tlsyn_addr_ip4(frame + IP_AT + 16);
    checksum_pseudo(&sum, &src, &dst, IP_PROTOCOL_TCP, (uint32_t)(len - IP_AT - 20));
    checksum_add(&sum, tcp, len - IP_AT - 20);
    put_u16_at(tcp + 16, checksum_finish(&sum));
    t->hold = true;
    peer_sends_frame(t, frame, len);
    tlsyn_stack_output(t->stack, t->now);
    fake_link_clear(&t->link);
    t->hold = false;
}

static const struct neighbour *known(const struct tcp_test *t, uint8_t host)
{
    struct tlsyn_addr addr = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, host});

    return neigh_find(&t->tcp->ip->neigh, t->iface, &addr);
}

/* Where all places are in use a crowd gets none; and who is met later takes the place of one of the
 * crowd, not of who was met before. */
START_TEST(
    who_is_in_use_stays_whoever_comes) /* loop 2: in use before the crowd: all places; half */
{
    struct tlsyn_limits limits = default_limits();
    const uint8_t before = _i ? 10 : 18;

    limits.neighbours = 16;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    for (int host = 2; host < 18; host++) {
        if (host == before)
            for (int crowd = 18; crowd < 250; crowd++)
                arp_from(t, (uint8_t)crowd, ARP_REQUEST);
        syn_from(t, (uint8_t)host, 10000);
        arp_from(t, (uint8_t)host, ARP_REPLY);
    }
    for (int crowd = 18; crowd < 250; crowd++)
        arp_from(t, (uint8_t)crowd, ARP_REQUEST);
    for (int host = 2; host < 18; host++)
        ck_assert_msg(known(t, (uint8_t)host), "10.0.0.%d was forgotten", host);
    tcp_test_close(t);
}
END_TEST

/* A scan of a /64, or forged SYNs from all of a network, has us ask for neighbours that are not
 * there: limits.neighbours entries. */
START_TEST(neighbours_that_never_answer_hold_so_much)
{
    struct tlsyn_limits limits = default_limits();

    limits.neighbours = 16;
    limits.syn_cookies = false;
    limits.syn_backlog = 32;
    struct tcp_test *t = TCP_TEST(.limits = limits);
    size_t most = 0;

    for (uint16_t i = 0; i < 2000; i++) {
        syn_from(t, (uint8_t)(3 + i % 250), (uint16_t)(10000 + i));
        HOLDS(t->tcp->ip->neigh.table.count <= limits.neighbours);
        if (i == 200)
            most = t->memory.bytes;
    }
    ck_assert_uint_le(t->memory.bytes, most + most / 4);
    ck_assert_uint_le(t->tcp->half_open, 32);
    tcp_test_close(t);
}
END_TEST

/* And for each of them limits.neighbour_queue_bytes of frames: those that came last. */
START_TEST(an_absent_neighbour_has_so_many_frames_wait)
{
    struct tlsyn_limits limits = default_limits();

    limits.neighbour_queue_bytes = 1000;
    struct tcp_test *t = TCP_TEST(.limits = limits);

    for (uint16_t i = 0; i < 2000; i++) {
        syn_from(t, 3, (uint16_t)(10000 + i));
        HOLDS(known(t, 3)->queue.bytes <= limits.neighbour_queue_bytes);
    }
    ck_assert_uint_gt(known(t, 3)->queue.count, 1);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_neigh_queue_full), 2000 - known(t, 3)->queue.count);
    tcp_test_close(t);
}
END_TEST

/* What a browser opens at once, and what answers it, needs no second SYN because the neighbour, or
 * the router before all of them, is asked for first. */
START_TEST(a_crowd_of_connections_waits_for_its_neighbour)
{
    struct tcp_test *t = TCP_TEST(.limits = default_limits());

    for (uint16_t i = 0; i < 100; i++)
        syn_from(t, 3, (uint16_t)(10000 + i));
    ck_assert_uint_eq(known(t, 3)->queue.count, 100);
    ck_assert_uint_eq(dropped(t, TLSYN_DROP_neigh_queue_full), 0);
    tcp_test_close(t);
}
END_TEST

/* --- SYNs with a ClientHello ------------------------------------------------------------------ */

#define REQUEST                                                                                    \
    {                                                                                              \
        .mss = 1460, .has_fastopen = true                                                          \
    }

static void peer_number(struct tcp_test *t, uint32_t n)
{
    another_peer(t, (uint16_t)(1024 + n % 60000));
    t->peer_iss = 1000 * n;
}

/* An open, the bytes that it costs counted, and nothing kept of it. Embedded, or not. */
static bool honest(struct tcp_test *t, uint32_t n, const struct tcp_options *options)
{
    user_init(&t->user);
    t->user.plan[USER_SYN].write = t->user.plan[USER_ESTABLISHED].write = 400;
    peer_number(t, n);
    peer_sends(t, SYN(.len = 300, .opt = *options));
    HOLDS(peer_takes_all(t) == 1);
    bool embedded = t->user.count[USER_SYN] == 1;
    t->peer_nxt = embedded ? 301 : 1;
    peer_sends(t, ACK(.len = embedded ? 0 : 300));
    HOLDS(t->user.count[USER_ESTABLISHED] == 1 && t->user.read == 300);
    user_acts(&t->user, USER_ABORTS);
    flush(t);
    ignore_sent(t);
    return embedded;
}

/* 10,000 per second for ten seconds, each with another address as far as anybody can tell. One in a
 * thousand is an honest client with a Fast Open cookie, which embeds all the same; one without has
 * the sequential handshake. Engines are as many as may be pending without a cookie, and each has
 * three seconds; what leaves is less than what came. */
START_TEST(a_flood_of_hellos_costs_so_many_engines_and_no_honest_client)
{
    struct tlsyn_limits limits = default_limits();
    struct tcp_options plain = REQUEST, owner = REQUEST;
    uint64_t in = 0, out = 0, engines = 0;
    size_t before, most = 0;

    limits.sources = 0; /* else the one address that the peer has would be found out */
    struct tcp_test *t = TCP_TEST(.limits = limits, .open = true, .cookies = true);
    peer_sends(t, SYN(.opt = plain));
    owner.cookie_len = 8;
    memcpy(owner.cookie, expect(t, SYNACK())->options.cookie, 8);
    peer_sends(t, RST(.seq = 1));
    before = t->memory.bytes;
    t->user.deaf = true;
    for (uint32_t n = 1; n <= 100000; n++) {
        peer_number(t, n);
        t->user.plan[USER_SYN].write = 400;
        t->user.count[USER_SYN] = 0;
        peer_sends(t, SYN(.len = 300, .opt = plain));
        engines += (uint64_t)t->user.count[USER_SYN];
        in += 20 + 20 + 8 + 300;
        out += sent_bytes(t);
        ignore_sent(t);
        advance(t, 100);
        out += sent_bytes(t);
        ignore_sent(t);
        most = t->memory.bytes > most ? t->memory.bytes : most;
        HOLDS(t->tcp->half_open <= limits.syn_backlog);
        HOLDS(t->tcp->embedded <= limits.embedded_backlog / 2 + 1);
        if (n % 1000 == 0)
            HOLDS(honest(t, n + 1, &owner));
        if (n % 1000 == 500)
            (void)honest(t, n + 1, &plain);
        t->user.deaf = true;
    }
    ck_assert_uint_le(engines, 4 * (limits.embedded_backlog / 2 + 1));
    ck_assert_uint_lt(out, in);
    ck_assert_uint_le(most - before, 8u << 20);
    user_init(&t->user);
    tcp_test_close(t);
}
END_TEST

Suite *attacks_floods_suite(void);

Suite *attacks_floods_suite(void)
{
    Suite *s = suite_create("attacks_floods");
    TCase *ip = tcase_create("fragments"), *link = tcase_create("neighbours");
    TCase *hellos = tcase_create("hellos");

    tcase_set_timeout(ip, 60);
    tcase_add_loop_test(ip, fragments_that_never_become_a_datagram_are_bounded, 0, 4);
    suite_add_tcase(s, ip);
    tcase_set_timeout(hellos, 120);
    tcase_add_test(hellos, a_flood_of_hellos_costs_so_many_engines_and_no_honest_client);
    suite_add_tcase(s, hellos);
    tcase_set_timeout(link, 60);
    tcase_add_loop_test(link, a_crowd_of_neighbours_pushes_out_nobody_in_use, 0, 2);
    tcase_add_loop_test(link, who_is_in_use_stays_whoever_comes, 0, 2);
    tcase_add_test(link, neighbours_that_never_answer_hold_so_much);
    tcase_add_test(link, an_absent_neighbour_has_so_many_frames_wait);
    tcase_add_test(link, a_crowd_of_connections_waits_for_its_neighbour);
    suite_add_tcase(s, link);
    return s;
}
