/* The way out: headers, checksums, offload, the batch and the reply queue. */
#include <check.h>
#include <errno.h>

#include "support/ip_bed.h"
#include "support/reference.h"
#include "wire/checksum.h"

#define TCP_AT 34

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open(&bed, 13);
    ip_bed_knows(&bed, 2);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

/* A segment with a header as TCP emits it: ports, sequence numbers, ACK and PSH, window 1000. */
static struct ip_tx segment(void)
{
    static const uint8_t header[20] = {0x12, 0x34, 0, 80, 0,    0,    0, 1,
                                       0,    0,    0, 2,  0x50, 0x18, 3, 0xe8};
    struct ip_tx tx = {.src = addr_of("10.0.0.1"),
                       .dst = addr_of("10.0.0.2"),
                       .protocol = IP_PROTOCOL_TCP,
                       .header_len = sizeof(header),
                       .csum_offset = 16};

    memcpy(tx.header, header, sizeof(header));
    return tx;
}

/* The text, cut in two at `at`. */
static struct tlsyn_view view_of(uint8_t *text, size_t at, size_t len)
{
    return (struct tlsyn_view){
        .part = {{.iov_base = text, .iov_len = at}, {.iov_base = text + at, .iov_len = len - at}}};
}

/* True if the transport checksum of what was sent as frame i is right. */
static bool checksum_is_right(int i)
{
    const struct fake_frame *f = &bed.link.frame[i];
    struct tlsyn_addr src = tlsyn_addr_ip4(f->bytes + 26), dst = tlsyn_addr_ip4(f->bytes + 30);
    struct checksum sum = {0};

    checksum_pseudo(&sum, &src, &dst, IP_PROTOCOL_TCP, (uint32_t)(f->len - TCP_AT));
    checksum_add(&sum, f->bytes + TCP_AT, f->len - TCP_AT);
    return checksum_good(&sum);
}

/* --- one frame -------------------------------------------------------------------------------- */

START_TEST(frame_is_the_one_that_libnet_builds)
{
    static const uint8_t us_ip[4] = {10, 0, 0, 1}, peer_ip[4] = {10, 0, 0, 2};
    static const uint8_t peer_hw[6] = {2, 0, 0, 0, 0, 2};
    uint8_t text[11] = "Hello, you";
    struct ip_tx tx = segment();
    struct reference r;

    tx.tos = 0x10;
    tx.ttl = 33;
    tx.text = view_of(text, 3, sizeof(text));
    ip_output_open(&bed.ip);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ck_assert_int_eq(ip_output_close(&bed.ip), 1);
    reference_open(&r);
    ck_assert_int_ge(libnet_build_tcp(0x1234, 80, 1, 2, 0x18, 1000, 0, 0, 20 + sizeof(text), text,
                                      sizeof(text), r.net, 0),
                     0);
    ck_assert_int_ge(libnet_build_ipv4(20 + 20 + sizeof(text), 0x10, 0, 0x4000, 33, 6, 0,
                                       reference_ip4(us_ip), reference_ip4(peer_ip), NULL, 0, r.net,
                                       0),
                     0);
    ck_assert_int_ge(
        libnet_build_ethernet(peer_hw, bed.link.base.caps.hwaddr, 0x0800, NULL, 0, r.net, 0), 0);
    reference_cull(&r);
    ck_assert_uint_eq(bed.link.frame[0].len, r.len);
    ck_assert_mem_eq(bed.link.frame[0].bytes, r.packet, r.len);
    reference_close(&r);
    ck_assert_uint_eq(bed.link.frame[0].as_sent.flags, 0);
}
END_TEST

START_TEST(text_is_sent_from_where_it_lies)
{
    uint8_t text[100] = {0};
    struct ip_tx tx = segment();
    const struct tlsyn_frame *f = &bed.link.frame[0].as_sent;
    uint64_t calls = bed.memory.calls;

    tx.text = view_of(text, 60, 100);
    ip_output_open(&bed.ip);
    ip_output(&bed.ip, &tx);
    tx.text = view_of(text, 100, 100);
    ip_output(&bed.ip, &tx);
    ck_assert_int_eq(ip_output_close(&bed.ip), 2);
    ck_assert_uint_eq(bed.memory.calls, calls);
    ck_assert_int_eq(f->iovcnt, 3);
    ck_assert_ptr_eq(f->iov[1].iov_base, text);
    ck_assert_ptr_eq(f->iov[2].iov_base, text + 60);
    ck_assert_int_eq(bed.link.frame[1].as_sent.iovcnt, 2);
    ck_assert_ptr_eq(bed.link.frame[1].as_sent.iov[1].iov_base, text);
}
END_TEST

/* Any length, cut anywhere, odd pieces in front of even ones. (MUST-2) */
START_TEST(checksum_is_right_however_the_text_is_cut)
{
    uint8_t text[300];

    random_seed(&bed.random, (uint64_t)_i);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)random_u32(&bed.random.base);
    for (int i = 0; i < 100; i++) {
        size_t len = random_below(&bed.random.base, sizeof(text) + 1);
        struct ip_tx tx = segment();

        tx.text = view_of(text, random_below(&bed.random.base, (uint32_t)len + 1), len);
        ip_output_open(&bed.ip);
        ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
        ip_output_close(&bed.ip);
        ck_assert(checksum_is_right(0));
        ck_assert_mem_eq(bed.link.frame[0].bytes + TCP_AT + 20, text, len);
        fake_link_clear(&bed.link);
    }
}
END_TEST

START_TEST(link_with_offload_gets_the_pseudo_header_sum)
{
    uint8_t text[100] = {1, 2, 3};
    struct ip_tx tx = segment();
    const struct fake_frame *f = &bed.link.frame[0];
    struct checksum sum = {0};

    bed.link.base.caps.csum = true;
    tx.text = view_of(text, 100, 100);
    ip_output_open(&bed.ip);
    ip_output(&bed.ip, &tx);
    ip_output_close(&bed.ip);
    ck_assert_uint_eq(f->as_sent.flags, TLSYN_FRAME_CSUM_PARTIAL);
    ck_assert_uint_eq(f->as_sent.csum_start, 34);
    ck_assert_uint_eq(f->as_sent.csum_offset, 16);
    ck_assert_uint_eq(f->as_sent.gso_type, TLSYN_GSO_NONE);
    checksum_pseudo(&sum, &tx.src, &tx.dst, IP_PROTOCOL_TCP, 120);
    ck_assert_int_eq(f->bytes[50] << 8 | f->bytes[51], checksum_fold(&sum));
    /* what the other side does: sum from csum_start to the end, complement, store */
    sum = (struct checksum){0};
    checksum_add(&sum, f->bytes + 34, f->len - 34);
    f->bytes[50] = (uint8_t)(checksum_finish(&sum) >> 8);
    f->bytes[51] = (uint8_t)checksum_finish(&sum);
    ck_assert(checksum_is_right(0));
}
END_TEST

START_TEST(train_for_a_link_that_segments)
{
    static uint8_t text[60000];
    struct ip_tx tx = segment();
    const struct fake_frame *f = &bed.link.frame[0];

    bed.link.base.caps.csum = true;
    bed.link.base.caps.gso_max = 60000;
    tx.text = view_of(text, 1000, sizeof(text));
    tx.gso_size = 1448;
    ip_output_open(&bed.ip);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    tx.text = view_of(text, 1448, 1448); /* one segment is no train */
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ip_output_close(&bed.ip);
    ck_assert_uint_eq(f->as_sent.gso_type, TLSYN_GSO_TCP4);
    ck_assert_uint_eq(f->as_sent.gso_size, 1448);
    ck_assert_uint_eq(f->as_sent.hdr_len, 54);
    ck_assert_uint_eq(f->as_sent.flags, TLSYN_FRAME_CSUM_PARTIAL);
    ck_assert_int_eq(f->bytes[16] << 8 | f->bytes[17], 40 + 60000);
    ck_assert_uint_eq(bed.link.frame[1].as_sent.gso_type, TLSYN_GSO_NONE);
    ck_assert_uint_eq(bed.link.frame[1].as_sent.gso_size, 0);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static uint8_t text[65536];
    struct ip_tx tx = segment();

    tx.text = view_of(text, 1461, 1461);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -EMSGSIZE);
    tx.text = view_of(text, 1460, 1460);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    bed.link.base.caps.gso_max = 65536;
    tx.text = view_of(text, 2920, 2920);
    tx.gso_size = 1460;
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -EMSGSIZE); /* cannot finish their checksums */
    bed.link.base.caps.csum = true;
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    tx.gso_size = 1461;
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -EMSGSIZE); /* each segment too long */
    tx.gso_size = 1460;
    tx.text = view_of(text, 0, 65536 - 40);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -EMSGSIZE); /* for the total length field */
    bed.link.base.caps.gso_max = 2919;
    tx.text = view_of(text, 2920, 2920);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -EMSGSIZE);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_too_long), 5);
}
END_TEST

START_TEST(no_route_is_said_and_counted)
{
    struct ip_tx tx = segment();

    tx.dst = addr_of("8.8.8.8");
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -ENETUNREACH);
    tx.dst = addr_of("10.0.0.255");
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -ENETUNREACH);
    tx.dst = addr_of("2001:db8::1");
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -ENETUNREACH);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_no_route), 3);
}
END_TEST

/* --- the batch -------------------------------------------------------------------------------- */

START_TEST(batch_goes_when_full_and_at_close)
{
    struct ip_tx tx = segment();

    ip_output_open(&bed.ip);
    for (int i = 0; i < 70; i++) {
        tx.header[1] = (uint8_t)i;
        ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    }
    ck_assert_int_eq(bed.link.count, 64);
    ck_assert_int_eq(ip_output_close(&bed.ip), 70);
    ck_assert_int_eq(bed.link.batches, 3);
    for (int i = 0; i < 70; i++)
        ck_assert_int_eq(bed.link.frame[i].bytes[TCP_AT + 1], i);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_link_out],
                      70 + 1); /* and one ARP request before */
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

START_TEST(full_link_loses_the_rest)
{
    struct ip_tx tx = segment();

    bed.link.room = 3;
    ip_output_open(&bed.ip);
    for (int i = 0; i < 5; i++)
        ip_output(&bed.ip, &tx);
    ck_assert_int_eq(ip_output_close(&bed.ip), 3);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_link_full), 2);
    ip_output_open(&bed.ip);
    ip_output(&bed.ip, &tx);
    ck_assert_int_eq(ip_output_close(&bed.ip), 0);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_link_full), 3);
}
END_TEST

/* The interface has become narrower than it said. */
START_TEST(what_a_link_can_never_take_holds_nothing_else_up)
{
    static uint8_t text[1000];
    struct ip_tx tx = segment(), large = segment();

    large.text = view_of(text, 0, sizeof(text));
    bed.link.most = 600;
    ip_output_open(&bed.ip);
    for (int i = 0; i < 6; i++)
        ip_output(&bed.ip, i % 2 ? &tx : &large);
    ck_assert_int_eq(ip_output_close(&bed.ip), 3);
    ck_assert_int_eq(bed.link.count, 3);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_link_full), 3);
}
END_TEST

START_TEST(each_interface_gets_its_own_frames)
{
    static struct fake_link second;
    struct tlsyn_addr us = addr_of("192.168.0.1"), any = addr_of("10.0.0.2");
    struct ip_tx near = segment(), far = segment();
    struct tlsyn_iface *iface;
    struct neighbour *n;

    fake_link_init(&second);
    ck_assert_int_eq(ip_iface_add(&bed.ip, &second.base, &iface), 0);
    ck_assert_int_eq(tlsyn_iface_address(iface, &us, 24), 0);
    far.src = us;
    far.dst = addr_of("192.168.0.2");
    n = neigh_resolve(&bed.ip.neigh, iface, &far.dst);
    neigh_learn(&bed.ip.neigh, iface, &far.dst, (const uint8_t[6]){2, 0, 0, 0, 0, 7},
                NEIGH_ANSWERED);
    ck_assert_int_eq(n->state, NEIGH_REACHABLE);
    ck_assert_ptr_null(neigh_find(&bed.ip.neigh, iface, &any)); /* entries are per interface */
    ip_bed_flush(&bed);
    fake_link_clear(&second);
    ip_output_open(&bed.ip);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(ip_output(&bed.ip, i % 3 ? &far : &near), 0);
    ck_assert_int_eq(ip_output_close(&bed.ip), 6);
    ck_assert_int_eq(bed.link.count, 2);
    ck_assert_int_eq(second.count, 4);
    for (int i = 0; i < second.count; i++)
        ck_assert_uint_eq(second.frame[i].bytes[5], 7);
    fake_link_clear(&second);
}
END_TEST

/* --- the reply queue -------------------------------------------------------------------------- */

START_TEST(outside_output_a_datagram_is_copied)
{
    uint8_t text[8] = "before", kept[8] = "before";
    struct ip_tx tx = segment();

    tx.text = view_of(text, 5, sizeof(text));
    ck_assert(!ip_output_is_due(&bed.ip));
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ck_assert(ip_output_is_due(&bed.ip));
    memset(text, 'x', sizeof(text));
    ck_assert_int_eq(bed.link.count, 0);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert(!ip_output_is_due(&bed.ip));
    ck_assert(checksum_is_right(0));
    ck_assert_mem_eq(bed.link.frame[0].bytes + TCP_AT + 20, kept, sizeof(kept));
}
END_TEST

START_TEST(replies_leave_before_what_follows)
{
    struct ip_tx tx = segment();

    tx.header[1] = 1;
    ip_output(&bed.ip, &tx);
    ip_output_open(&bed.ip);
    tx.header[1] = 2;
    ip_output(&bed.ip, &tx);
    ck_assert_int_eq(ip_output_close(&bed.ip), 2);
    ck_assert_uint_eq(bed.link.frame[0].bytes[TCP_AT + 1], 1);
    ck_assert_uint_eq(bed.link.frame[1].bytes[TCP_AT + 1], 2);
}
END_TEST

START_TEST(reply_queue_has_a_bound)
{
    struct ip_tx tx = segment();

    bed.cx.limits.reply_queue_bytes = 3 * (uint32_t)held_size(54);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -ENOBUFS);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_reply_queue_full), 1);
    ck_assert_int_eq(ip_bed_flush(&bed), 3);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
}
END_TEST

START_TEST(many_replies_leave_in_batches)
{
    struct ip_tx tx = segment();

    for (int i = 0; i < 100; i++) {
        tx.header[1] = (uint8_t)i;
        ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    }
    ck_assert_int_eq(ip_bed_flush(&bed), 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(bed.link.frame[i].bytes[TCP_AT + 1], i);
    ck_assert_uint_eq(bed.ip.out.reply.bytes, 0);
    ck_assert_uint_eq(bed.ip.out.spent.count, 0);
}
END_TEST

START_TEST(unresolved_text_is_copied_and_its_question_leaves_at_close)
{
    uint8_t text[8] = "before", kept[8] = "before";
    struct ip_tx tx = segment();

    tx.dst = addr_of("10.0.0.3");
    tx.text = view_of(text, 4, sizeof(text));
    ip_output_open(&bed.ip);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), IP_OUTPUT_WAITS);
    ck_assert_int_eq(ip_output_close(&bed.ip), 1); /* the ARP request */
    fake_link_clear(&bed.link);
    memset(text, 'x', sizeof(text));
    ip_bed_arp(&bed, ARP_REPLY, 3, "10.0.0.3", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert(checksum_is_right(0));
    ck_assert_mem_eq(bed.link.frame[0].bytes + TCP_AT + 20, kept, sizeof(kept));
    ck_assert_uint_eq(bed.link.frame[0].bytes[5], 3);
}
END_TEST

START_TEST(waiting_train_keeps_its_offload)
{
    static uint8_t text[5000];
    struct ip_tx tx = segment();

    bed.link.base.caps.csum = true;
    bed.link.base.caps.gso_max = 60000;
    tx.dst = addr_of("10.0.0.3");
    tx.gso_size = 1448;
    tx.text = view_of(text, 100, sizeof(text));
    ck_assert_int_eq(ip_output(&bed.ip, &tx), IP_OUTPUT_WAITS);
    ip_bed_flush(&bed);
    fake_link_clear(&bed.link);
    ip_bed_arp(&bed, ARP_REPLY, 3, "10.0.0.3", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert_uint_eq(bed.link.frame[0].as_sent.gso_size, 1448);
    ck_assert_uint_eq(bed.link.frame[0].as_sent.csum_start, 34);
    ck_assert_uint_eq(bed.link.frame[0].len, 5054);
}
END_TEST

START_TEST(no_memory_drops_the_copy)
{
    struct ip_tx tx = segment();

    test_memory_fail(&bed.memory, 1);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), -ENOMEM);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_no_memory), 1);
    ck_assert(!ip_output_is_due(&bed.ip));
}
END_TEST

START_TEST(what_still_waits_is_freed_with_the_layer)
{
    struct ip_tx tx = segment();

    ip_output(&bed.ip, &tx);
    tx.dst = addr_of("10.0.0.3");
    ip_output(&bed.ip, &tx);
    tx.dst = addr_of("10.0.0.4");
    ip_output(&bed.ip, &tx);
    ip_bed_arp(&bed, ARP_REPLY, 4, "10.0.0.4", "10.0.0.1");
    tlsyn_iface_announce(bed.iface);
    ip_bed_close(&bed); /* aborts if anything is left */
    ip_bed_open(&bed, 13);
}
END_TEST

/* --- traces ----------------------------------------------------------------------------------- */

struct tape {
    struct tlsyn_trace base;
    int seen[TLSYN_TRACE_COUNT];
    struct tlsyn_trace_record last[TLSYN_TRACE_COUNT];
};

static void record(struct tlsyn_trace *base, const struct tlsyn_trace_record *r)
{
    struct tape *tape = container_of(base, struct tape, base);

    tape->seen[r->event]++;
    tape->last[r->event] = *r;
}

START_TEST(trace_tells_what_passes)
{
    struct tape tape = {.base = {.emit = record, .mask = UINT64_MAX}};
    struct packet p = {.payload = "0123456789", .len = 10};
    struct ip_tx tx = segment();

    bed.cx.trace = &tape.base;
    ip_bed_packet(&bed, &p);
    ck_assert_int_eq(tape.seen[TLSYN_TRACE_link_rx], 1);
    ck_assert_int_eq(tape.last[TLSYN_TRACE_link_rx].field[0], 44);
    ck_assert_int_eq(tape.seen[TLSYN_TRACE_ip_rx], 1);
    ck_assert_int_eq(tape.last[TLSYN_TRACE_ip_rx].field[0], IP_PROTOCOL_TCP);
    ck_assert_int_eq(tape.last[TLSYN_TRACE_ip_rx].field[1], 10);
    ip_output(&bed.ip, &tx);
    ip_bed_flush(&bed);
    ck_assert_int_eq(tape.seen[TLSYN_TRACE_link_tx], 1);
    ck_assert_int_eq(tape.last[TLSYN_TRACE_link_tx].field[0], 54);
    tx.dst = addr_of("10.0.0.3");
    ip_output(&bed.ip, &tx);
    ck_assert_int_eq(tape.last[TLSYN_TRACE_neigh].field[0], NEIGH_INCOMPLETE);
    bed.cx.trace = NULL;
}
END_TEST

/* A tunnel's far end has no Ethernet address to ask for, and an IPv6 address nobody to be told to.
 *  */
START_TEST(a_point_to_point_link_is_asked_nothing)
{
    const struct tlsyn_link_caps caps = {
        .mtu = 1500, .hwaddr = {2, 0, 0, 0, 0, 1}, .point_to_point = true};
    static const uint8_t nobody[6];
    struct tlsyn_addr us = addr_of("10.0.0.1"), us6 = addr_of("fd77::1");
    struct ip_tx tx = segment();

    ip_bed_close(&bed);
    ip_bed_open_bare(&bed, 13, &caps);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &us, 24), 0);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &us6, 64), 0);
    ck_assert_int_eq(tlsyn_iface_address_state(bed.iface, &us6), TLSYN_ADDRESS_PREFERRED);
    ck_assert_int_eq(tlsyn_iface_probe(bed.iface, &tx.dst), -EOPNOTSUPP);
    tlsyn_iface_announce(bed.iface);
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    tx.src = us6;
    tx.dst = addr_of("fd77::2");
    ck_assert_int_eq(ip_output(&bed.ip, &tx), 0);
    ip_bed_advance(&bed, TLSYN_SECONDS(10));
    ip_bed_flush(&bed);
    ck_assert_int_eq(bed.link.count, 2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(memcmp(bed.link.frame[i].bytes, nobody, 6), 0);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip_out], 1);
}
END_TEST

Suite *ip_output_suite(void);

Suite *ip_output_suite(void)
{
    Suite *suite = suite_create("ip_output");
    TCase *tc = tcase_create("ip_output");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, frame_is_the_one_that_libnet_builds);
    tcase_add_test(tc, text_is_sent_from_where_it_lies);
    tcase_add_loop_test(tc, checksum_is_right_however_the_text_is_cut, 0, 10);
    tcase_add_test(tc, link_with_offload_gets_the_pseudo_header_sum);
    tcase_add_test(tc, train_for_a_link_that_segments);
    tcase_add_test(tc, what_does_not_fit_is_refused);
    tcase_add_test(tc, no_route_is_said_and_counted);
    tcase_add_test(tc, batch_goes_when_full_and_at_close);
    tcase_add_test(tc, full_link_loses_the_rest);
    tcase_add_test(tc, what_a_link_can_never_take_holds_nothing_else_up);
    tcase_add_test(tc, each_interface_gets_its_own_frames);
    tcase_add_test(tc, outside_output_a_datagram_is_copied);
    tcase_add_test(tc, replies_leave_before_what_follows);
    tcase_add_test(tc, reply_queue_has_a_bound);
    tcase_add_test(tc, many_replies_leave_in_batches);
    tcase_add_test(tc, unresolved_text_is_copied_and_its_question_leaves_at_close);
    tcase_add_test(tc, waiting_train_keeps_its_offload);
    tcase_add_test(tc, no_memory_drops_the_copy);
    tcase_add_test(tc, what_still_waits_is_freed_with_the_layer);
    tcase_add_test(tc, trace_tells_what_passes);
    tcase_add_test(tc, a_point_to_point_link_is_asked_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}
