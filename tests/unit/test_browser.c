/* The browser of round trips: what was published, the rules by themselves, other handshakes; the
 * study about it. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "study/pageload/page_published.h"
#include "study/pageload/pageload.h"

static struct page page;
static struct browser_load load;

static void setup(void)
{
    page_typical(&page);
}

static int handshake_named(const char *name)
{
    for (int i = 0; i < BROWSER_HANDSHAKES; i++) {
        if (strcmp(browser_handshakes[i].name, name) == 0)
            return i;
    }
    ck_abort_msg("no handshake %s", name);
    return -1;
}

static int round_trips(const char *handshake, enum browser_visit visit)
{
    ck_assert_int_eq(
        browser_load_page(&page,
                          &(struct browser_kind){&browser_handshakes[handshake_named(handshake)],
                                                 visit, BROWSER_HTTP_1, false},
                          &load),
        0);
    return load.round_trips;
}

/* The event that fetches this URL. */
static const struct browser_event *get_of(const char *name)
{
    for (int i = 0; i < load.events; i++) {
        if (load.event[i].step == LOAD_GET && strcmp(page.url[load.event[i].url].name, name) == 0)
            return &load.event[i];
    }
    ck_abort_msg("%s was not fetched", name);
    return NULL;
}

/* --- as published ----------------------------------------------------------------------------- */

START_TEST(the_page_has_29_urls)
{
    int kinds[PAGE_IMAGE + 1] = {0};

    ck_assert_int_eq(page.urls, 29);
    for (int i = 0; i < page.urls; i++) {
        kinds[page.url[i].kind]++;
        ck_assert_int_lt(page.url[i].parent, i);
    }
    ck_assert_int_eq(kinds[PAGE_HTML], 1);
    ck_assert_int_eq(kinds[PAGE_FRAME], 2);
    ck_assert_int_eq(kinds[PAGE_CSS], 2);
    ck_assert_int_eq(kinds[PAGE_SCRIPT], 4);
    ck_assert_int_eq(kinds[PAGE_REDIRECT], 2);
    ck_assert_int_eq(kinds[PAGE_IMAGE], 18);
}
END_TEST

START_TEST(it_takes_16_and_12_and_7)
{
    ck_assert_int_eq(round_trips("tls1.2-sequential", BROWSER_UNOPTIMIZED), 16);
    ck_assert_int_eq(round_trips("tls1.2-sequential", BROWSER_FIRST), 12);
    ck_assert_int_eq(round_trips("tls1.2-sequential", BROWSER_REPEAT), 7);
}
END_TEST

/* By hand, for TLS 1.2 sequential: 3 for the connection, then the page, frames, style sheets, two
 * scripts one after the other where they block, the redirection, and for its target a name, a
 * connection and a request. At a visit again 108 KB are asked for at once, of which 14, 43 and 101
 * are there after one, two and three round trips. */
START_TEST(http_2_takes_one_connection_to_each_server)
{
    static const int expected[BROWSER_VISITS] = {14, 11, 7};
    const struct browser_kind kind = {&browser_handshakes[_i / BROWSER_VISITS],
                                      (enum browser_visit)(_i % BROWSER_VISITS), BROWSER_HTTP_2,
                                      false};

    ck_assert_int_eq(browser_load_page(&page, &kind, &load), 0);
    ck_assert_int_eq(load.connections, 2);
    if (kind.handshake == &browser_handshakes[0])
        ck_assert_int_eq(load.round_trips, expected[kind.visit]);
}
END_TEST

/* RFC 6928 2: ten segments; RFC 5681 3.1: what is acknowledged once more, and as much again. */
START_TEST(a_long_file_begins_slowly)
{
    static const struct {
        uint32_t bytes;
        int round_trips;
    } rows[] = {{1, 1},
                {BROWSER_WINDOW - BROWSER_HEAD, 1},
                {BROWSER_WINDOW - BROWSER_HEAD + 1, 2},
                {3 * BROWSER_WINDOW - BROWSER_HEAD, 2},
                {3 * BROWSER_WINDOW, 3},
                {15 * BROWSER_WINDOW - BROWSER_HEAD, 4}};
    const struct browser_kind kind = {&browser_handshakes[0], BROWSER_FIRST, BROWSER_HTTP_1, false};

    page.urls = 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        page.url[0].size = rows[i].bytes;
        ck_assert_int_eq(browser_load_page(&page, &kind, &load), 0);
        ck_assert_int_eq(load.round_trips, 3 + rows[i].round_trips);
    }
}
END_TEST

/* As many bytes as come within the first round trip, with whom. */
static uint32_t comes_at_once(const char *handshake, enum browser_visit visit, bool late_tickets)
{
    const struct browser_kind kind = {&browser_handshakes[handshake_named(handshake)], visit,
                                      BROWSER_HTTP_1, late_tickets};
    int least;

    page.urls = 1;
    page.url[0].size = 1;
    ck_assert_int_eq(browser_load_page(&page, &kind, &load), 0);
    least = load.round_trips;
    while (load.round_trips == least) {
        page.url[0].size++;
        ck_assert_int_eq(browser_load_page(&page, &kind, &load), 0);
    }
    return page.url[0].size - 1;
}

/* What the server sends behind the first segment of its flight is acknowledged when the answer has
 * filled the window. Who resumes gets no more than a segment. */
START_TEST(tickets_ahead_open_the_window)
{
    uint32_t none = BROWSER_WINDOW - BROWSER_HEAD;
    uint32_t ahead = none + 830 + 16 * 182 - BROWSER_SEGMENT;

    ck_assert_uint_eq(comes_at_once("tls1.2-sequential", BROWSER_FIRST, false), none);
    ck_assert_uint_eq(comes_at_once("tls1.3-sequential", BROWSER_FIRST, false), ahead);
    ck_assert_uint_eq(comes_at_once("tls1.3-sequential", BROWSER_FIRST, true), none);
    ck_assert_uint_eq(comes_at_once("tls1.3-embedded", BROWSER_FIRST, false), ahead);
    ck_assert_uint_eq(comes_at_once("tls1.3-embedded-0rtt", BROWSER_REPEAT, false), none);
}
END_TEST

/* A visit again asks one connection for more than seven times the initial window. */
START_TEST(of_a_page_asked_for_at_once_they_spare_a_round_trip)
{
    static const struct {
        const char *handshake;
        int ahead, late;
    } rows[] = {{"tls1.2-sequential", 7, 7},      {"tls1.2-embedded", 6, 6},
                {"tls1.3-sequential", 5, 6},      {"tls1.3-embedded", 4, 5},
                {"tls1.3-sequential-0rtt", 5, 5}, {"tls1.3-embedded-0rtt", 4, 4}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct browser_kind kind = {&browser_handshakes[handshake_named(rows[i].handshake)],
                                    BROWSER_REPEAT, BROWSER_HTTP_2, false};

        ck_assert_int_eq(browser_load_page(&page, &kind, &load), 0);
        ck_assert_int_eq(load.round_trips, rows[i].ahead);
        kind.late_tickets = true;
        ck_assert_int_eq(browser_load_page(&page, &kind, &load), 0);
        ck_assert_int_eq(load.round_trips, rows[i].late);
    }
}
END_TEST

/* A bar's place from the top; the rest of the drawing behind it. Each is drawn twice. */
static int next_bar(const char **svg)
{
    const char *ground = strstr(*svg, "<rect"), *bar = ground ? strstr(ground + 1, "<rect") : NULL;
    const char *y = bar ? strstr(bar, " y=\"") : NULL;

    ck_assert_ptr_nonnull(y);
    *svg = y;
    return atoi(y + 4);
}

START_TEST(what_happens_at_one_time_on_a_connection_has_a_line_each)
{
    static const struct waterfall_bar bars[] = {{LOAD_GET, 1, 0, 1, "a"},
                                                {LOAD_GET, 1, 0.5, 2, "b"},
                                                {LOAD_GET, 1, 1, 2, "c"},
                                                {LOAD_GET, 2, 0, 1, "d"}};
    const struct waterfall w = {.connections = 2, .bar = bars, .bars = 4};
    const char *at;
    char *svg = NULL;
    int y[4];

    ck_assert_int_eq(waterfall_svg(&w, &svg), 0);
    at = svg;
    for (int i = 0; i < 4; i++)
        y[i] = next_bar(&at);
    ck_assert_int_eq(y[2], y[0]);
    ck_assert_int_gt(y[1], y[0]);
    ck_assert_int_gt(y[3], y[1]);
    free(svg);
}
END_TEST

static int count(const char *text, const char *word)
{
    int n = 0;

    for (; (text = strstr(text, word)) != NULL; text++)
        n++;
    return n;
}

/* A real server may be so near, or so slow. */
START_TEST(a_load_of_thousands_of_round_trips_is_drawn_whole)
{
    static const struct waterfall_bar bars[] = {{LOAD_GET, 1, 0, 1, "a"},
                                                {LOAD_GET, 1, 1, 2000, "b"}};
    const struct waterfall w = {.connections = 1, .bar = bars, .bars = 2};
    char *svg = NULL;

    ck_assert_int_eq(waterfall_svg(&w, &svg), 0);
    ck_assert_int_eq(count(svg, "<rect"), 2 * 2);
    ck_assert_int_lt(count(svg, "<line"), 50);
    ck_assert_ptr_nonnull(strstr(svg, ">b</text>"));
    free(svg);
}
END_TEST

START_TEST(the_published_events_add_up)
{
    static const int expected[] = {16, 12, 7};
    const struct page_events *events = page_published_events((enum browser_visit)_i);
    struct page_event wrong[64];

    ck_assert_int_eq(page_replay(events), expected[_i]);
    memcpy(wrong, events->event, (size_t)events->count * sizeof(wrong[0]));
    wrong[events->count - 1].prints++;
    ck_assert_int_eq(page_replay(&(const struct page_events){wrong, events->count}), -EINVAL);
}
END_TEST

/* The same connections are busy in the same round trips; the second table forgets one image. */
START_TEST(the_browser_does_what_the_published_events_say)
{
    static const int forgotten[] = {0, 1, 0};
    const struct page_events *events = page_published_events((enum browser_visit)_i);
    int missing = 0, extra = 0;

    (void)round_trips("tls1.2-sequential", (enum browser_visit)_i);
    page_compare(events, &load, &missing, &extra);
    ck_assert_int_eq(missing, forgotten[_i]);
    ck_assert_int_eq(extra, 0);
    load.event[load.events - 1].end++;
    page_compare(events, &load, &missing, &extra);
    ck_assert_int_eq(missing, forgotten[_i] + 1);
    ck_assert_int_eq(extra, 1);
}
END_TEST

/* --- the rules -------------------------------------------------------------------------------- */

START_TEST(a_parser_waits_for_sheets_and_scripts)
{
    (void)round_trips("tls1.2-sequential", BROWSER_UNOPTIMIZED);
    ck_assert_int_ge(get_of("JS1_1")->start, get_of("CSS1")->end);
    ck_assert_int_ge(get_of("JS1_2")->start, get_of("JS1_1")->end);
    ck_assert_int_ge(get_of("IMG1_1")->start, get_of("JS1_2")->end);
    (void)round_trips("tls1.2-sequential", BROWSER_FIRST);
    ck_assert_int_eq(get_of("JS1_2")->start, get_of("CSS1")->start);
}
END_TEST

/* Whatever the handshake: once each, one at a time per connection, never before it was found, no
 * more connections than allowed. */
START_TEST(no_load_breaks_the_rules)
{
    const struct browser_handshake *handshake = &browser_handshakes[_i / BROWSER_VISITS];
    enum browser_visit visit = (enum browser_visit)(_i % BROWSER_VISITS);
    int end_of_url[PAGE_URLS_MAX] = {0}, end_of_connection[BROWSER_CONNECTIONS_MAX + 1] = {0};
    int host_of[BROWSER_CONNECTIONS_MAX + 1], on_host[PAGE_HOSTS_MAX] = {0};

    memset(host_of, -1, sizeof(host_of));
    ck_assert_int_eq(
        browser_load_page(&page, &(struct browser_kind){handshake, visit, BROWSER_HTTP_1, false},
                          &load),
        0);
    for (int i = 0; i < load.events; i++) {
        const struct browser_event *e = &load.event[i];
        const struct page_url *url = e->url >= 0 ? &page.url[e->url] : NULL;

        ck_assert_int_ge(e->start, end_of_connection[e->connection]);
        end_of_connection[e->connection] = e->end;
        if (e->step != LOAD_GET)
            continue;
        ck_assert_int_eq(e->end, e->start + 1);
        ck_assert_int_eq(end_of_url[e->url], 0);
        end_of_url[e->url] = e->end;
        if (visit != BROWSER_REPEAT && url->parent >= 0)
            ck_assert_int_ge(e->start, end_of_url[url->parent]);
        if (host_of[e->connection] < 0)
            on_host[url->host]++;
        else
            ck_assert_int_eq(host_of[e->connection], url->host);
        host_of[e->connection] = url->host;
    }
    for (int i = 0; i < page.urls; i++)
        ck_assert_int_gt(end_of_url[i], 0);
    for (int i = 0; i < page.hosts; i++)
        ck_assert_int_le(on_host[i], page.host[i].connections);
}
END_TEST

/* Sessions are resumed once one is known: with the handshake's end. */
START_TEST(a_session_is_resumed_when_it_is_known)
{
    int full = 0;

    (void)round_trips("tls1.2-sequential", BROWSER_UNOPTIMIZED);
    for (int i = 0; i < load.events; i++)
        full += load.event[i].step == LOAD_FULL;
    ck_assert_int_eq(full, 3); /* the first one, and two at once to the other server */
    full = 0;
    (void)round_trips("tls1.3-embedded", BROWSER_REPEAT); /* all are opened with the first's end */
    for (int i = 0; i < load.events; i++)
        full += load.event[i].step == LOAD_FULL;
    ck_assert_int_eq(full, 3);
    (void)round_trips("tls1.3-embedded-0rtt", BROWSER_REPEAT);
    for (int i = 0; i < load.events; i++)
        ck_assert_int_ne(load.event[i].step, LOAD_FULL);
}
END_TEST

START_TEST(a_page_with_one_connection_is_fetched_one_by_one)
{
    page.host[0].connections = page.host[1].connections = 1;
    ck_assert_int_eq(round_trips("tls1.3-embedded-0rtt", BROWSER_REPEAT), 27);
    ck_assert_int_eq(load.connections, 2);
}
END_TEST

START_TEST(a_page_that_nobody_can_load_is_refused)
{
    const struct browser_kind kind = {.handshake = &browser_handshakes[0]};

    page.url[5].parent = 5;
    ck_assert_int_eq(browser_load_page(&page, &kind, &load), -EINVAL);
    page_typical(&page);
    page.host[0].connections = 0;
    ck_assert_int_eq(browser_load_page(&page, &kind, &load), -EINVAL);
}
END_TEST

/* --- other handshakes ------------------------------------------------------------------------- */

START_TEST(embedding_saves_a_round_trip_per_handshake_in_a_row)
{
    /* three in a row: the page's, its second connection's or a pooled one, the image server's */
    ck_assert_int_eq(round_trips("tls1.2-embedded", BROWSER_UNOPTIMIZED), 13);
    ck_assert_int_eq(round_trips("tls1.3-sequential", BROWSER_UNOPTIMIZED), 14);
    ck_assert_int_eq(round_trips("tls1.3-embedded", BROWSER_UNOPTIMIZED), 11);
    ck_assert_int_eq(round_trips("tls1.3-sequential", BROWSER_REPEAT), 6);
    ck_assert_int_eq(round_trips("tls1.3-embedded", BROWSER_REPEAT), 4);
}
END_TEST

/* What is known, and asked for in SYNs: 16 URLs, then the rest; beside it the name of the other
 * server, then its two images. */
START_TEST(early_data_in_the_syn_leaves_two_round_trips_of_a_known_page)
{
    ck_assert_int_eq(round_trips("tls1.3-embedded-0rtt", BROWSER_REPEAT), 2);
    ck_assert_int_eq(get_of("HTML")->end, 1);
    ck_assert_int_eq(get_of("RI1")->end, 2);
}
END_TEST

/* --- the study -------------------------------------------------------------------------------- */

static char *printed(int (*print)(const struct pageload *, FILE *), const struct pageload *p)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ck_assert_int_eq(print(p, out), 0);
    (void)fclose(out);
    return text;
}

static int print_text(const struct pageload *p, FILE *out)
{
    return pageload_text(p, out, 0);
}

START_TEST(all_are_reported_or_those_that_were_asked_for)
{
    static struct pageload p;
    struct pageload_options options = {
        .handshake = -1, .visit = -1, .http = 1u << BROWSER_HTTP_1, .command = "c", .version = "v"};
    char *text;

    ck_assert_int_eq(pageload_count(&p, &options), 0);
    ck_assert_int_eq(p.rows, BROWSER_HANDSHAKES * BROWSER_VISITS);
    text = printed(print_text, &p);
    ck_assert_ptr_nonnull(strstr(text, "tls1.2-sequential                16     12       7"));
    ck_assert_ptr_null(strstr(text, "TLS, resumed"));
    free(text);
    text = printed(pageload_json, &p);
    ck_assert_ptr_nonnull(strstr(text, "\"handshake\": \"tls1.3-embedded-0rtt\", \"visit\": "
                                       "\"repeat\", \"round_trips\": 2"));
    free(text);
    text = printed(pageload_html, &p);
    ck_assert_ptr_nonnull(strstr(text, "<svg"));
    ck_assert_ptr_nonnull(strstr(text, "connection 17, 15 to 16: RI1"));
    free(text);
    options.handshake = options.visit = 0;
    options.events = true;
    ck_assert_int_eq(pageload_count(&p, &options), 0);
    ck_assert_int_eq(p.rows, 1);
    text = printed(print_text, &p);
    ck_assert_ptr_nonnull(strstr(text, "TLS, resumed"));
    free(text);
}
END_TEST

START_TEST(events_that_go_together_are_one_line)
{
    char text[64];

    load = (struct browser_load){.events = 5,
                                 .event = {{LOAD_TCP, 4, -1, 1, 2},
                                           {LOAD_TCP, 5, -1, 1, 2},
                                           {LOAD_TCP, 6, -1, 1, 2},
                                           {LOAD_TCP, 9, -1, 1, 2},
                                           {LOAD_GET, 10, 0, 1, 2}}};
    ck_assert_int_eq(pageload_group(&load, 0, text, sizeof(text)), 4);
    ck_assert_str_eq(text, "4-6, 9");
    ck_assert_int_eq(pageload_group(&load, 4, text, sizeof(text)), 5);
    ck_assert_str_eq(text, "10");
}
END_TEST

Suite *browser_suite(void);

Suite *browser_suite(void)
{
    Suite *s = suite_create("browser");
    TCase *published = tcase_create("as published");
    TCase *rules = tcase_create("rules");
    TCase *handshakes = tcase_create("handshakes");
    TCase *study = tcase_create("study");

    tcase_add_checked_fixture(published, setup, NULL);
    tcase_add_test(published, the_page_has_29_urls);
    tcase_add_test(published, it_takes_16_and_12_and_7);
    tcase_add_loop_test(published, http_2_takes_one_connection_to_each_server, 0,
                        BROWSER_HANDSHAKES * BROWSER_VISITS);
    tcase_add_test(published, what_happens_at_one_time_on_a_connection_has_a_line_each);
    tcase_add_test(published, a_load_of_thousands_of_round_trips_is_drawn_whole);
    tcase_add_test(published, a_long_file_begins_slowly);
    tcase_add_test(published, tickets_ahead_open_the_window);
    tcase_add_test(published, of_a_page_asked_for_at_once_they_spare_a_round_trip);
    tcase_add_loop_test(published, the_published_events_add_up, 0, BROWSER_VISITS);
    tcase_add_loop_test(published, the_browser_does_what_the_published_events_say, 0,
                        BROWSER_VISITS);
    suite_add_tcase(s, published);
    tcase_add_checked_fixture(rules, setup, NULL);
    tcase_add_test(rules, a_parser_waits_for_sheets_and_scripts);
    tcase_add_loop_test(rules, no_load_breaks_the_rules, 0, BROWSER_HANDSHAKES * BROWSER_VISITS);
    tcase_add_test(rules, a_session_is_resumed_when_it_is_known);
    tcase_add_test(rules, a_page_with_one_connection_is_fetched_one_by_one);
    tcase_add_test(rules, a_page_that_nobody_can_load_is_refused);
    suite_add_tcase(s, rules);
    tcase_add_checked_fixture(handshakes, setup, NULL);
    tcase_add_test(handshakes, embedding_saves_a_round_trip_per_handshake_in_a_row);
    tcase_add_test(handshakes, early_data_in_the_syn_leaves_two_round_trips_of_a_known_page);
    suite_add_tcase(s, handshakes);
    tcase_add_test(study, all_are_reported_or_those_that_were_asked_for);
    tcase_add_test(study, events_that_go_together_are_one_line);
    suite_add_tcase(s, study);
    return s;
}
