/* Putting fragments together, and what it may cost. RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 5722,
 * RFC 8200 4.5, RFC 3168 5.3. */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "support/ip_bed.h"
#include "wire/icmp4.h"

#define UDP      IP_PROTOCOL_UDP
#define IP_AT    14
#define PAYLOAD  4000
#define EXPIRY   TLSYN_SECONDS(31)
#define EVERYONE "10.0.0.255"

static struct ip_bed bed;
static uint8_t payload[65536];
static bool verified; /* frames say so */

static void setup(void)
{
    ip_bed_open(&bed, 5);
    ip_bed_knows(&bed, 2);
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 7 + i / 256);
    memset(payload, 0, 8); /* a UDP header, near enough */
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

/* A fragment of `payload`; zero is a sensible default. */
struct piece {
    uint32_t from, to;
    uint16_t id;
    uint8_t protocol; /* 0: UDP */
    uint8_t tos;
    bool last;
    const char *src, *dst;
    const uint8_t *bytes; /* NULL: payload */
};

static enum ip_verdict arrives(const struct piece *p)
{
    static uint8_t frame[70000];
    struct wire_ether ether = {
        .dst = {2, 0, 0, 0, 0, 1}, .src = {2, 0, 0, 0, 0, 2}, .type = ETHER_TYPE_IP4};
    size_t len = p->to - p->from;
    struct wire_ip4 ip4 = {
        .src = addr_of(p->src ? p->src : "10.0.0.2"),
        .dst = addr_of(p->dst ? p->dst : "10.0.0.1"),
        .tos = p->tos,
        .ttl = 60,
        .protocol = p->protocol ? p->protocol : UDP,
        .total_len = (uint16_t)(IP4_HEADER_LEN + len),
        .id = p->id,
        .mf = !p->last,
        .offset = (uint16_t)p->from,
    };

    if (p->dst && strcmp(p->dst, EVERYONE) == 0)
        memset(ether.dst, 0xff, sizeof(ether.dst));
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
    wire_ip4_emit(&ip4, frame + IP_AT, IP4_HEADER_LEN);
    memcpy(frame + IP_AT + IP4_HEADER_LEN, (p->bytes ? p->bytes : payload) + p->from, len);
    return ip_bed_receives_like(
        &bed, &(struct tlsyn_frame){.flags = verified ? TLSYN_FRAME_CSUM_VERIFIED : 0}, frame,
        IP_AT + IP4_HEADER_LEN + len);
}

#define PIECE(a, b, ...)                                                                           \
    {                                                                                              \
        .from = (a), .to = (b), __VA_ARGS__                                                        \
    }
#define ARRIVES(...) arrives(&(struct piece)PIECE(__VA_ARGS__))

static uint64_t counter(enum tlsyn_counter c)
{
    return bed.cx.counter[c];
}

static uint64_t dropped_for(enum tlsyn_drop reason)
{
    return ip_bed_dropped(&bed, reason);
}

/* The datagram that came up is `len` octets of the payload behind a right header. */
static void expect_whole(size_t len)
{
    const struct ip_datagram *d = &bed.arrival.datagram;
    struct wire_ip4 ip4;

    ck_assert_uint_eq(d->len, len);
    ck_assert_mem_eq(d->payload, payload, len);
    ck_assert_int_eq(wire_ip4_parse(d->header, (size_t)(d->payload - d->header) + len, &ip4), 0);
    ck_assert(wire_ip4_checksum_good(d->header, ip4.header_len));
    ck_assert(!ip4.mf && ip4.offset == 0);
    ck_assert_uint_eq(ip4.payload_len, len);
    ck_assert_uint_eq(ip4.tos, d->tos);
    ck_assert_ptr_eq(ip4.payload, d->payload);
}

/* Nothing is kept any more. */
static void expect_empty(void)
{
    ip_input_done(&bed.ip);
    ck_assert_uint_eq(bed.ip.frags.datagrams.count, 0);
    ck_assert_uint_eq(bed.ip.frags.sources.count, 0);
    ck_assert_uint_eq(bed.ip.frags.bytes, 0);
}

/* --- together --------------------------------------------------------------------------------- */

static void in_order_of(const int order[4])
{
    static const struct piece piece[4] = {
        PIECE(0, 1480, .tos = 0xb8), PIECE(1480, 2960, .tos = 0xb8), PIECE(2960, 3200, .tos = 0xb8),
        PIECE(3200, PAYLOAD, .last = true, .tos = 0xb8)};

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(arrives(&piece[order[i]]), i == 3 ? IP_DATAGRAM : IP_CONSUMED);
    expect_whole(PAYLOAD);
    expect_empty();
}

/* R1122-6 */
START_TEST(fragments_in_any_order_make_the_datagram)
{
    int n = 0;

    for (int code = 0; code < 256; code++) {
        int order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};

        if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) != 15)
            continue;
        in_order_of(order);
        n++;
    }
    ck_assert_int_eq(n, 24);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_oks), 24);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_reqds), 96);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_delivers), 24);
    ck_assert_uint_eq(ip_bed_drops(&bed), 0);
}
END_TEST

START_TEST(the_longest_datagram_is_taken)
{
    uint32_t end = 65535 - IP4_HEADER_LEN, from = 0;

    for (; from + 1480 < end; from += 1480)
        ck_assert_int_eq(ARRIVES(from, from + 1480), IP_CONSUMED);
    ck_assert_int_eq(ARRIVES(from, end, .last = true), IP_DATAGRAM);
    expect_whole(end);
    expect_empty();
}
END_TEST

START_TEST(datagrams_are_told_apart)
{
    ARRIVES(0, 80, .id = 1);
    ARRIVES(0, 80, .id = 2);
    ARRIVES(0, 80, .id = 1, .protocol = 200);
    ARRIVES(0, 80, .id = 1, .src = "10.0.0.3");
    ck_assert_uint_eq(bed.ip.frags.datagrams.count, 4);
    ck_assert_uint_eq(bed.ip.frags.sources.count, 2);
    ck_assert_int_eq(ARRIVES(80, 100, .id = 2, .last = true), IP_DATAGRAM);
    expect_whole(100);
    ck_assert_uint_eq(bed.ip.frags.datagrams.count, 3);
}
END_TEST

START_TEST(a_duplicate_changes_nothing)
{
    ARRIVES(0, 80);
    ARRIVES(160, 200, .last = true);
    ck_assert_int_eq(ARRIVES(0, 80), IP_CONSUMED);
    ck_assert_int_eq(ARRIVES(160, 200, .last = true), IP_CONSUMED);
    ck_assert_uint_eq(dropped_for(TLSYN_DROP_ip_fragment_duplicate), 2);
    ck_assert_int_eq(ARRIVES(80, 160), IP_DATAGRAM);
    expect_whole(200);
}
END_TEST

START_TEST(a_sum_that_the_link_vouched_for_is_looked_at_again)
{
    verified = true;
    ARRIVES(0, 80);
    ck_assert_int_eq(ARRIVES(80, 100, .last = true), IP_DATAGRAM);
    verified = false;
    ck_assert(!bed.arrival.datagram.csum_verified);
}
END_TEST

/* RFC 3168 5.3 */
START_TEST(congestion_marks_are_combined)
{
    enum { NOT_ECT, ECT_1, ECT_0, CE };
    static const struct {
        uint8_t first, second, whole;
        bool lost;
    } table[] = {
        {NOT_ECT, NOT_ECT, NOT_ECT, false},
        {ECT_0, ECT_0, ECT_0, false},
        {ECT_1, ECT_1, ECT_1, false},
        {CE, CE, CE, false},
        {ECT_0, CE, CE, false},
        {CE, ECT_0, CE, false},
        {CE, ECT_1, CE, false},
        {NOT_ECT, CE, 0, true},
        {CE, NOT_ECT, 0, true},
    };

    for (uint16_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        ARRIVES(0, 80, .id = i, .tos = 0x20 | table[i].first);
        enum ip_verdict verdict =
            ARRIVES(80, 100, .id = i, .tos = 0x20 | table[i].second, .last = true);

        ck_assert_int_eq(verdict, table[i].lost ? IP_CONSUMED : IP_DATAGRAM);
        if (table[i].lost)
            continue;
        expect_whole(100);
        ck_assert_uint_eq(bed.arrival.datagram.tos, 0x20 | table[i].whole);
    }
}
END_TEST

/* --- lies ------------------------------------------------------------------------------------- */

/* R5722-1 */
START_TEST(an_overlap_ends_the_datagram)
{
    static const struct piece bad[] = {PIECE(160, 248), PIECE(152, 240), PIECE(168, 232),
                                       PIECE(152, 248), PIECE(80, 168),  PIECE(232, 320)};

    for (uint16_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct piece p = bad[i];

        p.id = i;
        ARRIVES(0, 80, .id = i);
        ARRIVES(160, 240, .id = i);
        ck_assert_int_eq(arrives(&p), IP_CONSUMED);
        /* RFC 5722: what would have completed it comes too late. */
        ck_assert_int_eq(ARRIVES(80, 160, .id = i), IP_CONSUMED);
        ck_assert_int_eq(ARRIVES(240, 300, .id = i, .last = true), IP_CONSUMED);
        ck_assert_int_eq(ARRIVES(0, 80, .id = i), IP_CONSUMED);
    }
    ck_assert_uint_eq(dropped_for(TLSYN_DROP_ip_fragment_overlap), 4 * 6);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_fails), 6);
    ip_bed_advance(&bed, EXPIRY);
    expect_empty();
    ck_assert_int_eq(ip_bed_flush(&bed), 0); /* silently */
}
END_TEST

START_TEST(other_octets_at_the_same_place_end_the_datagram)
{
    static uint8_t other[80];

    ARRIVES(0, 80);
    ck_assert_int_eq(ARRIVES(0, 80, .bytes = other), IP_CONSUMED);
    ck_assert_int_eq(ARRIVES(80, 100, .last = true), IP_CONSUMED);
    ck_assert_uint_eq(dropped_for(TLSYN_DROP_ip_fragment_overlap), 2);
}
END_TEST

START_TEST(two_lengths_end_the_datagram)
{
    static const struct piece lies[][2] = {
        {PIECE(80, 160, .last = true), PIECE(160, 240)},               /* behind the end */
        {PIECE(80, 160, .last = true), PIECE(160, 200, .last = true)}, /* another end */
        {PIECE(160, 240), PIECE(80, 160, .last = true)},               /* the end lies before */
        {PIECE(160, 240, .last = true), PIECE(80, 100, .last = true)},
    };

    for (uint16_t i = 0; i < 4; i++) {
        for (int k = 0; k < 2; k++) {
            struct piece p = lies[i][k];

            p.id = i;
            ck_assert_int_eq(arrives(&p), IP_CONSUMED);
        }
        ck_assert_uint_eq(dropped_for(TLSYN_DROP_ip_fragment_overlap), i + 1u);
        ck_assert_int_eq(ARRIVES(0, 80, .id = i), IP_CONSUMED);
        ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_fails), i + 1u);
        bed.cx.dropped[TLSYN_DROP_ip_fragment_overlap]--;
    }
}
END_TEST

START_TEST(impossible_fragments_are_dropped_by_themselves)
{
    ARRIVES(0, 80);
    ck_assert_int_eq(ARRIVES(80, 84), IP_CONSUMED);               /* no multiple of 8 */
    ck_assert_int_eq(ARRIVES(80, 80), IP_CONSUMED);               /* nothing in it */
    ck_assert_int_eq(ARRIVES(80, 80, .last = true), IP_CONSUMED); /* nor here */
    ck_assert_int_eq(ARRIVES(65528, 65535, .last = true),
                     IP_CONSUMED);                        /* beyond 65535, header and all */
    ck_assert_int_eq(ARRIVES(65504, 65520), IP_CONSUMED); /* the ping of death */
    ck_assert_int_eq(ARRIVES(0, 16, .id = 1, .protocol = 6),
                     IP_CONSUMED); /* no whole TCP header: RFC 1858 */
    ck_assert_uint_eq(dropped_for(TLSYN_DROP_ip_fragment), 6);
    ck_assert_int_eq(ARRIVES(80, 100, .last = true), IP_DATAGRAM);
    expect_whole(100);
}
END_TEST

/* R7112-1 */
START_TEST(a_first_fragment_holds_the_whole_header)
{
    uint8_t tcp[64] = {[12] = 0x80}; /* 32 octets */

    ck_assert(!fragment_holds_header(IP_PROTOCOL_TCP, tcp, 19));
    ck_assert(!fragment_holds_header(IP_PROTOCOL_TCP, tcp, 31));
    ck_assert(fragment_holds_header(IP_PROTOCOL_TCP, tcp, 32));
    ck_assert(!fragment_holds_header(IP_PROTOCOL_UDP, tcp, 7));
    ck_assert(fragment_holds_header(IP_PROTOCOL_UDP, tcp, 8));
    ck_assert(!fragment_holds_header(IP6_ICMP, tcp, 7));
    ck_assert(fragment_holds_header(200, tcp, 1));
}
END_TEST

/* --- time ------------------------------------------------------------------------------------- */

/* R8200-5 */
START_TEST(the_source_learns_that_its_time_is_over)
{
    struct wire_icmp4 icmp;
    struct wire_ip4 quoted;

    ARRIVES(80, 160);
    ip_bed_advance(&bed, TLSYN_SECONDS(29));
    ARRIVES(0, 80); /* does not prolong it */
    ip_bed_advance(&bed, TLSYN_SECONDS(2));
    expect_empty();
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_timeout), 1);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    const struct fake_frame *f = &bed.link.frame[0];
    ck_assert_int_eq(wire_icmp4_parse(f->bytes + 34, f->len - 34, &icmp), 0);
    ck_assert_int_eq(icmp.type, ICMP4_TIME_EXCEEDED);
    ck_assert_int_eq(icmp.code, ICMP4_REASSEMBLY);
    ck_assert_int_eq(wire_ip4_parse_quoted(icmp.payload, icmp.payload_len, &quoted), 0);
    ck_assert(quoted.mf && quoted.offset == 0 && quoted.total_len == 100);
    ck_assert_mem_eq(quoted.payload, payload, 8);
}
END_TEST

/* R1122-4, R4443-3 */
START_TEST(nobody_is_told_who_could_not_understand_it)
{
    static uint8_t unreachable[80] = {ICMP4_UNREACHABLE};

    ARRIVES(80, 160, .id = 1);                /* RFC 1122 3.3.2: no first fragment */
    ARRIVES(0, 80, .id = 2, .dst = EVERYONE); /* 3.2.2: sent to everybody */
    ARRIVES(0, 80, .id = 3, .protocol = 1, .bytes = unreachable); /* 3.2.2: itself an error */
    ip_bed_advance(&bed, EXPIRY);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_timeout), 3);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(what_is_told_has_a_budget)
{
    budget_init(&bed.ip.icmp.budget, 2, UINT32_MAX, bed.cx.now);
    for (uint16_t i = 0; i < 4; i++)
        ARRIVES(0, 80, .id = i);
    ip_bed_advance(&bed, EXPIRY);
    ck_assert_int_eq(ip_bed_flush(&bed), 2);
    ck_assert_uint_eq(counter(TLSYN_COUNT_icmp_rate_limited), 2);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------- */

START_TEST(one_source_can_not_hold_everything)
{
    ARRIVES(0, 80, .id = 1, .src = "10.0.0.3");
    for (uint16_t i = 0; i < 1000; i++)
        ARRIVES(0, 80, .id = i);
    ck_assert_uint_eq(bed.ip.frags.datagrams.count, 4 + 1); /* a quarter of 16 */
    ck_assert_int_eq(ARRIVES(80, 100, .id = 1, .src = "10.0.0.3", .last = true), IP_DATAGRAM);
    expect_whole(100);
    ck_assert_int_eq(ARRIVES(80, 100, .id = 999, .last = true), IP_DATAGRAM); /* the newest stay */
    ck_assert_int_eq(ARRIVES(80, 100, .id = 990, .last = true), IP_CONSUMED);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_fails), 996);
}
END_TEST

START_TEST(the_oldest_goes_when_everything_is_taken)
{
    char src[16];

    for (int i = 0; i < 20; i++) {
        snprintf(src, sizeof(src), "10.0.1.%d", i + 1);
        ARRIVES(0, 80, .src = src);
        ck_assert_uint_le(bed.ip.frags.datagrams.count, 16);
    }
    ck_assert_uint_eq(dropped_for(TLSYN_DROP_ip_fragment_limit), 4);
    ck_assert_int_eq(ARRIVES(80, 100, .src = "10.0.1.5", .last = true), IP_DATAGRAM);
    ck_assert_int_eq(ARRIVES(80, 100, .src = "10.0.1.4", .last = true), IP_CONSUMED);
}
END_TEST

START_TEST(memory_is_bounded)
{
    char src[16];

    for (int host = 1; host <= 8; host++) {
        snprintf(src, sizeof(src), "10.0.2.%d", host);
        for (uint16_t id = 0; id < 4; id++)
            for (uint32_t from = 0; from + 4800 < 65000; from += 4800)
                ARRIVES(from, from + 4800, .id = id, .src = src);
        ck_assert_uint_le(bed.ip.frags.bytes, bed.cx.limits.reassembly_bytes);
    }
    ck_assert_uint_gt(bed.ip.frags.bytes, bed.cx.limits.reassembly_bytes / 2);
    ip_bed_advance(&bed, EXPIRY);
    expect_empty();
}
END_TEST

START_TEST(a_datagram_has_so_many_fragments)
{
    for (uint32_t i = 0; i < 64; i++)
        ARRIVES(16 * i, 16 * i + 8);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_fails), 0);
    ARRIVES(16 * 64, 16 * 64 + 8);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip_reasm_fails), 1);
    ck_assert_uint_eq(dropped_for(TLSYN_DROP_ip_fragment_limit), 1);
    ck_assert_uint_lt(bed.ip.frags.bytes, 1024); /* and nothing of it is kept */
}
END_TEST

/* CVE-2018-5391: tiny fragments in an order chosen to make us search. */
START_TEST(no_order_of_fragments_makes_much_work)
{
    static const int stride[] = {1, -1, 37, -37, 31};
    const uint64_t limit = bed.cx.limits.reassembly_fragments;
    const uint32_t middle = 16 * ((uint32_t)limit / 2);
    uint64_t fragments = 0;

    for (uint16_t s = 0; s < 5; s++) {
        for (int i = 0; i < (int)limit; i++, fragments++) {
            uint32_t place = (uint32_t)((stride[s] * i % (int)limit + (int)limit) % (int)limit);

            ARRIVES(16 * place, 16 * place + 8, .id = s);
        }
        for (int i = 0; i < 500; i++, fragments++) /* duplicates: halfway from both ends */
            ARRIVES(middle, middle + 8, .id = s);
    }
    ck_assert_uint_le(counter(TLSYN_COUNT_ip_reasm_steps), fragments * 8); /* 1 + log2(64) + 1 */
}
END_TEST

START_TEST(failing_memory_loses_fragments_and_nothing_else)
{
    for (uint64_t n = 1; n < 16; n++) {
        uint16_t id = (uint16_t)n;

        test_memory_fail(&bed.memory, n);
        ARRIVES(0, 80, .id = id);
        ARRIVES(160, 200, .id = id, .last = true);
        enum ip_verdict verdict = ARRIVES(80, 160, .id = id);
        test_memory_fail_all(&bed.memory, false);
        if (verdict == IP_DATAGRAM)
            expect_whole(200);
        ip_input_done(&bed.ip);
        ip_bed_advance(&bed, EXPIRY);
        expect_empty();
    }
    ck_assert_uint_gt(dropped_for(TLSYN_DROP_no_memory), 4);
}
END_TEST

/* --- IPv6 ------------------------------------------------------------------------------------- */

START_TEST(ip6_goes_by_its_own_rules)
{
    uint8_t frame[40 + 8 + 80] = {0x60, [6] = 44, [40] = UDP};
    struct ip_datagram part = {.iface = bed.iface,
                               .src = addr_of("fe80::2"),
                               .dst = addr_of("fe80::1"),
                               .protocol = UDP,
                               .header = frame,
                               .payload = frame + 48,
                               .len = 80},
                       whole;
    struct fragment f = {.datagram = &part, .id = 0x12345678, .more = true};
    uint8_t *header;

    ck_assert_ptr_null(frags_take(&bed.ip.frags, &f, &whole));
    ip_bed_advance(&bed, TLSYN_SECONDS(59)); /* 60 s, RFC 8200 4.5 */
    f.offset = 80;
    f.more = false;
    part.protocol = 200; /* the first fragment's counts */
    header = frags_take(&bed.ip.frags, &f, &whole);
    ck_assert_ptr_nonnull(header);
    ck_assert_ptr_eq(whole.header, header);
    ck_assert_int_eq((int)(whole.payload - whole.header), 48);
    ck_assert_uint_eq(whole.len, 160);
    ck_assert_uint_eq(whole.protocol, UDP);
    ck_assert_uint_eq(counter(TLSYN_COUNT_ip6_reasm_oks), 1);
    frags_done(&bed.ip.frags);
    part.len = 81;
    f.offset = 65455;
    ck_assert_int_eq(fragment_check(&f), -EINVAL);
    f.offset = 65456;
    ck_assert_int_eq(fragment_check(&f), -EMSGSIZE);
    part.len = 79;
    ck_assert_int_eq(fragment_check(&f), 0);
}
END_TEST

Suite *frag_suite(void);

Suite *frag_suite(void)
{
    Suite *s = suite_create("frag");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, fragments_in_any_order_make_the_datagram);
    tcase_add_test(all, the_longest_datagram_is_taken);
    tcase_add_test(all, datagrams_are_told_apart);
    tcase_add_test(all, a_duplicate_changes_nothing);
    tcase_add_test(all, a_sum_that_the_link_vouched_for_is_looked_at_again);
    tcase_add_test(all, congestion_marks_are_combined);
    tcase_add_test(all, an_overlap_ends_the_datagram);
    tcase_add_test(all, other_octets_at_the_same_place_end_the_datagram);
    tcase_add_test(all, two_lengths_end_the_datagram);
    tcase_add_test(all, impossible_fragments_are_dropped_by_themselves);
    tcase_add_test(all, a_first_fragment_holds_the_whole_header);
    tcase_add_test(all, the_source_learns_that_its_time_is_over);
    tcase_add_test(all, nobody_is_told_who_could_not_understand_it);
    tcase_add_test(all, what_is_told_has_a_budget);
    tcase_add_test(all, one_source_can_not_hold_everything);
    tcase_add_test(all, the_oldest_goes_when_everything_is_taken);
    tcase_add_test(all, memory_is_bounded);
    tcase_add_test(all, a_datagram_has_so_many_fragments);
    tcase_add_test(all, no_order_of_fragments_makes_much_work);
    tcase_add_test(all, failing_memory_loses_fragments_and_nothing_else);
    tcase_add_test(all, ip6_goes_by_its_own_rules);
    suite_add_tcase(s, all);
    return s;
}
