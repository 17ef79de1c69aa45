/*
 * Forged SYNs are what our own parsers, checksums included, take for SYNs.
 */
#include <check.h>
#include <string.h>

#include "ip/ip.h"
#include "study/flood/forge.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

static const uint8_t hello[] = "a ClientHello of an odd length!";

static struct forge forged(uint8_t cookie_len)
{
    struct forge f = {.from_hw = {2, 0, 0, 0, 0, 1},
                      .to_hw = {2, 0, 0, 0, 0, 2},
                      .to = 0x0a4d0002,
                      .to_port = 443,
                      .text = hello,
                      .text_len = sizeof(hello) - 1,
                      .cookie_len = cookie_len};

    memset(f.cookie, 0xc0, sizeof(f.cookie));
    return f;
}

START_TEST(a_forged_syn_is_a_syn) /* loop: length of the cookie */
{
    static const uint8_t lengths[] = {0, 8, 6, 16};
    struct forge f = forged(lengths[_i]);
    uint8_t frame[FORGE_FRAME_MAX];
    struct wire_ether ether;
    struct wire_ip4 ip;
    struct wire_tcp tcp;
    struct checksum sum = {0};
    size_t len = forge_syn(&f, FORGE_SOURCE + 77, 1234, 0x89abcdef, frame);

    ck_assert_int_eq(wire_ether_parse(frame, len, &ether), 0);
    ck_assert_uint_eq(ether.type, ETHER_TYPE_IP4);
    ck_assert_int_eq(wire_ip4_parse(frame + ETHER_HEADER_LEN, len - ETHER_HEADER_LEN, &ip), 0);
    checksum_add(&sum, frame + ETHER_HEADER_LEN, 20);
    ck_assert(checksum_good(&sum));
    size_t segment = len - ETHER_HEADER_LEN - 20;
    ck_assert_int_eq(wire_tcp_parse(frame + ETHER_HEADER_LEN + 20, segment, &tcp), 0);
    ck_assert_uint_eq(tcp.flags, TCP_SYN);
    ck_assert_uint_eq(tcp.seq, 0x89abcdef);
    ck_assert_uint_eq(tcp.dst_port, 443);
    ck_assert_uint_eq(tcp.text_len, f.text_len);
    ck_assert_mem_eq(tcp.text, hello, f.text_len);
    ck_assert(tcp.options.has_fastopen && tcp.options.has_ts && tcp.options.sack_permitted);
    ck_assert_uint_eq(tcp.options.cookie_len, lengths[_i]);
    ck_assert_uint_eq(tcp.options.mss, 1460);
    sum = (struct checksum){0};
    checksum_pseudo(&sum, &ip.src, &ip.dst, IP_PROTOCOL_TCP, (uint32_t)segment);
    checksum_add(&sum, frame + ETHER_HEADER_LEN + 20, segment);
    ck_assert(checksum_good(&sum));
}
END_TEST

START_TEST(a_cookie_is_found_in_a_syn_ack_alone)
{
    struct forge f = forged(8);
    uint8_t frame[FORGE_FRAME_MAX];
    const uint8_t *cookie = NULL;
    size_t len = forge_syn(&f, 1, 1234, 5, frame);

    ck_assert_uint_eq(forge_find_cookie(frame, len, f.to, &cookie), 0);
    frame[ETHER_HEADER_LEN + 20 + 13] = TCP_SYN | TCP_ACK;
    ck_assert_uint_eq(forge_find_cookie(frame, len, f.to, &cookie), 8);
    ck_assert_mem_eq(cookie, f.cookie, 8);
    ck_assert_uint_eq(forge_find_cookie(frame, len, f.to + 1, &cookie), 0);
    for (size_t cut = 0; cut < ETHER_HEADER_LEN + 20 + 20 + 20; cut++)
        ck_assert_uint_eq(forge_find_cookie(frame, cut, f.to, &cookie), 0);
    frame[ETHER_HEADER_LEN + 20 + 20 + 1] = 0; /* an option of no length */
    ck_assert_uint_eq(forge_find_cookie(frame, len, f.to, &cookie), 0);
}
END_TEST

Suite *forge_suite(void);

Suite *forge_suite(void)
{
    Suite *s = suite_create("forge");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, a_forged_syn_is_a_syn, 0, 4);
    tcase_add_test(all, a_cookie_is_found_in_a_syn_ack_alone);
    suite_add_tcase(s, all);
    return s;
}
