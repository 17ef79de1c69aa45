/*
 * test_dns.c: questions to the small zone and what it says: RFC 1035, 2308, 6891, 8020.
 */
#include <arpa/nameser.h>
#include <check.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "web/dns.h"

/* A question is written, and an answer read, by the resolver of the C library. */
struct asked {
    uint8_t query[600];
    size_t query_len;
    uint8_t octets[DNS_ANSWER_MAX];
    size_t len;
    ns_msg message;
    int code, answers, authorities;
};

static void zone_of_the_page(struct dns_zone *zone)
{
    const uint8_t ip6[16] = {0xfd, [15] = 1};

    ck_assert_int_eq(dns_zone_init(zone, "Page.test", 300), 0);
    ck_assert_int_eq(dns_zone_add(zone, "www.page.test", "\x0a\x4d\0\x02", 4), 0);
    ck_assert_int_eq(dns_zone_add(zone, "www.page.test.", ip6, 16), 0);
    ck_assert_int_eq(dns_zone_add(zone, "a.b.page.test", "\x0a\x4d\0\x03", 4), 0);
}

static void write_query(struct asked *a, const char *name, int class, int type)
{
    int n = res_mkquery(ns_o_query, name, class, type, NULL, 0, NULL, a->query, 512);

    ck_assert_int_gt(n, 0);
    a->query_len = (size_t)n;
}

static void send_query(const struct dns_zone *zone, struct asked *a)
{
    a->len = dns_answer(zone, a->query, a->query_len, a->octets);
    ck_assert_uint_gt(a->len, 0);
    ck_assert_int_eq(ns_initparse(a->octets, (int)a->len, &a->message), 0);
    ck_assert_uint_eq(ns_msg_id(a->message), (unsigned)(a->query[0] << 8 | a->query[1]));
    ck_assert(ns_msg_getflag(a->message, ns_f_qr));
    a->code = ns_msg_getflag(a->message, ns_f_rcode);
    a->answers = ns_msg_count(a->message, ns_s_an);
    a->authorities = ns_msg_count(a->message, ns_s_ns);
}

static void ask(const struct dns_zone *zone, struct asked *a, const char *name, int type)
{
    write_query(a, name, ns_c_in, type);
    send_query(zone, a);
}

/* OPT, of a version, with so many octets of options; and it counts. */
static void add_opt(struct asked *a, uint8_t version, uint8_t data)
{
    uint8_t *at = a->query + a->query_len;
    const uint8_t opt[] = {0, 0, ns_t_opt, 4, 208, 0, version, 0, 0, 0, data};

    memcpy(at, opt, sizeof(opt));
    memset(at + sizeof(opt), 0, data);
    a->query_len += sizeof(opt) + data;
    a->query[11]++;
}

START_TEST(addresses_are_told_with_authority)
{
    struct dns_zone zone;
    struct asked a;
    ns_rr rr;

    zone_of_the_page(&zone);
    ask(&zone, &a, "wWw.page.TEST", ns_t_a);
    ck_assert(a.code == ns_r_noerror && a.answers == 1 && a.authorities == 0);
    ck_assert(ns_msg_getflag(a.message, ns_f_aa) && !ns_msg_getflag(a.message, ns_f_ra));
    ck_assert_int_eq(ns_parserr(&a.message, ns_s_an, 0, &rr), 0);
    ck_assert_str_eq(ns_rr_name(rr), "wWw.page.TEST"); /* as asked */
    ck_assert_uint_eq(ns_rr_ttl(rr), 300);
    ck_assert(ns_rr_type(rr) == ns_t_a && ns_rr_rdlen(rr) == 4);
    ck_assert_mem_eq(ns_rr_rdata(rr), "\x0a\x4d\0\x02", 4);

    ask(&zone, &a, "www.page.test", ns_t_aaaa);
    ck_assert(a.code == ns_r_noerror && a.answers == 1);
    ck_assert_int_eq(ns_parserr(&a.message, ns_s_an, 0, &rr), 0);
    ck_assert(ns_rr_type(rr) == ns_t_aaaa && ns_rr_rdlen(rr) == 16 && ns_rr_rdata(rr)[15] == 1);

    ask(&zone, &a, "www.page.test", ns_t_any);
    ck_assert(a.code == ns_r_noerror && a.answers == 2);
    ck_assert_int_eq(dns_zone_add(&zone, "WWW.page.test", "\x0a\x4d\0\x09", 4), 0);
    ask(&zone, &a, "www.page.test", ns_t_a); /* a new address takes the old one's place */
    ck_assert_int_eq(a.answers, 1);
    ck_assert_int_eq(ns_parserr(&a.message, ns_s_an, 0, &rr), 0);
    ck_assert_mem_eq(ns_rr_rdata(rr), "\x0a\x4d\0\x09", 4);
}
END_TEST

/* Whether the authority section is the zone's SOA, with a minimum of 300. */
static bool tells_soa(struct asked *a)
{
    ns_rr rr;

    if (a->authorities != 1 || ns_parserr(&a->message, ns_s_ns, 0, &rr) != 0)
        return false;
    return ns_rr_type(rr) == ns_t_soa && strcasecmp(ns_rr_name(rr), "page.test") == 0 &&
           ns_get32(ns_rr_rdata(rr) + ns_rr_rdlen(rr) - 4) == 300;
}

START_TEST(what_is_not_there_is_told_apart)
{
    static const struct {
        const char *name;
        int type, code;
        bool soa;
    } cases[] = {
        {"images.page.test", ns_t_a, ns_r_nxdomain, true},
        {"a.b.page.test", ns_t_aaaa, ns_r_noerror, true}, /* no such address */
        {"www.page.test", ns_t_mx, ns_r_noerror, true},
        {"b.page.test", ns_t_a, ns_r_noerror, true}, /* somebody stands below it */
        {"page.test", ns_t_a, ns_r_noerror, true},
        {"test", ns_t_a, ns_r_refused, false},
        {"www.page.test.org", ns_t_a, ns_r_refused, false},
        {"nopage.test", ns_t_a, ns_r_refused, false},
    };
    struct dns_zone zone;
    struct asked a;

    zone_of_the_page(&zone);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask(&zone, &a, cases[i].name, cases[i].type);
        ck_assert_msg(a.code == cases[i].code && a.answers == 0, "%s: %d", cases[i].name, a.code);
        ck_assert_msg(tells_soa(&a) == cases[i].soa, "%s", cases[i].name);
        ck_assert_int_eq(ns_msg_getflag(a.message, ns_f_aa), cases[i].soa);
    }
    ask(&zone, &a, "page.test", ns_t_soa);
    ck_assert(a.code == ns_r_noerror && a.answers == 1);
    write_query(&a, "www.page.test", ns_c_chaos, ns_t_a);
    send_query(&zone, &a);
    ck_assert_int_eq(a.code, ns_r_refused);
}
END_TEST

START_TEST(of_the_root_is_every_name)
{
    struct dns_zone zone;
    struct asked a;

    ck_assert_int_eq(dns_zone_init(&zone, "", 60), 0);
    ck_assert_int_eq(dns_zone_add(&zone, "cdn.example", "\x0a\0\0\x01", 4), 0);
    ask(&zone, &a, "cdn.example", ns_t_a);
    ck_assert(a.code == ns_r_noerror && a.answers == 1);
    ask(&zone, &a, "example.org", ns_t_a);
    ck_assert(a.code == ns_r_nxdomain && a.authorities == 1);
    ask(&zone, &a, ".", ns_t_soa);
    ck_assert(a.code == ns_r_noerror && a.answers == 1);
}
END_TEST

START_TEST(edns_is_answered_in_kind)
{
    struct dns_zone zone;
    struct asked a;
    ns_rr rr;

    zone_of_the_page(&zone);
    write_query(&a, "www.page.test", ns_c_in, ns_t_a);
    add_opt(&a, 0, 12); /* an option that nobody knows is passed over (RFC 6891 6.1.2) */
    send_query(&zone, &a);
    ck_assert(a.code == ns_r_noerror && a.answers == 1);
    ck_assert_int_eq(ns_msg_count(a.message, ns_s_ar), 1);
    ck_assert_int_eq(ns_parserr(&a.message, ns_s_ar, 0, &rr), 0);
    ck_assert(ns_rr_type(rr) == ns_t_opt && ns_rr_ttl(rr) == 0);

    write_query(&a, "www.page.test", ns_c_in, ns_t_a);
    add_opt(&a, 1, 0);
    send_query(&zone, &a);
    ck_assert(a.code == 0 && a.answers == 0);
    ck_assert_int_eq(ns_parserr(&a.message, ns_s_ar, 0, &rr), 0);
    ck_assert_uint_eq(ns_rr_ttl(rr) >> 24, 1); /* BADVERS */

    write_query(&a, "www.page.test", ns_c_in, ns_t_a);
    add_opt(&a, 0, 0);
    add_opt(&a, 0, 0);
    send_query(&zone, &a);
    ck_assert_int_eq(a.code, ns_r_formerr);
}
END_TEST

/* Query with octets at `at` replaced; the response's code. */
static int ask_broken(const struct dns_zone *zone, size_t at, const char *octets, size_t len)
{
    struct asked a;

    write_query(&a, "www.page.test", ns_c_in, ns_t_a);
    memcpy(a.query + at, octets, len);
    send_query(zone, &a);
    ck_assert_int_eq(a.answers, 0);
    return a.code;
}

START_TEST(what_is_no_question_is_refused_or_passed_over)
{
    struct dns_zone zone;
    struct asked a;

    zone_of_the_page(&zone);
    ck_assert_int_eq(ask_broken(&zone, 2, "\x28", 1), ns_r_notimpl);      /* UPDATE */
    ck_assert_int_eq(ask_broken(&zone, 4, "\0\x02", 2), ns_r_formerr);    /* two questions */
    ck_assert_int_eq(ask_broken(&zone, 4, "\0\0", 2), ns_r_formerr);      /* none */
    ck_assert_int_eq(ask_broken(&zone, 6, "\0\x01", 2), ns_r_formerr);    /* an answer in it */
    ck_assert_int_eq(ask_broken(&zone, 10, "\xff\xff", 2), ns_r_formerr); /* records missing */
    ck_assert_int_eq(ask_broken(&zone, 12, "\xc0\x0c", 2), ns_r_formerr); /* a name in itself */
    ck_assert_int_eq(ask_broken(&zone, 12, "\x40", 1), ns_r_formerr);
    ck_assert_int_eq(ask_broken(&zone, 12, "\x3f", 1), ns_r_formerr); /* a label that leads out */

    write_query(&a, "www.page.test", ns_c_in, ns_t_a);
    for (size_t len = 12; len < a.query_len; len++) {
        ck_assert_uint_gt(dns_answer(&zone, a.query, len, a.octets), 0);
        ck_assert_int_eq(a.octets[3] & 0xf, ns_r_formerr);
    }
    for (size_t len = 0; len < 12; len++)
        ck_assert_uint_eq(dns_answer(&zone, a.query, len, a.octets), 0);
    a.query[2] |= 0x80; /* a response: two servers would not stop */
    ck_assert_uint_eq(dns_answer(&zone, a.query, a.query_len, a.octets), 0);
}
END_TEST

START_TEST(the_longest_of_names_fit)
{
    struct dns_zone zone;
    struct asked a;
    char name[256] = "";
    char child[256];

    for (int i = 0; i < 124; i++)
        memcpy(name + 2 * i, "a.", 3);
    (void)snprintf(child, sizeof(child), "bb.%s", name); /* 3 + 248 octets and the root's */
    ck_assert_int_eq(dns_zone_init(&zone, name, 60), 0);
    ck_assert_int_eq(dns_zone_add(&zone, name, "\x0a\0\0\x01", 4), 0);
    ck_assert_int_eq(dns_zone_add(&zone, name, "0123456789abcdef", 16), 0);
    write_query(&a, name, ns_c_in, ns_t_any);
    add_opt(&a, 0, 0);
    send_query(&zone, &a);
    ck_assert(a.code == ns_r_noerror && a.answers == 3);
    ask(&zone, &a, child, ns_t_a);
    ck_assert(a.code == ns_r_nxdomain && a.authorities == 1);
}
END_TEST

START_TEST(a_zone_has_bounds)
{
    struct dns_zone zone;
    char name[300];

    zone_of_the_page(&zone);
    ck_assert_int_eq(dns_zone_add(&zone, "www.other.test", "\x0a\0\0\x01", 4), -EINVAL);
    ck_assert_int_eq(dns_zone_add(&zone, "www..page.test", "\x0a\0\0\x01", 4), -EINVAL);
    ck_assert_int_eq(dns_zone_add(&zone, "www.page.test", "12345", 5), -EINVAL);
    memset(name, 'a', 64);
    memcpy(name + 64, ".page.test", 11);
    ck_assert_int_eq(dns_zone_add(&zone, name, "\x0a\0\0\x01", 4), -EINVAL);
    ck_assert_int_eq(dns_zone_add(&zone, name + 1, "\x0a\0\0\x01", 4), 0);
    for (int i = zone.hosts; i < DNS_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "n%d.page.test", i);
        ck_assert_int_eq(dns_zone_add(&zone, name, "\x0a\0\0\x01", 4), 0);
    }
    ck_assert_int_eq(dns_zone_add(&zone, "onemore.page.test", "\x0a\0\0\x01", 4), -ENOSPC);
    for (int i = 0; i < 127; i++)
        memcpy(name + 2 * i, "a.", 3);
    ck_assert_int_eq(dns_zone_init(&zone, name, 60), 0);
    memcpy(name + 2 * 127, "a.", 3);
    ck_assert_int_eq(dns_zone_init(&zone, name, 60), -EINVAL);
}
END_TEST

Suite *dns_suite(void);

Suite *dns_suite(void)
{
    Suite *suite = suite_create("dns");
    TCase *tc = tcase_create("zone");

    tcase_add_test(tc, addresses_are_told_with_authority);
    tcase_add_test(tc, what_is_not_there_is_told_apart);
    tcase_add_test(tc, of_the_root_is_every_name);
    tcase_add_test(tc, edns_is_answered_in_kind);
    tcase_add_test(tc, what_is_no_question_is_refused_or_passed_over);
    tcase_add_test(tc, the_longest_of_names_fit);
    tcase_add_test(tc, a_zone_has_bounds);
    suite_add_tcase(suite, tc);
    return suite;
}
