/*
 * test_loader.c: pages loaded over a network that a test made up: what servers and documents can do
 * to a load, which ends in time, says what was wrong, and leaves nothing behind.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/webnet.h"
#include "web/loader.h"

/* Of a server: DOCUMENT("/", "<img src=a.gif>"), IMAGE("/a.gif", .length = 10000). */
#define DOCUMENT(target_, body_, ...)                                                              \
    {                                                                                              \
        .target = (target_), .body = (body_), __VA_ARGS__                                          \
    }
#define IMAGE(target_, ...)                                                                        \
    {                                                                                              \
        .target = (target_), .type = "image/gif", .body = "GIF", __VA_ARGS__                       \
    }
#define SHEET(target_, body_, ...)                                                                 \
    {                                                                                              \
        .target = (target_), .type = "text/css", .body = (body_), __VA_ARGS__                      \
    }
#define MOVED(target_, location_)                                                                  \
    {                                                                                              \
        .target = (target_), .location = (location_)                                               \
    }
#define HOST(name_, files_, ...)                                                                   \
    {                                                                                              \
        .name = (name_), .files = (files_), __VA_ARGS__                                            \
    }

struct load {
    struct loader_user user; /* first member */
    struct webnet *net;
    struct loader *loader;
    bool done;
};

static void on_done(struct loader_user *user)
{
    struct load *load = (struct load *)user;

    ck_assert(!load->done);
    load->done = true;
}

static int make_client(const struct carrier_facts *facts, struct http_client_user *user,
                       struct http_client **client)
{
    return facts->h2 ? h2_client_new(user, client) : h1_client_new(user, client);
}

/* https://www.page.test/ as this browser loads it, for so many round trips at most. */
static const struct load_result *load_for(struct load *load, const struct webnet_host *hosts,
                                          enum browser_visit visit, double round_trips)
{
    const struct loader_options options = {.visit = visit,
                                           .multiplexed = hosts[0].h2,
                                           .connections = 16,
                                           .others = 2,
                                           .client = make_client};
    struct url page;

    *load = (struct load){.user = {on_done}, .net = webnet_new(hosts)};
    ck_assert_int_eq(url_parse("https://www.page.test/", &page), 0);
    load->loader = loader_new(webnet_carrier(load->net), &load->user, &options);
    ck_assert_ptr_nonnull(load->loader);
    ck_assert_int_eq(loader_start(load->loader, &page), 0);
    webnet_run(load->net, &load->done, round_trips);
    loader_stop(load->loader, -ETIMEDOUT);
    return loader_result(load->loader);
}

static const struct load_result *load_page(struct load *load, const struct webnet_host *hosts)
{
    return load_for(load, hosts, BROWSER_FIRST, 1000);
}

static void end(struct load *load)
{
    loader_free(load->loader);
    webnet_free(load->net);
}

/* It failed for this reason, about this; of so many URLs so many failed. */
static void expect_failure(const struct load_result *r, int error, const char *sentence)
{
    ck_assert_msg(r->error == error && strcmp(r->sentence, sentence) == 0, "%d: %s", r->error,
                  r->sentence);
}

static void expect_counts(const struct load_result *r, int there, int failed, int passed_over)
{
    ck_assert_msg(r->there == there && r->failed == failed && r->passed_over == passed_over,
                  "%d there, %d failed, %d passed over: %s", r->there, r->failed, r->passed_over,
                  r->sentence);
}

static void expect_success(const struct load_result *r, int there)
{
    ck_assert_msg(r->error == 0, "%s", r->sentence);
    expect_counts(r, there, 0, 0);
}

/* --- pages that are as they should be --------------------------------------------------------- */

static const struct webnet_file plain[] = {
    DOCUMENT("/", "<link rel=stylesheet href=a.css><script src=b.js></script><img src=c.gif>"
                  "<iframe src=d.html></iframe><img src=https://images.page.test/e.gif>"),
    SHEET("/a.css", "body { background: url(f.gif) }"),
    {.target = "/b.js",
     .type = "text/javascript",
     .body = "load(\"img\", \"src\", \"https://images.page.test/h.gif\")"},
    IMAGE("/c.gif", .length = 100000),
    DOCUMENT("/d.html", "<img src=c.gif>"),
    MOVED("/f.gif", "https://images.page.test/g.gif"),
    {0},
};
static const struct webnet_file images[] = {IMAGE("/e.gif"), IMAGE("/g.gif"), IMAGE("/h.gif"), {0}};

START_TEST(everything_that_a_page_refers_to_is_loaded_once)
{
    for (int h2 = 0; h2 < 2; h2++) {
        const struct webnet_host hosts[] = {HOST("www.page.test", plain, .h2 = h2),
                                            HOST("images.page.test", images, .h2 = h2),
                                            {0}};

        for (int visit = BROWSER_UNOPTIMIZED; visit <= BROWSER_FIRST; visit++) {
            struct load load;
            const struct load_result *r = load_for(&load, hosts, visit, 1000);

            expect_success(r, 9);
            ck_assert_uint_ge(r->bytes, 100000);
            for (int i = 0; i < 6; i++)
                ck_assert_int_eq(webnet_asked(load.net, 0, i), 1);
            for (int i = 0; i < 3; i++)
                ck_assert_int_eq(webnet_asked(load.net, 1, i), 1);
            ck_assert(!h2 || webnet_opened(load.net) == 2);
            ck_assert(r->us == webnet_round_trips(load.net) * WEBNET_RTT);
            end(&load);
        }
    }
}
END_TEST

START_TEST(a_page_that_is_known_is_asked_for_at_once)
{
    const struct webnet_host hosts[] = {
        HOST("www.page.test", plain), HOST("images.page.test", images), {0}};
    static struct known_page known;
    struct load load;
    struct url page;
    double first = load_page(&load, hosts)->us;
    struct loader_options options = {.visit = BROWSER_REPEAT,
                                     .connections = 16,
                                     .others = 2,
                                     .known = &known,
                                     .client = make_client};

    loader_remember(load.loader, &known);
    end(&load);
    ck_assert_int_eq(known.urls, 9);
    load = (struct load){.user = {on_done}, .net = webnet_new(hosts)};
    ck_assert_int_eq(url_parse("https://www.page.test/", &page), 0);
    load.loader = loader_new(webnet_carrier(load.net), &load.user, &options);
    ck_assert_int_eq(loader_start(load.loader, &page), 0);
    webnet_run(load.net, &load.done, 1000);
    expect_success(loader_result(load.loader), 9);
    ck_assert_double_lt(loader_result(load.loader)->us, first);
    end(&load);
}
END_TEST

/* --- circles, and what has no end ------------------------------------------------------------- */

START_TEST(redirections_in_a_circle_are_a_failure)
{
    static const struct webnet_file itself[] = {MOVED("/", "/"), {0}};
    static const struct webnet_file circle[] = {
        MOVED("/", "/a"), MOVED("/a", "/b"), MOVED("/b", "/"), {0}};
    static const struct webnet_file image[] = {DOCUMENT("/", "<img src=a.gif><img src=c.gif>"),
                                               MOVED("/a.gif", "/b.gif"),
                                               MOVED("/b.gif", "/a.gif"),
                                               IMAGE("/c.gif"),
                                               {0}};
    const struct webnet_host hosts[][2] = {{HOST("www.page.test", itself)},
                                           {HOST("www.page.test", circle)},
                                           {HOST("www.page.test", image)}};
    static const int there[] = {0, 2, 3};
    static const char *const sentence[] = {
        "https://www.page.test/: redirections lead in a circle",
        "https://www.page.test/b: redirections lead in a circle",
        "https://www.page.test/b.gif: redirections lead in a circle",
    };

    for (int i = 0; i < 3; i++) {
        struct load load;
        const struct load_result *r = load_page(&load, hosts[i]);

        expect_failure(r, -ELOOP, sentence[i]);
        expect_counts(r, there[i], 1, 0);
        ck_assert(r->page == (i == 2));
        end(&load);
    }
}
END_TEST

START_TEST(redirections_that_lead_on_and_on_end)
{
    struct webnet_file files[LOADER_REDIRECTS_MAX + 3];
    char target[LOADER_REDIRECTS_MAX + 3][8], sentence[100];
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};
    struct load load;

    memset(files, 0, sizeof(files));
    for (int i = 0; i < LOADER_REDIRECTS_MAX + 3; i++)
        (void)snprintf(target[i], sizeof(target[i]), i ? "/%d" : "/", i);
    for (int i = 0; i < LOADER_REDIRECTS_MAX + 2; i++)
        files[i] = (struct webnet_file){target[i], .location = target[i + 1]};
    (void)snprintf(sentence, sizeof(sentence),
                   "https://www.page.test/%d: too many redirections in a row",
                   LOADER_REDIRECTS_MAX);
    expect_failure(load_page(&load, hosts), -ELOOP, sentence);
    expect_counts(loader_result(load.loader), LOADER_REDIRECTS_MAX, 1, 0);
    ck_assert_int_eq(webnet_asked(load.net, 0, LOADER_REDIRECTS_MAX), 1);
    end(&load);
}
END_TEST

START_TEST(frames_in_a_circle_are_loaded_once)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<frameset><frame src=a.html><frame src=/></frameset>"),
        DOCUMENT("/a.html", "<iframe src=b.html></iframe><iframe src=a.html></iframe>"),
        DOCUMENT("/b.html", "<iframe src=a.html></iframe><iframe src=/></iframe>"),
        {0}};
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};

    for (int visit = BROWSER_UNOPTIMIZED; visit <= BROWSER_FIRST; visit++) {
        struct load load;

        expect_success(load_for(&load, hosts, visit, 1000), 3);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(webnet_asked(load.net, 0, i), 1);
        end(&load);
    }
}
END_TEST

START_TEST(frames_within_frames_end_somewhere)
{
    struct webnet_file files[LOADER_FRAMES_MAX + 3];
    char target[LOADER_FRAMES_MAX + 4][16], body[LOADER_FRAMES_MAX + 3][40];
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};
    struct load load;

    memset(files, 0, sizeof(files));
    for (int i = 0; i < LOADER_FRAMES_MAX + 4; i++)
        (void)snprintf(target[i], sizeof(target[i]), i ? "/%d.html" : "/", i);
    for (int i = 0; i < LOADER_FRAMES_MAX + 2; i++) {
        (void)snprintf(body[i], sizeof(body[i]), "<iframe src=%s></iframe>", target[i + 1]);
        files[i] = (struct webnet_file){target[i], .body = body[i]};
    }
    ck_assert_int_eq(load_page(&load, hosts)->error, 0);
    expect_counts(loader_result(load.loader), LOADER_FRAMES_MAX + 1, 0, 1);
    end(&load);
}
END_TEST

START_TEST(a_style_sheet_without_an_end_ends_with_the_patience)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<link rel=stylesheet href=a.css><img src=b.gif>"),
        SHEET("/a.css", "p { background: url(b.gif) } ", .length = 1ull << 40),
        IMAGE("/b.gif"),
        {0}};
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};

    for (int visit = BROWSER_UNOPTIMIZED; visit <= BROWSER_FIRST; visit++) {
        struct load load;
        const struct load_result *r = load_for(&load, hosts, visit, 50);

        expect_failure(r, -ETIMEDOUT, "https://www.page.test/a.css: it did not come in time");
        end(&load);
    }
}
END_TEST

/* --- more than there is room for -------------------------------------------------------------- */

/* So many images, with a number between the two parts of their URLs. */
static char *many_images(int n, const char *before, const char *behind)
{
    char *text = malloc((size_t)n * 64 + 1), *at = text;

    ck_assert_ptr_nonnull(text);
    *at = '\0';
    for (int i = 0; i < n; i++)
        at += snprintf(at, 64, "<img src=%s%d%s>", before, i, behind);
    return text;
}

START_TEST(what_a_page_of_a_thousand_urls_names_beyond_the_bound_is_passed_over)
{
    char *body = many_images(1000, "/", ".gif");
    const struct webnet_file files[] = {DOCUMENT("/", body), {0}};
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};
    struct load load;
    const struct load_result *r = load_page(&load, hosts);

    expect_counts(r, 1, POLICY_URLS_MAX - 1, 1000 - (POLICY_URLS_MAX - 1));
    expect_failure(r, -EBADMSG, "https://www.page.test/0.gif: the server answered 404");
    ck_assert_int_le(webnet_opened(load.net), 16);
    end(&load);
    free(body);
}
END_TEST

START_TEST(a_page_of_a_thousand_servers_asks_as_many_as_there_is_room_for)
{
    char *body = many_images(1000, "https://h", ".test/a.gif");
    const struct webnet_file files[] = {DOCUMENT("/", body), {0}};
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};
    struct load load;
    const struct load_result *r = load_page(&load, hosts);

    expect_counts(r, 1, POLICY_HOSTS_MAX - 1, 1000 - (POLICY_HOSTS_MAX - 1));
    expect_failure(r, -ENOENT, "h0.test: the name has no address");
    end(&load);
    free(body);
}
END_TEST

/* The last of them fill the connections that there is room for; what is left has none to go on. */
START_TEST(more_connections_than_there_is_room_for_fail_what_waits)
{
    char *body = many_images(POLICY_HOSTS_MAX - 1, "https://h", ".test/a.gif");
    const struct webnet_file files[] = {DOCUMENT("/", body), {0}};
    struct webnet_host hosts[POLICY_HOSTS_MAX + 1] = {HOST("www.page.test", files)};
    static char name[POLICY_HOSTS_MAX][16];
    struct load load;
    const struct load_result *r = NULL;

    for (int i = 1; i < POLICY_HOSTS_MAX; i++) {
        (void)snprintf(name[i], sizeof(name[i]), "h%d.test", i - 1);
        hosts[i] = (struct webnet_host){name[i], .refuses = 1000};
    }
    r = load_page(&load, hosts);
    ck_assert(load.done);
    expect_counts(r, 1, POLICY_HOSTS_MAX - 1, 0);
    ck_assert_int_le(webnet_opened(load.net), POLICY_CONNECTIONS_MAX);
    end(&load);
    free(body);
}
END_TEST

/* --- servers that fail ------------------------------------------------------------------------ */

START_TEST(a_body_that_breaks_off_is_asked_for_again)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<img src=a.gif>"),
        IMAGE("/a.gif", .length = 10000, .spoilt = 2, .breaks_at = 5000),
        {0}};

    for (int h2 = 0; h2 < 2; h2++) {
        const struct webnet_host hosts[] = {HOST("www.page.test", files, .h2 = h2), {0}};
        struct load load;

        expect_success(load_page(&load, hosts), 2);
        ck_assert_int_eq(webnet_asked(load.net, 0, 1), 3);
        ck_assert_uint_eq(loader_url(load.loader, 1)->bytes, 10000);
        end(&load);
    }
}
END_TEST

START_TEST(a_body_that_breaks_off_each_time_is_given_up)
{
    static const struct webnet_file files[] = {DOCUMENT("/", "<img src=a.gif><img src=b.gif>"),
                                               IMAGE("/a.gif", .length = 10000, .breaks_at = 5000),
                                               IMAGE("/b.gif"),
                                               {0}};
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};
    struct load load;

    expect_failure(load_page(&load, hosts), -ECONNRESET,
                   "https://www.page.test/a.gif: Connection reset by peer");
    expect_counts(loader_result(load.loader), 2, 1, 0);
    ck_assert_int_eq(webnet_asked(load.net, 0, 1), POLICY_TRIES);
    end(&load);
}
END_TEST

START_TEST(a_document_that_breaks_off_keeps_what_it_named)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<img src=a.gif><p>so many words", .length = 10000, .breaks_at = 5000),
        IMAGE("/a.gif"),
        {0}};
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};
    struct load load;

    expect_failure(load_page(&load, hosts), -ECONNRESET,
                   "https://www.page.test/: Connection reset by peer");
    expect_counts(loader_result(load.loader), 1, 1, 0);
    end(&load);
}
END_TEST

START_TEST(a_name_without_an_address_fails_what_is_there)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<img src=https://nobody.test/a.gif><img src=b.gif>"), IMAGE("/b.gif"), {0}};
    const struct webnet_host hosts[] = {
        HOST("www.page.test", files), {"nobody.test", .unknown = true}, {0}};
    struct load load;

    expect_failure(load_page(&load, hosts), -ENOENT, "nobody.test: the name has no address");
    expect_counts(loader_result(load.loader), 2, 1, 0);
    end(&load);
    const struct webnet_host none[] = {HOST("www.page.test", files, .unknown = true), {0}};

    expect_failure(load_page(&load, none), -ENOENT, "www.page.test: the name has no address");
    expect_counts(loader_result(load.loader), 0, 1, 0);
    ck_assert_int_eq(webnet_opened(load.net), 0);
    end(&load);
}
END_TEST

START_TEST(who_does_not_answer_is_waited_for_as_long_as_asked)
{
    static const struct webnet_file files[] = {DOCUMENT("/", "<img src=https://other.test/a.gif>"),
                                               {0}};
    const struct webnet_host silent[] = {
        HOST("www.page.test", files), {"other.test", .silent = true}, {0}};
    const struct webnet_host nameless[] = {
        HOST("www.page.test", files), {"other.test", .nameless = true}, {0}};
    const struct webnet_host *const hosts[] = {silent, nameless};

    for (int i = 0; i < 2; i++) {
        struct load load;

        expect_failure(load_for(&load, hosts[i], BROWSER_FIRST, 50), -ETIMEDOUT,
                       "https://other.test/a.gif: it did not come in time");
        expect_counts(loader_result(load.loader), 1, 0, 0);
        ck_assert(!load.done);
        end(&load);
    }
}
END_TEST

START_TEST(a_connection_that_is_refused_is_tried_again)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<img src=a.gif>"), IMAGE("/a.gif"), {0}};

    for (int early = 0; early < 2; early++) {
        const struct webnet_host twice[] = {
            HOST("www.page.test", files, .refuses = POLICY_TRIES - 1, .early = early), {0}};
        const struct webnet_host always[] = {
            HOST("www.page.test", files, .refuses = 1000, .early = early), {0}};
        struct load load;

        expect_success(load_page(&load, twice), 2);
        end(&load);
        expect_failure(load_page(&load, always), -ECONNREFUSED,
                       early ? "https://www.page.test/: Connection refused"
                             : "www.page.test: Connection refused");
        expect_counts(loader_result(load.loader), 0, 1, 0);
        ck_assert(early || webnet_opened(load.net) == POLICY_TRIES);
        end(&load);
    }
}
END_TEST

START_TEST(a_server_that_hangs_up_in_the_handshake_is_tried_again)
{
    static const struct webnet_file files[] = {DOCUMENT("/", "text"), {0}};
    const struct webnet_host twice[] = {HOST("www.page.test", files, .hangs_up = POLICY_TRIES - 1),
                                        {0}};
    const struct webnet_host always[] = {HOST("www.page.test", files, .hangs_up = 1000), {0}};
    struct load load;

    expect_success(load_page(&load, twice), 1);
    end(&load);
    expect_failure(load_page(&load, always), -ECONNRESET,
                   "www.page.test: the server closed during the handshake");
    end(&load);
}
END_TEST

/* RFC 8470 5.2: it was not looked at; asked again, it is. */
START_TEST(what_was_too_early_is_asked_for_again)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<img src=a.gif>", .spoilt = 1, .status = 425),
        IMAGE("/a.gif", .spoilt = 1, .status = 425),
        {0}};
    static const struct webnet_file always[] = {DOCUMENT("/", "", .status = 425), {0}};

    for (int h2 = 0; h2 < 2; h2++) {
        const struct webnet_host hosts[] = {HOST("www.page.test", files, .h2 = h2, .early = true),
                                            {0}};
        const struct webnet_host never[] = {HOST("www.page.test", always, .h2 = h2, .early = true),
                                            {0}};
        struct load load;

        expect_success(load_page(&load, hosts), 2);
        ck_assert(webnet_asked(load.net, 0, 0) == 2 && webnet_asked(load.net, 0, 1) == 2);
        end(&load);
        expect_failure(load_page(&load, never), -EBADMSG,
                       "https://www.page.test/: the server answered 425");
        ck_assert_int_eq(webnet_asked(load.net, 0, 0), POLICY_TRIES);
        end(&load);
    }
}
END_TEST

START_TEST(a_server_that_closes_behind_each_response_is_asked_on_another_connection)
{
    enum { IMAGES = 20 };
    char *body = many_images(IMAGES, "/", ".gif");
    struct webnet_file files[IMAGES + 2] = {DOCUMENT("/", body, .last = true)};
    char target[IMAGES][8];

    for (int i = 0; i < IMAGES; i++) {
        (void)snprintf(target[i], sizeof(target[i]), "/%d.gif", i);
        files[i + 1] =
            (struct webnet_file){target[i], "image/gif", "GIF", 20000, .last = i % 4 == 0};
    }
    for (int h2 = 0; h2 < 2; h2++) {
        const struct webnet_host hosts[] = {HOST("www.page.test", files, .h2 = h2), {0}};
        struct load load;

        expect_success(load_page(&load, hosts), IMAGES + 1);
        end(&load);
    }
    free(body);
}
END_TEST

START_TEST(a_status_that_is_no_success_is_said)
{
    static const struct webnet_file files[] = {
        DOCUMENT("/", "<img src=a.gif><script src=b.js></script>"),
        {.target = "/a.gif", .type = "image/gif", .body = "<img src=c.gif>", .status = 500},
        {0}};
    const struct webnet_host hosts[] = {HOST("www.page.test", files), {0}};
    struct load load;

    expect_failure(load_page(&load, hosts), -EBADMSG,
                   "https://www.page.test/b.js: the server answered 404");
    expect_counts(loader_result(load.loader), 1, 2, 0);
    end(&load);
}
END_TEST

START_TEST(a_load_may_end_at_any_moment)
{
    const struct webnet_host hosts[] = {HOST("www.page.test", plain, .refuses = 1),
                                        HOST("images.page.test", images, .h2 = true, .hangs_up = 1),
                                        {0}};

    for (double round_trips = 0; round_trips < 12; round_trips += 0.25) {
        struct load load;

        (void)load_for(&load, hosts, BROWSER_FIRST, round_trips);
        end(&load);
    }
}
END_TEST

Suite *loader_suite(void);

Suite *loader_suite(void)
{
    Suite *s = suite_create("loader");
    TCase *pages = tcase_create("pages");
    TCase *bounds = tcase_create("bounds");
    TCase *servers = tcase_create("servers");

    tcase_add_test(pages, everything_that_a_page_refers_to_is_loaded_once);
    tcase_add_test(pages, a_page_that_is_known_is_asked_for_at_once);
    suite_add_tcase(s, pages);
    tcase_add_test(bounds, redirections_in_a_circle_are_a_failure);
    tcase_add_test(bounds, redirections_that_lead_on_and_on_end);
    tcase_add_test(bounds, frames_in_a_circle_are_loaded_once);
    tcase_add_test(bounds, frames_within_frames_end_somewhere);
    tcase_add_test(bounds, a_style_sheet_without_an_end_ends_with_the_patience);
    tcase_add_test(bounds, what_a_page_of_a_thousand_urls_names_beyond_the_bound_is_passed_over);
    tcase_add_test(bounds, a_page_of_a_thousand_servers_asks_as_many_as_there_is_room_for);
    tcase_add_test(bounds, more_connections_than_there_is_room_for_fail_what_waits);
    suite_add_tcase(s, bounds);
    tcase_add_test(servers, a_body_that_breaks_off_is_asked_for_again);
    tcase_add_test(servers, a_body_that_breaks_off_each_time_is_given_up);
    tcase_add_test(servers, a_document_that_breaks_off_keeps_what_it_named);
    tcase_add_test(servers, a_name_without_an_address_fails_what_is_there);
    tcase_add_test(servers, who_does_not_answer_is_waited_for_as_long_as_asked);
    tcase_add_test(servers, a_connection_that_is_refused_is_tried_again);
    tcase_add_test(servers, a_server_that_hangs_up_in_the_handshake_is_tried_again);
    tcase_add_test(servers, what_was_too_early_is_asked_for_again);
    tcase_add_test(servers,
                   a_server_that_closes_behind_each_response_is_asked_on_another_connection);
    tcase_add_test(servers, a_status_that_is_no_success_is_said);
    tcase_add_test(servers, a_load_may_end_at_any_moment);
    suite_add_tcase(s, servers);
    return s;
}
