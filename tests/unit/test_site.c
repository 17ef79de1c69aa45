/*
 * test_site.c: what a page's servers answer: the files name what the graph says, in its order.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/h1_server.h"
#include "web/site.h"

struct asked {
    char text[400000];
    size_t len;
    const char *body;
};

static size_t piece = 1000; /* that is read of a response at once */

/* One request and its response, header and body, in `asked`. */
static void ask_as(const struct site *site, const char *method, const char *host,
                   const char *target, struct asked *asked)
{
    struct site_service service;
    struct web_server *server = NULL;
    char request[256];
    ssize_t n = 0;

    site_serve(site, &service);
    server = h1_server_new(&service.service);
    ck_assert_ptr_nonnull(server);
    (void)snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", method, target,
                   host);
    ck_assert_uint_eq(web_server_input(server, request, strlen(request)), strlen(request));
    asked->len = 0;
    while ((n = web_server_output(server, asked->text + asked->len, piece)) > 0)
        asked->len += (size_t)n;
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(web_server_phase(server), WEB_IDLE);
    asked->text[asked->len] = '\0';
    asked->body = strstr(asked->text, "\r\n\r\n") + 4;
    web_server_free(server, 0);
}

static void ask(const struct site *site, const char *host, const char *target, struct asked *asked)
{
    ask_as(site, "GET", host, target, asked);
}

static struct site *make(const struct page *page, uint16_t port)
{
    const struct site_options options = {.port = port};
    struct site *site = NULL;

    ck_assert_int_eq(site_new(page, &options, &site), 0);
    return site;
}

static struct site *typical(struct page *page, uint16_t port)
{
    page_typical(page);
    return make(page, port);
}

/* The next URL that a file names from *at on; false: there is no more. */
static bool next_reference(const char **at, char *url, size_t size)
{
    static const char *const marks[] = {"src=\"", "href=\"/",    "href=\"https",
                                        "url(\"", "\"src\", \"", "\"href\", \""};
    const char *first = NULL;
    size_t skip = 0;

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        const char *found = strstr(*at, marks[i]);

        if (found && (!first || found < first)) {
            first = found;
            skip = strcspn(marks[i], "\"") + 1;
            if (marks[i][0] == '"')
                skip = strlen(marks[i]);
        }
    }
    if (!first)
        return false;
    first += skip;
    ck_assert_uint_lt(strcspn(first, "\""), size);
    memcpy(url, first, strcspn(first, "\""));
    url[strcspn(first, "\"")] = '\0';
    *at = first + strlen(url);
    return true;
}

/* A URL's children in the order of their positions are what its file names, and nothing else. */
static void names_its_children(const struct site *site, const struct page *page, int url)
{
    static struct asked asked;
    char target[SITE_TARGET_MAX];
    char found[200];
    const char *at = NULL;
    int position = 0;

    site_target(page, url, target);
    ask(site, page->host[page->url[url].host].name, target, &asked);
    ck_assert(strncmp(asked.text, "HTTP/1.1 200 OK\r\n", 17) == 0);
    at = asked.body;
    for (int i = 0; i < page->urls; i++) {
        if (page->url[i].parent != url)
            continue;
        ck_assert_msg(next_reference(&at, found, sizeof(found)), "%s misses", target);
        site_target(page, i, target);
        ck_assert_str_eq(found, target);
        ck_assert_int_ge(page->url[i].position, position);
        position = page->url[i].position;
    }
    ck_assert_msg(!next_reference(&at, found, sizeof(found)), "%s also names %s", target, found);
}

START_TEST(the_typical_page_can_be_found_in_its_order)
{
    struct page page;
    struct site *site = typical(&page, 443);

    for (int i = 0; i < page.urls; i++) {
        if (page.url[i].kind != PAGE_REDIRECT && page.url[i].kind != PAGE_IMAGE)
            names_its_children(site, &page, i);
    }
    site_free(site);
}
END_TEST

START_TEST(redirections_lead_to_the_other_host_and_its_port)
{
    static struct asked asked;
    struct page page;
    struct site *site = typical(&page, 443);

    ask(site, "www.page.test", "/R2", &asked);
    ck_assert(strncmp(asked.text, "HTTP/1.1 302 Found\r\n", 20) == 0);
    ck_assert_ptr_nonnull(strstr(asked.text, "\r\nLocation: https://images.page.test/RI2.gif\r\n"));
    ck_assert_ptr_nonnull(strstr(asked.text, "\r\nContent-Length: 0\r\n"));
    ask(site, "images.page.test:443", "/RI2.gif", &asked);
    ck_assert(strncmp(asked.text, "HTTP/1.1 200 OK\r\n", 17) == 0);
    site_free(site);

    site = typical(&page, 8443);
    ask(site, "WWW.page.test:8443", "/R2", &asked);
    ck_assert_ptr_nonnull(
        strstr(asked.text, "Location: https://images.page.test:8443/RI2.gif\r\n"));
    site_free(site);
}
END_TEST

START_TEST(what_is_not_there_is_refused)
{
    static struct asked asked;
    static const struct {
        const char *method, *host, *target;
        int status;
    } cases[] = {
        {"GET", "www.page.test", "/F1.html?x", 200},
        {"GET", "www.page.test", "https://www.page.test/F1.html", 200},
        {"GET", "www.page.test", "/F3.html", 404},
        {"GET", "www.page.test", "*", 404},
        {"GET", "www.page.test", "/RI1.gif", 404},
        {"GET", "images.page.test", "/", 404},
        {"GET", "www.page.tes", "/", 421},
        {"GET", "www.page.test.org", "/", 421},
        {"GET", "", "/", 421},
        {"POST", "www.page.test", "/", 405},
    };
    struct page page;
    struct site *site = typical(&page, 443);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask_as(site, cases[i].method, cases[i].host, cases[i].target, &asked);
        ck_assert_msg(atoi(asked.text + 9) == cases[i].status, "%s %s%s: %s", cases[i].method,
                      cases[i].host, cases[i].target, asked.text);
    }
    site_free(site);
}
END_TEST

START_TEST(files_are_as_long_as_the_graph_says)
{
    static struct asked asked, again;
    static const uint32_t sizes[] = {1, 2000, 300000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct page page;
        struct site *site = NULL;

        page_typical(&page);
        for (int url = 0; url < page.urls; url++)
            page.url[url].size = sizes[i];
        site = make(&page, 443);
        for (int url = 0; url < page.urls; url++) {
            char target[SITE_TARGET_MAX];
            size_t length = 0;

            if (page.url[url].kind == PAGE_REDIRECT)
                continue;
            site_target(&page, url, target);
            ask(site, page.host[page.url[url].host].name, target, &asked);
            length = (size_t)atol(strstr(asked.text, "Content-Length: ") + 16);
            ck_assert_uint_eq(asked.len - (size_t)(asked.body - asked.text), length);
            ck_assert(length == sizes[i] || sizes[i] == 1); /* what is to be said is said */
            ask(site, page.host[page.url[url].host].name, target, &again);
            ck_assert(again.len == asked.len && memcmp(again.text, asked.text, asked.len) == 0);
            if (page.url[url].kind != PAGE_IMAGE && sizes[i] > 1) /* the comment is closed */
                ck_assert(strchr("</>", asked.text[asked.len - 2]) != NULL);
        }
        site_free(site);
    }
}
END_TEST

START_TEST(a_file_is_the_same_in_whatever_pieces_it_is_read)
{
    static struct asked whole, pieces;
    struct page page;
    struct site *site = typical(&page, 443);

    for (int url = 0; url < page.urls; url++) {
        const char *host = page.host[page.url[url].host].name;
        char target[SITE_TARGET_MAX];

        site_target(&page, url, target);
        piece = 100000;
        ask(site, host, target, &whole);
        for (piece = 1; piece < 5000; piece = 3 * piece + 4) {
            ask(site, host, target, &pieces);
            ck_assert_uint_eq(pieces.len, whole.len);
            ck_assert_mem_eq(pieces.text, whole.text, whole.len);
        }
    }
    site_free(site);
}
END_TEST

START_TEST(each_typical_file_leaves_in_one_flight)
{
    static struct asked asked;
    struct page page;
    struct site *site = typical(&page, 443);

    for (int url = 0; url < page.urls; url++) {
        char target[SITE_TARGET_MAX];

        site_target(&page, url, target);
        ask(site, page.host[page.url[url].host].name, target, &asked);
        ck_assert_uint_lt(asked.len, 10 * 1220 - 1000);
    }
    site_free(site);
}
END_TEST

/* Documents and scripts of a page that no browser of 2004 has seen. */
START_TEST(any_graph_is_told_by_its_files)
{
    static struct asked asked;
    struct page page = {
        .host = {{.name = "a.test"}, {.name = "b.test"}},
        .hosts = 2,
        .url = {{.name = "P", .kind = PAGE_HTML, .parent = -1},
                {.name = "I", .kind = PAGE_IMAGE, .parent = 0, .position = 2},
                {.name = "S", .kind = PAGE_SCRIPT, .parent = 0, .position = 1, .host = 1},
                {.name = "F", .kind = PAGE_FRAME, .parent = 0, .position = 3},
                {.name = "RS", .kind = PAGE_REDIRECT, .parent = 0, .position = 4},
                {.name = "C", .kind = PAGE_CSS, .parent = 4, .position = 4},
                {.name = "X", .kind = PAGE_IMAGE, .parent = 2, .position = 1},
                {.name = "Y", .kind = PAGE_CSS, .parent = 2, .position = 2, .host = 1},
                {.name = "Z", .kind = PAGE_IMAGE, .parent = 5, .position = 1},
                {.name = "W", .kind = PAGE_CSS, .parent = 5, .position = 2}},
        .urls = 10,
    };
    struct site *site = make(&page, 443);

    ask(site, "a.test", "/", &asked);
    ck_assert_ptr_nonnull(strstr(asked.body,
                                 "<script src=\"https://b.test/S.js\"></script>\n"
                                 "</head>\n<body>\n<p>P</p>\n<img alt=\"\" src=\"/I.gif\">\n"
                                 "<iframe src=\"/F.html\" title=\"frame\"></iframe>\n"
                                 "<link rel=\"stylesheet\" href=\"/RS\">\n</body>\n"));
    ask(site, "b.test", "/S.js", &asked);
    ck_assert_ptr_nonnull(strstr(asked.body,
                                 "    load(\"img\", \"src\", \"https://a.test/X.gif\");\n"
                                 "    load(\"link\", \"href\", \"https://b.test/Y.css\");\n"));
    ask(site, "a.test", "/C.css", &asked);
    ck_assert(strncmp(asked.body,
                      "@import url(\"/W.css\");\nbody {\n    margin: 1em;\n"
                      "    background-image: url(\"/Z.gif\");\n}\n",
                      80) == 0);
    site_free(site);
}
END_TEST

START_TEST(what_could_never_be_found_is_no_site)
{
    const struct site_options options = {.port = 443};
    struct page page;
    struct site *site = NULL;

    page_typical(&page);
    page.url[page.urls - 1].parent = page.urls - 2; /* an image names an image */
    ck_assert_int_eq(site_new(&page, &options, &site), -EINVAL);
    page_typical(&page);
    for (int i = 0; i < page.urls; i++) {
        if (page.url[page.url[i].parent < 0 ? 0 : page.url[i].parent].kind == PAGE_REDIRECT)
            page.url[i].parent = 0; /* redirections that lead nowhere */
    }
    ck_assert_int_eq(site_new(&page, &options, &site), -EINVAL);
}
END_TEST

Suite *site_suite(void);

Suite *site_suite(void)
{
    Suite *suite = suite_create("site");
    TCase *tc = tcase_create("answers");

    tcase_add_test(tc, the_typical_page_can_be_found_in_its_order);
    tcase_add_test(tc, redirections_lead_to_the_other_host_and_its_port);
    tcase_add_test(tc, what_is_not_there_is_refused);
    tcase_add_test(tc, files_are_as_long_as_the_graph_says);
    tcase_add_test(tc, a_file_is_the_same_in_whatever_pieces_it_is_read);
    tcase_add_test(tc, each_typical_file_leaves_in_one_flight);
    tcase_add_test(tc, any_graph_is_told_by_its_files);
    tcase_add_test(tc, what_could_never_be_found_is_no_site);
    suite_add_tcase(suite, tc);
    return suite;
}
