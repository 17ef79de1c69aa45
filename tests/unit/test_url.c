/*
 * test_url.c: https URLs, and where redirects lead.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "web/url.h"

START_TEST(a_url_falls_into_its_parts)
{
    static const struct {
        const char *text, *host;
        int port;
        const char *target;
    } cases[] = {
        {"https://example.org/a/b?c=d#e", "example.org", 443, "/a/b?c=d"},
        {"https://example.org", "example.org", 443, "/"},
        {"https://10.0.0.2:8443", "10.0.0.2", 8443, "/"},
        {"HTTPS://example.org?q", "example.org", 443, "/?q"},
        {"https://[2001:db8::1]/a", "2001:db8::1", 443, "/a"},
        {"https://[::1]:8443", "::1", 8443, "/"},
        {"https://example.org/a/./b/../../../c/..?d/../e", "example.org", 443, "/?d/../e"},
        {"https://example.org/\xc3\xa9?\xc2\x9b", "example.org", 443, "/%C3%A9?%C2%9B"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url;

        ck_assert_msg(url_parse(cases[i].text, &url) == 0, "%s", cases[i].text);
        ck_assert_str_eq(url.host, cases[i].host);
        ck_assert_int_eq(url.port, cases[i].port);
        ck_assert_str_eq(url.target, cases[i].target);
    }
}
END_TEST

START_TEST(an_ipv6_address_goes_back_into_brackets)
{
    struct url url, next;
    char text[2400];

    ck_assert_int_eq(url_parse("https://[fd77::2]:8443/a/b", &url), 0);
    ck_assert_str_eq(url_authority(&url, text, sizeof(text)), "[fd77::2]:8443");
    ck_assert_str_eq(url_text(&url, text, sizeof(text)), "https://[fd77::2]:8443/a/b");
    ck_assert_int_eq(url_resolve(&url, "../c", &next), 0);
    ck_assert_str_eq(url_text(&next, text, sizeof(text)), "https://[fd77::2]:8443/c");
    ck_assert_int_eq(url_resolve(&url, "https://[::1]/d", &next), 0);
    ck_assert_str_eq(url_text(&next, text, sizeof(text)), "https://[::1]/d");
}
END_TEST

START_TEST(what_is_no_https_url_is_refused)
{
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"", -EINVAL},
        {"example.org", -EINVAL},
        {"https://", -EINVAL},
        {"https://a/b\tc", -EINVAL},
        {"https://a/b\fc", -EINVAL},
        {"https://a/b c", -EINVAL},
        {"https://a/b?\x7f", -EINVAL},
        {"https:///path", -EINVAL},
        {"https://user:word@example.org/", -EINVAL},
        {"https://example.org/a b", -EINVAL},
        {"https://example.org/\r\nHost: other", -EINVAL},
        {"https://example.org:0/", -EINVAL},
        {"https://example.org:65536/", -EINVAL},
        {"http://example.org/", -EPROTONOSUPPORT},
        {"ftp://example.org/", -EPROTONOSUPPORT},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url = {.host = "kept"};

        ck_assert_msg(url_parse(cases[i].text, &url) == cases[i].error, "%s", cases[i].text);
        ck_assert_str_eq(url.host, "kept");
    }
}
END_TEST

START_TEST(what_is_too_long_is_refused)
{
    char text[8000];
    struct url url;

    (void)snprintf(text, sizeof(text), "https://h/%02100d", 0);
    ck_assert_int_eq(url_parse(text, &url), -ENAMETOOLONG);
    (void)snprintf(text, sizeof(text), "https://%0300d/", 0);
    ck_assert_int_eq(url_parse(text, &url), -ENAMETOOLONG);
}
END_TEST

/* The examples of RFC 3986 5.4, as far as they concern paths. */
START_TEST(references_resolve_as_rfc_3986_has_it)
{
    static const char *const cases[][2] = {
        {"g", "https://a/b/c/g"},
        {"./g", "https://a/b/c/g"},
        {"g/", "https://a/b/c/g/"},
        {"/g", "https://a/g"},
        {"//g", "https://g/"},
        {"?y", "https://a/b/c/d;p?y"},
        {"g?y", "https://a/b/c/g?y"},
        {"#s", "https://a/b/c/d;p?q"},
        {"g#s", "https://a/b/c/g"},
        {";x", "https://a/b/c/;x"},
        {"", "https://a/b/c/d;p?q"},
        {".", "https://a/b/c/"},
        {"./", "https://a/b/c/"},
        {"..", "https://a/b/"},
        {"../g", "https://a/b/g"},
        {"../..", "https://a/"},
        {"../../g", "https://a/g"},
        {"../../../g", "https://a/g"},
        {"/./g", "https://a/g"},
        {"/../g", "https://a/g"},
        {"g.", "https://a/b/c/g."},
        {"..g", "https://a/b/c/..g"},
        {"./../g", "https://a/b/g"},
        {"g/./h", "https://a/b/c/g/h"},
        {"g/../h", "https://a/b/c/h"},
        {"g?y/../x", "https://a/b/c/g?y/../x"},
        {"https://o:444/p", "https://o:444/p"},
    };
    struct url base;

    ck_assert_int_eq(url_parse("https://a/b/c/d;p?q", &base), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url;
        char text[2400];

        ck_assert_msg(url_resolve(&base, cases[i][0], &url) == 0, "%s", cases[i][0]);
        ck_assert_str_eq(url_text(&url, text, sizeof(text)), cases[i][1]);
    }
}
END_TEST

START_TEST(a_redirect_may_not_leave_https)
{
    struct url base;
    struct url url;

    ck_assert_int_eq(url_parse("https://a:8443/b", &base), 0);
    ck_assert_int_eq(url_resolve(&base, "http://a/b", &url), -EPROTONOSUPPORT);
    ck_assert_int_eq(url_resolve(&base, "javascript:x", &url), -EINVAL);
    ck_assert_int_eq(url_resolve(&base, "c", &url), 0);
    ck_assert_int_eq(url.port, 8443);
}
END_TEST

Suite *url_suite(void);

Suite *url_suite(void)
{
    Suite *suite = suite_create("url");
    TCase *tcase = tcase_create("url");

    tcase_add_test(tcase, a_url_falls_into_its_parts);
    tcase_add_test(tcase, an_ipv6_address_goes_back_into_brackets);
    tcase_add_test(tcase, what_is_no_https_url_is_refused);
    tcase_add_test(tcase, what_is_too_long_is_refused);
    tcase_add_test(tcase, references_resolve_as_rfc_3986_has_it);
    tcase_add_test(tcase, a_redirect_may_not_leave_https);
    suite_add_tcase(suite, tcase);
    return suite;
}
