/* wire/tcp against libnet: header, options, text and checksum. */
#include <errno.h>

#include "core/random.h"
#include "support/holds.h"
#include "support/reference.h"
#include "wire/checksum.h"
#include "wire/tcp.h"

static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {192, 168, 3, 4};

#define TCP_AT (14 + 20)

/** A segment with the options' octets, as many as a multiple of four. */
static void build(struct reference *r, const struct wire_tcp *tcp, const uint8_t *options,
                  uint32_t options_len, const char *text)
{
    uint16_t len = (uint16_t)(TCP_HEADER_LEN + options_len + strlen(text));

    reference_open(r);
    if (options_len)
        libnet_build_tcp_options(options, options_len, r->net, 0);
    libnet_build_tcp(tcp->src_port, tcp->dst_port, tcp->seq, tcp->ack, tcp->flags, tcp->wnd, 0,
                     tcp->urg, len, (const uint8_t *)text, (uint32_t)strlen(text), r->net, 0);
    libnet_build_ipv4((uint16_t)(20 + len), 0, 1, 0x4000, 64, 6, 0, reference_ip4(src),
                      reference_ip4(dst), NULL, 0, r->net, 0);
    libnet_build_ethernet(src, dst, 0x0800, NULL, 0, r->net, 0);
    reference_cull(r);
}

/** Fixed fields, text; then our header in place of libnet's must be the same, checksum and all. */
static void assert_agrees(const struct reference *r, const struct wire_tcp *want, const char *text)
{
    struct tlsyn_addr from = tlsyn_addr_ip4(src), to = tlsyn_addr_ip4(dst);
    uint8_t bytes[TCP_HEADER_MAX];
    struct checksum sum = {0};
    struct wire_tcp tcp;
    uint16_t field;
    int len;

    ck_assert_int_eq(wire_tcp_parse(r->packet + TCP_AT, r->len - TCP_AT, &tcp), 0);
    ck_assert_uint_eq(tcp.src_port, want->src_port);
    ck_assert_uint_eq(tcp.dst_port, want->dst_port);
    ck_assert_uint_eq(tcp.seq, want->seq);
    ck_assert_uint_eq(tcp.ack, want->ack);
    ck_assert_uint_eq(tcp.flags, want->flags);
    ck_assert_uint_eq(tcp.wnd, want->wnd);
    ck_assert_uint_eq(tcp.urg, want->urg);
    ck_assert_uint_eq(tcp.text_len, strlen(text));
    if (tcp.text_len)
        ck_assert_mem_eq(tcp.text, text, tcp.text_len);
    ck_assert_mem_eq(&tcp.options, &want->options, sizeof(tcp.options));

    len = wire_tcp_emit(want, bytes, sizeof(bytes));
    ck_assert_int_eq(len + (int)strlen(text), (int)r->len - TCP_AT);
    checksum_pseudo(&sum, &from, &to, 6, r->len - TCP_AT);
    checksum_add(&sum, bytes, (size_t)len);
    checksum_add(&sum, text, strlen(text));
    field = checksum_finish(&sum);
    bytes[TCP_CHECKSUM_OFFSET] = (uint8_t)(field >> 8);
    bytes[TCP_CHECKSUM_OFFSET + 1] = (uint8_t)field;
    ck_assert_mem_eq(bytes, r->packet + TCP_AT, (size_t)len);
}

START_TEST(a_bare_segment_agrees_with_libnet)
{
    struct wire_tcp tcp = {.src_port = 1234,
                           .dst_port = 443,
                           .seq = 0xfffffffe,
                           .ack = 0x80000001,
                           .flags = (uint8_t)(1 << _i),
                           .wnd = 0xfffe,
                           .urg = 0x1234};
    struct reference r;

    build(&r, &tcp, NULL, 0, "odd text!");
    assert_agrees(&r, &tcp, "odd text!");
    reference_close(&r);
}
END_TEST

START_TEST(a_syn_agrees_with_libnet)
{
    static const uint8_t options[] = {2, 4, 0x05, 0xb4, 4,  2,  8, 10, 0, 0, 1, 0, 0, 0, 0, 0,
                                      1, 3, 3,    8,    34, 10, 1, 2,  3, 4, 5, 6, 7, 8, 1, 1};
    struct wire_tcp tcp = {.src_port = 40000,
                           .dst_port = 443,
                           .seq = 1000,
                           .flags = TCP_SYN,
                           .wnd = 64240,
                           .options = {.mss = 1460,
                                       .sack_permitted = true,
                                       .has_ts = true,
                                       .tsval = 256,
                                       .has_wscale = true,
                                       .wscale = 8,
                                       .has_fastopen = true,
                                       .cookie_len = 8,
                                       .cookie = {1, 2, 3, 4, 5, 6, 7, 8}}};
    struct reference r;

    build(&r, &tcp, options, sizeof(options), "a ClientHello");
    assert_agrees(&r, &tcp, "a ClientHello");
    reference_close(&r);
}
END_TEST

START_TEST(an_ack_with_sack_agrees_with_libnet)
{
    static const uint8_t options[] = {1, 1, 8,    10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,
                                      7, 1, 1,    5,  18,   0,    0,    1,    0, 0, 0,
                                      2, 0, 0xff, 0,  0,    0,    0,    0,    0, 1};
    struct wire_tcp tcp = {.src_port = 1,
                           .dst_port = 2,
                           .flags = TCP_ACK,
                           .options = {.has_ts = true,
                                       .tsval = 0xffffffff,
                                       .tsecr = 7,
                                       .sack_count = 2,
                                       .sack = {{0x100, 0x200}, {0xff000000, 1}}}};
    struct reference r;

    build(&r, &tcp, options, sizeof(options), "");
    assert_agrees(&r, &tcp, "");
    reference_close(&r);
}
END_TEST

START_TEST(lengths_that_lie_are_refused)
{
    uint8_t bytes[64] = {[12] = 0x50};
    struct wire_tcp tcp;

    for (size_t len = 0; len < 20; len++)
        ck_assert_int_eq(wire_tcp_parse(bytes, len, &tcp), -EMSGSIZE);
    ck_assert_int_eq(wire_tcp_parse(bytes, 20, &tcp), 0);
    ck_assert_uint_eq(tcp.text_len, 0);
    for (uint8_t words = 0; words < 16; words++) {
        bytes[12] = (uint8_t)(words << 4);
        ck_assert_int_eq(wire_tcp_parse(bytes, 40, &tcp),
                         words >= 5 && words <= 10 ? 0 : -EMSGSIZE);
    }
    bytes[12] = 0x60;
    bytes[20] = 2;
    bytes[21] = 3;
    ck_assert_int_eq(wire_tcp_parse(bytes, 40, &tcp), -EBADMSG);
}
END_TEST

START_TEST(too_little_room_is_refused)
{
    struct wire_tcp tcp = {.options = {.mss = 1}};
    uint8_t bytes[TCP_HEADER_MAX];

    for (size_t room = 0; room < 24; room++)
        ck_assert_int_eq(wire_tcp_emit(&tcp, bytes, room), -ENOSPC);
    ck_assert_int_eq(wire_tcp_emit(&tcp, bytes, 24), 24);
    tcp.options = (struct tcp_options){.has_ts = true, .sack_count = 4};
    ck_assert_int_eq(wire_tcp_emit(&tcp, bytes, sizeof(bytes)), -ENOSPC);
}
END_TEST

START_TEST(what_is_emitted_is_parsed)
{
    struct random_seeded random;

    random_seed(&random, 8);
    for (int round = 0; round < 5000; round++) {
        uint8_t bytes[TCP_HEADER_MAX + 100];
        struct wire_tcp tcp = {.src_port = (uint16_t)random_u32(&random.base),
                               .dst_port = (uint16_t)random_u32(&random.base),
                               .seq = random_u32(&random.base),
                               .ack = random_u32(&random.base),
                               .flags = (uint8_t)random_u32(&random.base),
                               .wnd = (uint16_t)random_u32(&random.base),
                               .urg = (uint16_t)random_u32(&random.base)},
                        back;
        size_t text_len = random_below(&random.base, 100);
        int len = wire_tcp_emit(&tcp, bytes, sizeof(bytes));

        HOLDS(len == TCP_HEADER_LEN);
        HOLDS(wire_tcp_parse(bytes, (size_t)len + text_len, &back) == 0);
        HOLDS(back.text == bytes + len && back.text_len == text_len);
        HOLDS(back.src_port == tcp.src_port && back.dst_port == tcp.dst_port);
        HOLDS(back.seq == tcp.seq && back.ack == tcp.ack && back.flags == tcp.flags);
        HOLDS(back.wnd == tcp.wnd && back.urg == tcp.urg);
        HOLDS(memcmp(&back.options, &tcp.options, sizeof(tcp.options)) == 0);
    }
}
END_TEST

Suite *tcp_wire_suite(void);

Suite *tcp_wire_suite(void)
{
    Suite *suite = suite_create("tcp_wire");
    TCase *tc = tcase_create("tcp_wire");

    tcase_add_loop_test(tc, a_bare_segment_agrees_with_libnet, 0, 8);
    tcase_add_test(tc, a_syn_agrees_with_libnet);
    tcase_add_test(tc, an_ack_with_sack_agrees_with_libnet);
    tcase_add_test(tc, lengths_that_lie_are_refused);
    tcase_add_test(tc, too_little_room_is_refused);
    tcase_add_test(tc, what_is_emitted_is_parsed);
    suite_add_tcase(suite, tc);
    return suite;
}
