/*
 * web/har: what a browser recorded becomes a page: kinds, servers, who names whom; and what is no
 * page is refused with a sentence.
 */
#include "web/har.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "study/pageload/browser.h"
#include "web/site.h"

Suite *har_suite(void);

static struct page page;
static struct har_count count;
static char message[HAR_MESSAGE_MAX];
static char archive[1 << 20];
static size_t len;

static void begin(void)
{
    len = (size_t)snprintf(archive, sizeof(archive), "{\"log\":{\"version\":\"1.2\",\"entries\":[");
}

/* `from`: of a header Referer; "*URL": of an initiator. `to`: of a redirection. */
static void entry(const char *url, const char *type, const char *from, const char *to)
{
    const char *initiator = from[0] == '*' ? from + 1 : "";

    len += (size_t)snprintf(
        archive + len, sizeof(archive) - len,
        "%s{\"request\":{\"method\":\"GET\",\"url\":\"%s\",\"headers\":[{\"name\":\"referer\","
        "\"value\":\"%s\"}]},\"response\":{\"status\":%d,\"redirectURL\":\"%s\",\"content\":{"
        "\"size\":%d,\"mimeType\":\"%s\"}},\"_initiator\":{\"type\":\"parser\",\"url\":\"%s\"}}",
        archive[len - 1] == '[' ? "" : ",", url, initiator[0] ? "" : from, to[0] ? 302 : 200, to,
        1234, type, initiator);
}

static int parse(void)
{
    len += (size_t)snprintf(archive + len, sizeof(archive) - len, "]}}");
    return har_parse(archive, len, &page, &count, message);
}

static void check_url(int i, enum page_kind kind, int host, int parent)
{
    ck_assert_int_eq(page.url[i].kind, kind);
    ck_assert_int_eq(page.url[i].host, host);
    ck_assert_int_eq(page.url[i].parent, parent);
}

START_TEST(a_recorded_page_becomes_a_graph)
{
    begin();
    entry("http://Shop.test/", "text/html; charset=utf-8", "", "");
    entry("https://shop.test/a.css", "text/css", "*https://shop.test/", "");
    entry("https://shop.test/bg.png", "image/png", "https://shop.test/a.css", "");
    entry("https://cdn.test/j.js", "application/javascript", "https://shop.test/", "");
    entry("https://cdn.test/late.png", "image/webp", "*https://cdn.test/j.js", "");
    entry("https://ads.test/r", "", "https://shop.test/", "/target.gif");
    entry("https://ads.test/target.gif", "image/gif", "https://shop.test/", "");
    entry("https://shop.test/frame", "text/html", "https://shop.test/#part", "");
    entry("https://shop.test/data", "application/json", "*https://shop.test/frame", "");
    entry("https://shop.test/a.css", "text/css", "https://shop.test/frame", "");
    ck_assert_int_eq(parse(), 0);
    ck_assert_int_eq(page.urls, 9);
    ck_assert_int_eq(page.hosts, 3);
    ck_assert_uint_eq(count.repeated, 1);
    ck_assert_str_eq(page.host[0].name, "shop.test");
    ck_assert_int_eq(page.host[0].dns, 0);
    ck_assert_int_eq(page.host[2].dns, 1);
    check_url(0, PAGE_HTML, 0, -1);
    check_url(1, PAGE_CSS, 0, 0);
    check_url(2, PAGE_IMAGE, 0, 1);
    check_url(3, PAGE_SCRIPT, 1, 0);
    check_url(4, PAGE_IMAGE, 1, 3);
    check_url(5, PAGE_REDIRECT, 2, 0);
    check_url(6, PAGE_IMAGE, 2, 5);
    check_url(7, PAGE_FRAME, 0, 0);
    check_url(8, PAGE_IMAGE, 0, 7);
    ck_assert_uint_eq(page.url[3].size, 1234);
    ck_assert_int_eq(page.url[2].position, page.url[1].position);
    ck_assert_int_eq(page.url[8].frame, 1);
}
END_TEST

START_TEST(it_is_loaded_and_served_like_any_page)
{
    const struct site_options options = {.port = 443};
    struct browser_load load;
    struct site *site = NULL;

    begin();
    entry("https://a.test/", "text/html", "", "");
    entry("https://a.test/s.css", "text/css", "https://a.test/", "");
    entry("https://a.test/i.png", "image/png", "https://a.test/s.css", "");
    entry("https://a.test/font.css", "text/css", "https://a.test/s.css", "");
    entry("https://a.test/x", "image/png", "https://a.test/i.png", "");
    entry("https://b.test/gone", "", "https://a.test/", "https://a.test/i.png");
    ck_assert_int_eq(parse(), 0);
    ck_assert_int_eq(page.url[3].parent, 0);
    ck_assert_int_eq(page.url[4].parent, 0);
    ck_assert_int_eq(page.url[5].kind, PAGE_IMAGE); /* it leads to what is there already */
    ck_assert_int_eq(
        browser_load_page(&page,
                          &(struct browser_kind){&browser_handshakes[0], BROWSER_UNOPTIMIZED,
                                                 BROWSER_HTTP_1, false},
                          &load),
        0);
    ck_assert_int_gt(load.round_trips, 6);
    ck_assert_int_eq(site_new(&page, &options, &site), 0);
    site_free(site);
}
END_TEST

START_TEST(what_is_no_get_over_http_is_left_out)
{
    begin();
    entry("https://a.test/old", "text/html", "", "https://a.test/");
    entry("https://a.test/", "text/html", "", "");
    entry("data:image/png;base64,AAAA", "image/png", "https://a.test/", "");
    entry("wss://a.test/socket", "", "https://a.test/", "");
    ck_assert_int_eq(parse(), 0);
    ck_assert_int_eq(page.urls, 1);
    ck_assert_uint_eq(count.entries, 4);
    ck_assert_uint_eq(count.left_out, 3);
}
END_TEST

static void refused(int error, const char *words)
{
    ck_assert_int_eq(har_parse(archive, len, &page, &count, message), error);
    ck_assert_msg(strstr(message, words), "%s", message);
}

START_TEST(what_is_broken_is_refused)
{
    len = (size_t)snprintf(archive, sizeof(archive), "{\"log\":{\"entries\":[{");
    refused(-EINVAL, "no HTTP Archive: line 1");
    len = (size_t)snprintf(archive, sizeof(archive), "{\"log\":{\"entries\":7}}");
    refused(-EINVAL, "\"entries\"");
    len = (size_t)snprintf(archive, sizeof(archive), "[]");
    refused(-EINVAL, "\"entries\"");
    len = (size_t)snprintf(archive, sizeof(archive), "{\"log\":{\"entries\":[7,{},[]]}}");
    refused(-EINVAL, "no page");
    len = 0;
    refused(-EINVAL, "no HTTP Archive");
    ck_assert_int_eq(har_parse(archive, HAR_BYTES_MAX + 1, &page, &count, message), -EFBIG);
    ck_assert_ptr_nonnull(strstr(message, "64 MiB"));
}
END_TEST

START_TEST(a_page_begins_with_its_document)
{
    begin();
    entry("https://a.test/i.png", "image/png", "", "");
    ck_assert_int_eq(parse(), -EINVAL);
    ck_assert_ptr_nonnull(strstr(message, "no HTML"));
}
END_TEST

static void many(bool servers, int n)
{
    begin();
    entry("https://main.test/", "text/html", "", "");
    for (int i = 0; i < n; i++) {
        char url[64];

        (void)snprintf(url, sizeof(url), servers ? "https://s%d.test/" : "https://main.test/%d", i);
        entry(url, "image/png", "https://main.test/", "");
    }
}

START_TEST(bounds_are_told)
{
    many(true, 1000);
    ck_assert_int_eq(parse(), -E2BIG);
    ck_assert_ptr_nonnull(strstr(message, "more than 32 servers"));
    many(false, 1000);
    ck_assert_int_eq(parse(), -E2BIG);
    ck_assert_ptr_nonnull(strstr(message, "more than 256 URLs"));
}
END_TEST

START_TEST(a_page_of_all_that_is_allowed_is_loaded)
{
    struct browser_load load;

    begin();
    entry("https://main.test/", "text/html", "", "");
    for (int i = 1; i < PAGE_URLS_MAX; i++) {
        char url[64];

        (void)snprintf(url, sizeof(url), "https://s%d.test/%d", i % (PAGE_HOSTS_MAX - 1), i);
        entry(url, i % 3 ? "image/png" : "text/javascript", "https://main.test/", "");
    }
    ck_assert_int_eq(parse(), 0);
    ck_assert_int_eq(page.urls, PAGE_URLS_MAX);
    ck_assert_int_eq(page.hosts, PAGE_HOSTS_MAX);
    for (int visit = 0; visit < BROWSER_VISITS; visit++)
        ck_assert_int_eq(browser_load_page(&page,
                                           &(struct browser_kind){&browser_handshakes[1],
                                                                  (enum browser_visit)visit,
                                                                  BROWSER_HTTP_1, false},
                                           &load),
                         0);
}
END_TEST

START_TEST(a_name_that_is_too_long_gets_another)
{
    char url[256];

    begin();
    entry("https://a.test/", "text/html", "", "");
    (void)snprintf(url, sizeof(url), "https://%0100d.test/", 7);
    entry(url, "image/png", "https://a.test/", "");
    ck_assert_int_eq(parse(), 0);
    ck_assert_str_eq(page.host[1].name, "host1.page.test");
}
END_TEST

Suite *har_suite(void)
{
    Suite *suite = suite_create("har");
    TCase *tc = tcase_create("har");

    tcase_add_test(tc, a_recorded_page_becomes_a_graph);
    tcase_add_test(tc, it_is_loaded_and_served_like_any_page);
    tcase_add_test(tc, what_is_no_get_over_http_is_left_out);
    tcase_add_test(tc, what_is_broken_is_refused);
    tcase_add_test(tc, a_page_begins_with_its_document);
    tcase_add_test(tc, bounds_are_told);
    tcase_add_test(tc, a_page_of_all_that_is_allowed_is_loaded);
    tcase_add_test(tc, a_name_that_is_too_long_gets_another);
    suite_add_tcase(suite, tc);
    return suite;
}
