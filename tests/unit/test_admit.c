/*
 * The verdict on a SYN's payload, each one, and what it takes from the budgets.
 */
#include "support/peer.h"
#include "tcp/admit.h"

struct bed {
    struct tcp_test *t;
    struct tcp_ends ends;
    struct wire_tcp syn;
};

static struct bed open_bed(void)
{
    struct bed b = {.t = TCP_TEST(.open = true, .cookies = true),
                    .ends = {.remote = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 2}),
                             .local = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 1})},
                    .syn = {.flags = TCP_SYN, .text_len = 300}};

    b.syn.options.has_fastopen = true;
    return b;
}

static enum tcp_admission verdict(struct bed *b)
{
    const struct tcp_ask ask = {
        .ends = b->ends, .syn = &b->syn, .segment_len = b->syn.text_len + 40};

    return tcp_admit(b->t->listener, &ask);
}

START_TEST(each_kind_of_syn_has_its_verdict)
{
    struct bed b = open_bed();
    struct tlsyn_listen_options *allowed = &b.t->listener->options;

    ck_assert_int_eq(verdict(&b), TCP_ADMIT_OPEN_AND_CALM);
    allowed->open = false;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_NOT_ENABLED);
    b.syn.options.cookie_len = TCP_COOKIE_LEN;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_BAD_COOKIE);
    tcp_cookie_make(b.t->listener, &b.ends, b.syn.options.cookie);
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_VALID_COOKIE);
    allowed->cookies = false;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_NOT_ENABLED);
    b.syn.options.has_fastopen = false;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_TEXT_WITHOUT_OPTION);
    allowed->paper = true;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_TEXT_WITHOUT_OPTION);
    b.syn.text_len = 1024;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_PAPER_LENGTH);
    b.syn.text_len = 0;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_NO_TEXT);
    tcp_test_close(b.t);
}
END_TEST

/* R7413-2 */
START_TEST(a_cookie_is_for_one_address_and_of_one_length)
{
    struct bed b = open_bed();

    b.syn.options.cookie_len = TCP_COOKIE_LEN;
    tcp_cookie_make(b.t->listener, &b.ends, b.syn.options.cookie);
    b.ends.remote.byte[15] ^= 1;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_BAD_COOKIE);
    b.ends.remote.byte[15] ^= 1;
    b.syn.options.cookie_len = 4;
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_BAD_COOKIE);
    tcp_test_close(b.t);
}
END_TEST

START_TEST(the_budget_is_for_those_without_cookie)
{
    struct bed b = open_bed();

    budget_init(&b.t->tcp->embeds, 1, 1, b.t->now);
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_OPEN_AND_CALM);
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_BUSY_COOKIE_REQUIRED);
    b.syn.options.cookie_len = TCP_COOKIE_LEN;
    tcp_cookie_make(b.t->listener, &b.ends, b.syn.options.cookie);
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_VALID_COOKIE);
    tcp_test_close(b.t);
}
END_TEST

START_TEST(refusals_name_no_level)
{
    for (int v = 0; v < TCP_ADMISSIONS; v++) {
        bool admitted = v == TCP_ADMIT_VALID_COOKIE || v == TCP_ADMIT_OLD_COOKIE ||
                        v == TCP_ADMIT_OPEN_AND_CALM || v == TCP_ADMIT_PAPER_LENGTH;
        ck_assert_int_eq(tcp_admission_level((enum tcp_admission)v) != TLSYN_LEVEL_NONE, admitted);
    }
}
END_TEST

/* Cookies that Linux 6.1 was seen to give with this tcp_fastopen_key. */
START_TEST(a_shared_key_makes_linuxs_cookies)
{
    static const uint8_t keys[2][TLSYN_COOKIE_KEY] = {{0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2,
                                                       0xb2, 0xc3, 0xc3, 0xc3, 0xc3, 0xd4, 0xd4,
                                                       0xd4, 0xd4},
                                                      {1}};
    static const uint8_t cookie[] = {0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb};
    struct bed b = open_bed();

    b.ends.remote = tlsyn_addr_ip4((const uint8_t[]){192, 0, 2, 1});
    b.ends.local = tlsyn_addr_ip4((const uint8_t[]){192, 168, 0, 1});
    b.syn.options.cookie_len = TCP_COOKIE_LEN;
    memcpy(b.syn.options.cookie, cookie, sizeof(cookie));
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_BAD_COOKIE);
    tlsyn_listener_cookie_keys(b.t->listener, keys, 1);
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_VALID_COOKIE);
    tlsyn_listener_cookie_keys(b.t->listener, keys + 1, 1);
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_BAD_COOKIE);
    tcp_cookie_make(b.t->listener, &b.ends, b.syn.options.cookie); /* by the next key */
    tlsyn_listener_cookie_keys(b.t->listener, keys, 2);
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_OLD_COOKIE);
    advance(b.t, TLSYN_SECONDS(10 * 3600)); /* it does not wear out by itself */
    ck_assert_int_eq(verdict(&b), TCP_ADMIT_OLD_COOKIE);
    tcp_test_close(b.t);
}
END_TEST

Suite *admit_suite(void);

Suite *admit_suite(void)
{
    Suite *s = suite_create("admit");
    TCase *all = tcase_create("all");

    tcase_add_test(all, each_kind_of_syn_has_its_verdict);
    tcase_add_test(all, a_cookie_is_for_one_address_and_of_one_length);
    tcase_add_test(all, a_shared_key_makes_linuxs_cookies);
    tcase_add_test(all, the_budget_is_for_those_without_cookie);
    tcase_add_test(all, refusals_name_no_level);
    suite_add_tcase(s, all);
    return s;
}
