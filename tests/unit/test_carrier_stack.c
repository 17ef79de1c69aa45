/*
 * test_carrier_stack.c: pages loaded over connections of our stack, from the page's servers on
 * another stack, at the other end of a pipe in memory.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "study/pageload/browser.h"
#include "study/pageload/carrier_stack.h"
#include "study/pageload/page_server.h"
#include "web/loader.h"

enum { DEPTH = 1024, URLS = 29 };

#define PATIENCE TLSYN_SECONDS(40)

static const char *const here = "10.77.0.11", *const there = "10.77.0.12";

struct world {
    struct loader_user user; /* first member */
    bool done;
    bool silent; /* the server takes no turns */
    double patience_us;
    struct page page;
    struct credentials credentials;
    struct node client, server;
    struct page_server *pages; /* NULL: nobody answers */
    struct larder larder;
    struct tlsyn_tls_config *config;
    const struct browser_handshake *handshake;
    struct known_page known;
    struct load_result result;
};

static void on_done(struct loader_user *user)
{
    ((struct world *)user)->done = true;
}

static int make_client(const struct carrier_facts *facts, struct http_client_user *user,
                       struct http_client **client)
{
    return facts->h2 ? h2_client_new(user, client) : h1_client_new(user, client);
}

static void make_config(struct world *w, bool h2)
{
    static const char *const h1_alone[] = {"http/1.1", NULL}, *const h2_alone[] = {"h2", NULL};
    bool is_13 = strncmp(w->handshake->name, "tls1.3", 6) == 0;
    const struct tlsyn_tls_options options = {.role = TLSYN_TLS_CLIENT,
                                              .suite = is_13 ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE,
                                              .alpn = h2 ? h2_alone : h1_alone,
                                              .pad_hello = w->handshake->tcp == 0,
                                              .early_data = w->handshake->kept,
                                              .store = &w->larder.store,
                                              .chains = &w->larder.store,
                                              .wall_clock = w->credentials.wall_clock,
                                              .wall_at = tlsyn_clock()};
    const char *ca = w->credentials.ec.ca;
    char message[TLSYN_TLS_MESSAGE];

    larder_init(&w->larder);
    ck_assert_msg(tlsyn_tls_config_new(&options, &w->config, message) == 0, "%s", message);
    ck_assert_msg(tlsyn_tls_config_trust(w->config, ca, strlen(ca), message) >= 0, "%s", message);
}

static void set_up(struct world *w, int handshake, bool h2, bool answers)
{
    const struct tlsyn_link_caps caps = {.mtu = 1500};
    const struct page_server_options options = {
        .credentials = &w->credentials, .page = &w->page, .address = there};
    const char *names[PAGE_HOSTS_MAX + 1] = {NULL};
    char message[TLSYN_TLS_MESSAGE];
    struct tlsyn_link *ends[2];

    *w = (struct world){.user = {on_done}, .handshake = &browser_handshakes[handshake]};
    page_typical(&w->page);
    for (int i = 0; i < w->page.hosts; i++)
        names[i] = w->page.host[i].name;
    ck_assert_int_eq(credentials_make_for(&w->credentials, names), 0);
    ck_assert_int_eq(tlsyn_pipe_open(&caps, DEPTH, ends), 0);
    ck_assert_int_eq(node_open(&w->client, ends[0], here, 24), 0);
    ck_assert_int_eq(node_open(&w->server, ends[1], there, 24), 0);
    if (answers)
        ck_assert_msg(page_server_open(&w->server, &options, &w->pages, message) == 0, "%s",
                      message);
    make_config(w, h2);
}

static void tear_down(struct world *w)
{
    node_close(&w->client);
    node_close(&w->server);
    page_server_free(w->pages);
    tlsyn_tls_config_free(w->config);
}

/* Both ends are in this thread, and neither waits for the other. */
static void turn_until_done(struct world *w)
{
    tlsyn_time deadline = tlsyn_clock() + PATIENCE;

    while (!w->done && tlsyn_clock() < deadline) {
        ck_assert_int_eq(tlsyn_loop_turn(w->client.loop, 0), 0);
        if (!w->silent)
            ck_assert_int_eq(tlsyn_loop_turn(w->server.loop, 0), 0);
    }
}

static const struct load_result *load(struct world *w, enum browser_visit visit, bool h2,
                                      tlsyn_time timeout)
{
    const struct tlsyn_endpoint dns = {.addr = node_address(there)};
    const struct carrier_stack_options network = {
        .node = &w->client,
        .config = w->config,
        .larder = &w->larder,
        .level = w->handshake->tcp == 0 ? TLSYN_LEVEL_COOKIE : TLSYN_LEVEL_NONE,
        .early = w->handshake->kept,
        .h2 = h2,
        .timeout = timeout,
        .names = {.servers = &dns, .server_count = 1, .no_hosts = true},
        .family = TLSYN_FAMILY_IP4,
        .patience_us = w->patience_us};
    const struct loader_options options = {.visit = visit,
                                           .multiplexed = h2,
                                           .connections = 16,
                                           .others = 2,
                                           .known = &w->known,
                                           .address = node_address(there),
                                           .client = make_client};
    struct carrier *carrier = NULL;
    struct loader *loader;
    struct url page;
    char text[128];

    (void)snprintf(text, sizeof(text), "https://%s/", w->page.host[w->page.url[0].host].name);
    w->done = false;
    ck_assert_int_eq(url_parse(text, &page), 0);
    ck_assert_int_eq(carrier_stack_new(&network, &carrier), 0);
    loader = loader_new(carrier, &w->user, &options);
    ck_assert_ptr_nonnull(loader);
    ck_assert_int_eq(loader_start(loader, &page), 0);
    turn_until_done(w);
    loader_stop(loader, -ETIMEDOUT);
    loader_remember(loader, &w->known);
    w->result = *loader_result(loader);
    loader_free(loader);
    carrier_stack_free(carrier);
    return &w->result;
}

static int steps(const struct load_result *r, enum load_step step)
{
    int n = 0;

    for (int i = 0; i < r->events; i++)
        n += r->event[i].step == step;
    return n;
}

static void expect_whole(const struct load_result *r)
{
    ck_assert_msg(r->error == 0 && r->there == URLS && r->failed == 0, "%d of %d: %s", r->there,
                  r->urls, r->sentence);
}

/* In the embedded mode TCP takes no step of its own. The page's server and the images' each have a
 * connection that knows no session. */
START_TEST(every_handshake_loads_the_page)
{
    for (int h2 = 0; h2 < 2; h2++) {
        const struct load_result *r;
        struct world w;

        set_up(&w, _i, h2, true);
        r = load(&w, BROWSER_FIRST, h2, 0);
        expect_whole(r);
        ck_assert_int_eq(steps(r, LOAD_TCP), w.handshake->tcp ? r->connections : 0);
        ck_assert_int_ge(steps(r, LOAD_DNS), 1);
        ck_assert_int_ge(steps(r, LOAD_FULL), 2);
        if (h2)
            ck_assert_int_eq(r->connections, 2);
        else
            ck_assert_int_ge(steps(r, LOAD_RESUMED), 1);
        tear_down(&w);
    }
}
END_TEST

static int asked_early(const struct world *w)
{
    return (int)tlsyn_counter(w->server.stack, TLSYN_COUNT_tls_early_accepted);
}

/* Nothing waits for a handshake, for there are sessions for all. */
START_TEST(who_knows_sessions_asks_early)
{
    for (int h2 = 0; h2 < 2; h2++) {
        const struct load_result *r;
        struct world w;
        int before;

        set_up(&w, _i, h2, true);
        expect_whole(load(&w, BROWSER_FIRST, h2, 0));
        before = asked_early(&w);
        r = load(&w, BROWSER_REPEAT, h2, 0);
        expect_whole(r);
        ck_assert_int_eq(steps(r, LOAD_FULL), 0);
        ck_assert_int_ge(asked_early(&w) - before, 2); /* of each server */
        tear_down(&w);
    }
}
END_TEST

/* As many full handshakes as the model counts, though not all tickets fit into the SYN-ACK, and the
 * other connections are opened when that is read. The first visit leaves a Fast Open cookie, which
 * has the server answer with tickets. */
START_TEST(who_is_opened_beside_resumes)
{
    const struct browser_kind kind = {&browser_handshakes[_i], BROWSER_REPEAT, BROWSER_HTTP_1,
                                      false};
    struct browser_load model;
    struct world w;
    int full = 0;

    set_up(&w, _i, false, true);
    ck_assert_int_eq(browser_load_page(&w.page, &kind, &model), 0);
    for (int i = 0; i < model.events; i++)
        full += model.event[i].step == LOAD_FULL;
    expect_whole(load(&w, BROWSER_FIRST, false, 0));
    larder_init(&w.larder);
    w.patience_us = (double)PATIENCE;
    expect_whole(load(&w, BROWSER_REPEAT, false, 0));
    ck_assert_int_eq(steps(&w.result, LOAD_FULL), full);
    ck_assert_int_gt(steps(&w.result, LOAD_RESUMED), 3);
    tear_down(&w);
}
END_TEST

START_TEST(who_does_not_listen_is_told_of)
{
    const struct load_result *r;
    struct world w;

    set_up(&w, BROWSER_TLS13_EMBEDDED, false, false);
    r = load(&w, BROWSER_FIRST, false, 0);
    ck_assert_int_eq(r->error, -ECONNREFUSED);
    ck_assert_int_eq(r->there, 0);
    tear_down(&w);
}
END_TEST

/* The other end of the pipe is there, and takes no part. */
START_TEST(who_is_silent_is_waited_for_as_long_as_asked)
{
    const struct load_result *r;
    struct world w;

    set_up(&w, BROWSER_TLS13_EMBEDDED, false, false);
    w.silent = true;
    r = load(&w, BROWSER_FIRST, false, TLSYN_MS(50));
    ck_assert(w.done);
    ck_assert_int_lt(r->error, 0);
    ck_assert_int_eq(r->there, 0);
    tear_down(&w);
}
END_TEST

Suite *carrier_stack_suite(void);

Suite *carrier_stack_suite(void)
{
    Suite *suite = suite_create("carrier_stack");
    TCase *tcase = tcase_create("carrier_stack");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_handshake_loads_the_page, 0, BROWSER_HANDSHAKES);
    tcase_add_loop_test(tcase, who_knows_sessions_asks_early, BROWSER_HANDSHAKES - 2,
                        BROWSER_HANDSHAKES);
    tcase_add_loop_test(tcase, who_is_opened_beside_resumes, BROWSER_TLS13_EMBEDDED,
                        BROWSER_TLS13_EMBEDDED + 1);
    tcase_add_test(tcase, who_does_not_listen_is_told_of);
    tcase_add_test(tcase, who_is_silent_is_waited_for_as_long_as_asked);
    suite_add_tcase(suite, tcase);
    return suite;
}
