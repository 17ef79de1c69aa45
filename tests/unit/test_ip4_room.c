/* What an IPv4 datagram must be to be taken. RFC 791, RFC 1122 3.2.1. */
#include <check.h>

#include "support/ip_bed.h"
#include "support/reference.h"
#include "wire/bytes.h"
#include "wire/checksum.h"

#define IP_AT 14 /* the datagram's place in its frame */

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open(&bed, 5);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static const uint8_t segment[24] = {0x12, 0x34, 0x56, 0x78, [12] = 0x50, [20] = 1, 2, 3, 4};

/* A good frame; its length is 58. */
static size_t good(uint8_t frame[PACKET_MAX])
{
    return packet_build(&(struct packet){.payload = segment, .len = sizeof(segment)}, frame);
}

/* Makes the header's checksum right again. */
static void seal(uint8_t *frame)
{
    uint8_t *header = frame + IP_AT;
    struct writer w = writer_of(header + 10, 2);
    struct checksum sum = {0};

    memset(header + 10, 0, 2);
    checksum_add(&sum, header, (size_t)(header[0] & 15) * 4);
    put_u16(&w, checksum_finish(&sum));
}

static void expect_drop(const uint8_t *frame, size_t len, enum tlsyn_drop reason)
{
    uint64_t before = ip_bed_dropped(&bed, reason);

    ck_assert_int_eq(ip_bed_receives(&bed, frame, len), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, reason), before + 1);
}

START_TEST(datagram_is_handed_up_whole)
{
    struct tlsyn_addr us = addr_of("10.0.0.1"), peer = addr_of("10.0.0.2");
    const struct ip_datagram *d = &bed.arrival.datagram;
    struct packet p = {.payload = segment, .len = sizeof(segment), .ttl = 1, .tos = 0xb8};

    ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_DATAGRAM);
    ck_assert_ptr_eq(d->iface, bed.iface);
    ck_assert(tlsyn_addr_eq(&d->src, &peer));
    ck_assert(tlsyn_addr_eq(&d->dst, &us));
    ck_assert_uint_eq(d->protocol, IP_PROTOCOL_TCP);
    ck_assert_uint_eq(d->ttl, 1);
    ck_assert_uint_eq(d->tos, 0xb8);
    ck_assert_uint_eq(d->len, sizeof(segment));
    ck_assert_int_eq((int)(d->payload - d->header), 20);
    ck_assert(!d->broadcast && !d->csum_verified && d->gso_size == 0);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip_in], 1);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip_delivers], 1);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_link_in], 1);
}
END_TEST

START_TEST(datagram_of_libnet_is_taken)
{
    static const uint8_t peer_hw[6] = {2, 0, 0, 0, 0, 2};
    static const uint8_t us_ip[4] = {10, 0, 0, 1}, peer_ip[4] = {10, 0, 0, 2};
    struct reference r;

    reference_open(&r);
    ck_assert_int_ge(
        libnet_build_tcp(1234, 80, 1, 2, 0x18, 1000, 0, 0, 20 + 4, segment + 20, 4, r.net, 0), 0);
    ck_assert_int_ge(libnet_build_ipv4(20 + 20 + 4, 0x10, 77, 0x4000, 55, 6, 0,
                                       reference_ip4(peer_ip), reference_ip4(us_ip), NULL, 0, r.net,
                                       0),
                     0);
    ck_assert_int_ge(
        libnet_build_ethernet(bed.link.base.caps.hwaddr, peer_hw, 0x0800, NULL, 0, r.net, 0), 0);
    reference_cull(&r);
    ck_assert_int_eq(ip_bed_receives(&bed, r.packet, r.len), IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.len, 24);
    ck_assert_uint_eq(bed.arrival.datagram.ttl, 55);
    reference_close(&r);
}
END_TEST

START_TEST(padding_of_the_frame_is_cut)
{
    uint8_t frame[PACKET_MAX] = {0};
    struct packet p = {.payload = segment, .len = 20};

    packet_build(&p, frame);
    ck_assert_int_eq(ip_bed_receives(&bed, frame, 60), IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.len, 20);
}
END_TEST

/* MUST-50 */
START_TEST(options_are_skipped)
{
    uint8_t frame[PACKET_MAX], wide[PACKET_MAX];
    size_t len = good(frame);

    /* a record route option, and one whose length lies: the destination looks at neither */
    memcpy(wide, frame, IP_AT + 20);
    memcpy(wide + IP_AT + 20, (const uint8_t[]){7, 7, 4, 0, 0, 0, 0, 0, 68, 255, 4, 0}, 12);
    memcpy(wide + IP_AT + 32, frame + IP_AT + 20, sizeof(segment));
    wide[IP_AT] = 0x48;
    wide[IP_AT + 3] = (uint8_t)(wide[IP_AT + 3] + 12);
    seal(wide);
    ck_assert_int_eq(ip_bed_receives(&bed, wide, len + 12), IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.len, sizeof(segment));
    ck_assert_int_eq((int)(bed.arrival.datagram.payload - bed.arrival.datagram.header), 32);
}
END_TEST

START_TEST(truncated_anywhere_is_dropped)
{
    uint8_t frame[PACKET_MAX];
    size_t len = good(frame);

    for (size_t n = 0; n < len; n++)
        expect_drop(frame, n, n < IP_AT ? TLSYN_DROP_frame_truncated : TLSYN_DROP_ip_truncated);
}
END_TEST

/* R1122-1, R1122-2 */
START_TEST(lying_headers_are_dropped)
{
    static const struct {
        size_t at;
        uint8_t value;
        enum tlsyn_drop reason;
    } lies[] = {
        {0, 0x65, TLSYN_DROP_ip_version},   /* version 6 in an IPv4 frame */
        {0, 0x44, TLSYN_DROP_ip_header},    /* header of 16 octets */
        {0, 0x40, TLSYN_DROP_ip_header},    /* of none */
        {0, 0x4f, TLSYN_DROP_ip_header},    /* longer than the datagram */
        {2, 0xff, TLSYN_DROP_ip_truncated}, /* datagram longer than the frame */
        {3, 19, TLSYN_DROP_ip_header},      /* shorter than its header */
        {3, 0, TLSYN_DROP_ip_header},       /* of no length */
        {10, 0x99, TLSYN_DROP_ip_checksum}, /* wrong sum */
        {19, 3, TLSYN_DROP_ip_not_ours},    /* another host's */
        {16, 127, TLSYN_DROP_ip_not_ours},  /* loopback as destination */
        {16, 224, TLSYN_DROP_ip_not_ours},  /* multicast */
        {12, 0, TLSYN_DROP_ip_source},      /* "this network" */
        {12, 127, TLSYN_DROP_ip_source},    /* loopback */
        {12, 224, TLSYN_DROP_ip_source},    /* multicast */
        {12, 255, TLSYN_DROP_ip_source},    /* reserved */
        {15, 255, TLSYN_DROP_ip_source},    /* our network's broadcast address */
        {15, 1, TLSYN_DROP_ip_source},      /* our own */
    };

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        uint8_t frame[PACKET_MAX];
        size_t len = good(frame);

        frame[IP_AT + lies[i].at] = lies[i].value;
        if (lies[i].reason != TLSYN_DROP_ip_checksum && (frame[IP_AT] & 15) >= 5)
            seal(frame);
        expect_drop(frame, len, lies[i].reason);
    }
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip_delivers], 0);
}
END_TEST

START_TEST(reserved_flag_and_df_do_not_matter)
{
    uint8_t frame[PACKET_MAX];
    size_t len = good(frame);

    frame[IP_AT + 6] = 0xc0;
    seal(frame);
    ck_assert_int_eq(ip_bed_receives(&bed, frame, len), IP_DATAGRAM);
}
END_TEST

START_TEST(broadcast_is_told_apart)
{
    static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};
    struct packet p = {.payload = segment, .len = sizeof(segment), .ether_dst = everybody};

    p.dst = "10.0.0.255";
    ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_DATAGRAM);
    ck_assert(bed.arrival.datagram.broadcast);
    p.dst = "255.255.255.255";
    ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_DATAGRAM);
    ck_assert(bed.arrival.datagram.broadcast);
    p.ether_dst = NULL;
    ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_DATAGRAM);
    ck_assert(bed.arrival.datagram.broadcast);
}
END_TEST

/* RFC 1122 3.3.6: a datagram for one host must not come by link-layer broadcast. */
START_TEST(unicast_in_a_broadcast_frame_is_dropped)
{
    static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};
    static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1};
    struct packet p = {.payload = segment, .len = sizeof(segment), .ether_dst = everybody};

    ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_CONSUMED);
    p.ether_dst = group;
    ck_assert_int_eq(ip_bed_packet(&bed, &p), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_not_ours), 2);
}
END_TEST

START_TEST(offload_metadata_goes_up)
{
    struct tlsyn_frame like = {.flags = TLSYN_FRAME_CSUM_VERIFIED};
    uint8_t frame[PACKET_MAX];
    size_t len = good(frame);

    ck_assert_int_eq(ip_bed_receives_like(&bed, &like, frame, len), IP_DATAGRAM);
    ck_assert(bed.arrival.datagram.csum_verified);
    like = (struct tlsyn_frame){.gso_type = TLSYN_GSO_TCP4, .gso_size = 1448};
    ck_assert_int_eq(ip_bed_receives_like(&bed, &like, frame, len), IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.gso_size, 1448);
    ck_assert(!bed.arrival.datagram.csum_verified);
    like = (struct tlsyn_frame){.gso_size = 1448};
    ck_assert_int_eq(ip_bed_receives_like(&bed, &like, frame, len), IP_DATAGRAM);
    ck_assert_uint_eq(bed.arrival.datagram.gso_size, 0);
    /* the header's own checksum is looked at whatever the driver says of the transport's */
    frame[IP_AT + 10] ^= 1;
    like.flags = TLSYN_FRAME_CSUM_VERIFIED;
    ck_assert_int_eq(ip_bed_receives_like(&bed, &like, frame, len), IP_CONSUMED);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_checksum), 1);
}
END_TEST

/* Any damage to one octet: dropped with a reason, or handed up as a datagram that lies
 * inside its frame. */
START_TEST(random_damage_never_escapes_the_frame)
{
    random_seed(&bed.random, (uint64_t)_i);
    for (int i = 0; i < 500; i++) {
        uint8_t frame[PACKET_MAX];
        size_t len = good(frame);
        uint64_t drops = ip_bed_drops(&bed);
        size_t kept = bed.ip.frags.bytes;
        enum ip_verdict verdict;

        for (int k = 0; k < 3; k++)
            frame[IP_AT + random_below(&bed.random.base, 20)] =
                (uint8_t)random_u32(&bed.random.base);
        if ((frame[IP_AT] & 15) >= 5 && IP_AT + (size_t)(frame[IP_AT] & 15) * 4 <= len)
            seal(frame);
        len -= random_below(&bed.random.base, 4);
        verdict = ip_bed_receives(&bed, frame, len);
        if (verdict == IP_DATAGRAM)
            ck_assert_uint_le(bed.arrival.datagram.len + 20 + IP_AT, len);
        else if (frame[IP_AT + 9] != IP_PROTOCOL_ICMP && bed.ip.frags.bytes == kept)
            ck_assert_uint_eq(ip_bed_drops(&bed), drops + 1);
    }
}
END_TEST

Suite *ip4_room_suite(void);

Suite *ip4_room_suite(void)
{
    Suite *suite = suite_create("ip4_room");
    TCase *tc = tcase_create("ip4_room");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, datagram_is_handed_up_whole);
    tcase_add_test(tc, datagram_of_libnet_is_taken);
    tcase_add_test(tc, padding_of_the_frame_is_cut);
    tcase_add_test(tc, options_are_skipped);
    tcase_add_test(tc, truncated_anywhere_is_dropped);
    tcase_add_test(tc, lying_headers_are_dropped);
    tcase_add_test(tc, reserved_flag_and_df_do_not_matter);
    tcase_add_test(tc, broadcast_is_told_apart);
    tcase_add_test(tc, unicast_in_a_broadcast_frame_is_dropped);
    tcase_add_test(tc, offload_metadata_goes_up);
    tcase_add_loop_test(tc, random_damage_never_escapes_the_frame, 0, 20);
    suite_add_tcase(suite, tc);
    return suite;
}
