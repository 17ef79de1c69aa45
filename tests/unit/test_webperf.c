/*
 * study/webperf: from a database of known times to the paper's table and statements; and the robot
 * that fills it.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/rng.h"
#include "study/webperf/figures.h"
#include "study/webperf/tables.h"

Suite *webperf_suite(void);

enum { ROUNDS = 50 };

static char folder[64], path[96], message[STORE_MESSAGE_MAX];

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tlsyn-webperf-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/webperf.db", folder);
}

static void teardown(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(char word[STORE_WORD_MAX], const char *text)
{
    (void)snprintf(word, STORE_WORD_MAX, "%s", text);
}

static struct observation seen(const char *operation, double connect_ms)
{
    struct observation o = {.connect_us = connect_ms * 1e3,
                            .handshake_us = (double)NAN,
                            .first_byte_us = (double)NAN,
                            .syn_bytes = -1,
                            .synack_bytes = -1,
                            .link_kept = 1,
                            .link_late_us = connect_ms > 0 ? 20 : (double)NAN,
                            .timer_late_us = 60,
                            .cpu_ticks = 10,
                            .stolen_ticks = connect_ms > 0,
                            .status = -1};

    put(o.operation, operation);
    put(o.stack, "tlsyn");
    put(o.verdict, "ok");
    return o;
}

static struct observation got(const char *session, double handshake_ms, double first_byte_ms)
{
    struct observation o = seen("get", (double)NAN);

    put(o.tls, "1.2-ecdhe");
    put(o.mode, "sequential");
    put(o.session, session);
    o.handshake_us = handshake_ms * 1e3;
    o.first_byte_us = first_byte_ms * 1e3;
    return o;
}

/* A path of 50 ms: connect 1, new key 2 and a little, cached 1, GET 1 round trip. In every tenth
 * round the server would not resume, and the first takes two seconds for its GET. */
static void fill(struct store *store)
{
    struct store_run run = {.plan = "some", .target = "lab", .rtt_ms = 50, .seed = 1};
    struct rng rng;
    uint32_t rounds;

    rng_seed(&rng, 1);
    ck_assert_int_eq(store_begin(store, &run, &rounds, message), 0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        double noise = rng_below(&rng, 1000) / 1e3; /* of the round: everybody has it */
        struct observation all[] = {
            got("id", 100 + noise, i == 0 ? 2000 : 150 + noise),
            seen("tcp", 50 + noise),
            got("new", 151 + noise, 201 + noise),
            seen("ping", 50),
        };

        if (i % 10 == 9) {
            put(all[0].verdict, "refused");
            all[0].handshake_us = 151e3;
            (void)snprintf(all[0].reason, sizeof(all[0].reason), "a new session was made");
        }
        for (uint32_t k = 0; k < 4; k++) {
            all[k].round = i;
            all[k].place = k;
            all[k].when_us = 1000000 * (int64_t)i + k;
        }
        ck_assert_int_eq(store_add_round(store, all, 4, message), 0);
    }
}

static struct webperf *loaded(void)
{
    struct webperf *study = NULL;
    struct store *store = NULL;

    ck_assert_msg(store_open(path, STORE_WRITE, &store, message) == 0, "%s", message);
    fill(store);
    store_close(store);
    ck_assert_msg(webperf_load(path, &study, message) == 0, "%s", message);
    ck_assert_int_eq(webperf_analyse(study), 0);
    return study;
}

#define ck_ms(value, expected) ck_assert_double_eq_tol(value, expected, 1e-6)

START_TEST(the_table_has_the_times_that_were_observed)
{
    struct webperf *study = loaded();
    const struct webperf_row *row = &study->rows[0];

    ck_assert_uint_eq(study->rounds, ROUNDS);
    ck_assert_uint_eq(study->row_count, 1);
    ck_assert_str_eq(row->cached->what.session, "id");
    ck_assert_uint_eq(row->pairs, ROUNDS - ROUNDS / 10);
    ck_ms(row->s_new.estimate, 101); /* paired: the rounds' noise is gone */
    ck_ms(row->s_new.lo, 101);
    ck_ms(row->s_cached.estimate, 50);
    ck_ms(row->h.estimate, 50);
    ck_assert_double_eq_tol(row->t.estimate, 50.5, 0.2);
    ck_assert_double_eq_tol(row->saving.estimate, 51 / 201.5, 0.002);
    ck_assert_double_lt(row->saving.lo, row->saving.hi);
    webperf_free(study);
}
END_TEST

START_TEST(what_was_refused_is_counted_and_not_averaged)
{
    struct webperf *study = loaded();
    const struct webperf_cell *id = study->rows[0].cached;

    ck_assert_uint_eq(id->refused, ROUNDS / 10);
    ck_assert_uint_eq(id->failed, 0);
    ck_assert_uint_eq(id->ok, ROUNDS - ROUNDS / 10);
    ck_assert_str_eq(id->reason, "a new session was made");
    ck_assert_double_lt(id->summary.p95, 152);
    webperf_free(study);
}
END_TEST

START_TEST(the_noise_is_summed_up)
{
    struct webperf *study = loaded();
    const struct webperf_noise *n = &study->noise;
    char text[WEBPERF_NOISE_MAX];

    ck_assert_uint_eq(n->timers, 4 * ROUNDS);
    ck_assert_uint_eq(n->links, 2 * ROUNDS); /* pings and connects know */
    ck_assert_double_eq_tol(n->machine.timer_p99_us, 60, 1e-9);
    ck_assert_double_eq_tol(n->machine.steal, 2.0 / 40, 1e-9);
    ck_assert_double_eq_tol(n->link_max_us, 20, 1e-9);
    ck_assert_double_eq_tol(n->ping_error_ms, 0, 1e-9);
    ck_assert_ptr_nonnull(strstr(webperf_noise_text(study, text), "kept in 200 of 200"));
    ck_assert_ptr_nonnull(strstr(text, "5.0 % of the processors' time was stolen"));
    webperf_free(study);
}
END_TEST

START_TEST(an_outlier_is_counted_and_not_hidden)
{
    struct webperf *study = loaded();
    const struct webperf_cell *id = study->rows[0].cached;

    ck_assert_uint_eq(id->outliers, 1);
    ck_assert_double_eq(id->summary.max, 2000);
    webperf_free(study);
}
END_TEST

START_TEST(what_costs_more_than_it_saves_is_drawn)
{
    struct webperf *study = loaded();
    struct html html;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    study->rows[0].saving = (struct stats_interval){-0.2, -0.3, -0.1};
    html_begin(&html, out, "", "");
    webperf_figure_saving(study, 0, &html);
    ck_assert_int_eq(html_end(&html), 0);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(text, "-20</")); /* at the axis */
    free(text);
    webperf_free(study);
}
END_TEST

/* Of each suite, over each stack that has sequential handshakes. */
START_TEST(no_statement_is_left_out)
{
    static const char *const suites[] = {"1.2-rsa", "1.2-ecdhe", "1.3"};
    struct webperf *study = loaded();
    struct webperf_cell cells[6];

    for (size_t i = 0; i < 6; i++) {
        cells[i] = *study->rows[0].cached;
        put(cells[i].what.stack, i < 3 ? "tlsyn" : "kernel");
        put(cells[i].what.tls, suites[i % 3]);
        put(cells[i].what.session, i % 3 == 2 ? "psk" : "id");
        study->rows[i] = study->rows[0];
        study->rows[i].cached = &cells[i];
    }
    study->row_count = 6;
    webperf_claim(study);
    ck_assert_uint_eq(study->claim_count, 6 * 4);
    webperf_free(study);
}
END_TEST

START_TEST(what_is_seen_of_one_pair_has_no_interval)
{
    const struct stats_interval one = {50, (double)NAN, (double)NAN};
    struct webperf *study = loaded();

    study->rows[0].s_new = study->rows[0].s_cached = study->rows[0].saving = one;
    webperf_claim(study);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(study->claims[i].verdict, WEBPERF_UNDECIDED);
        ck_assert_ptr_nonnull(strstr(study->claims[i].seen, "too few for an interval"));
        ck_assert_ptr_null(strstr(study->claims[i].seen, "nan"));
    }
    webperf_free(study);
}
END_TEST

START_TEST(the_papers_statements_get_a_verdict)
{
    struct webperf *study = loaded();

    ck_assert_uint_eq(study->claim_count, 4);
    ck_assert_int_eq(study->claims[0].verdict, WEBPERF_HOLDS); /* 50 of 101 */
    ck_assert_int_eq(study->claims[1].verdict, WEBPERF_HOLDS); /* 101 and 50 by 50.5 */
    ck_assert_int_eq(study->claims[2].verdict, WEBPERF_HOLDS); /* 25 % */
    ck_assert_int_eq(study->claims[3].verdict, WEBPERF_FAILS); /* 202 ms */
    webperf_free(study);
}
END_TEST

static char *written(const struct webperf *study,
                     int (*write)(const struct webperf *, const struct webperf_report *, FILE *))
{
    const struct webperf_report report = {
        .bin_ms = 10, .database = "webperf.db", .command = "report"};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(write(study, &report, out), 0);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

START_TEST(page_and_json_hold_the_table_and_the_figures)
{
    struct webperf *study = loaded();
    char *page = written(study, webperf_html), *json = written(study, webperf_json);

    ck_assert_ptr_nonnull(strstr(page, "a new session was made"));
    ck_assert_ptr_nonnull(strstr(page, "<td class=\"short\">id</td>"));
    ck_assert_ptr_nonnull(strstr(page, "distribution functions"));
    ck_assert_ptr_nonnull(strstr(page, "What it saves, near and far"));
    ck_assert_ptr_nonnull(strstr(page, "webperf.db"));
    ck_assert_ptr_nonnull(strstr(json, "\"tls_cached_ms\": 50,"));
    ck_assert_ptr_nonnull(strstr(json, "\"refused\": 5"));
    free(page);
    free(json);
    webperf_free(study);
}
END_TEST

/* The same words of two servers, one of them slower by a round trip of 50 ms. */
START_TEST(servers_have_their_own_rows_and_tables)
{
    static const char *const urls[] = {"https://far.test/", "https://a.test/"};
    struct store_run run = {.plan = "some", .target = "https://far.test/ https://a.test/"};
    struct webperf *study = NULL;
    struct store *store = NULL;
    struct report_table table;
    uint32_t rounds;

    ck_assert_int_eq(store_open(path, STORE_WRITE, &store, message), 0);
    ck_assert_int_eq(store_begin(store, &run, &rounds, message), 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct observation all[6];

        for (uint32_t k = 0; k < 6; k++) {
            double far = k < 3 ? 50 : 0;

            all[k] = k % 3 == 0   ? seen("tcp", 50 + far)
                     : k % 3 == 1 ? got("new", 150 + far, 200 + far)
                                  : got("id", 100 + far, 150 + far);
            all[k].round = i;
            all[k].place = k;
            all[k].status = k % 3 ? 200 : -1;
            (void)snprintf(all[k].url, sizeof(all[k].url), "%s", urls[k / 3]);
            (void)snprintf(all[k].address, sizeof(all[k].address), "192.0.2.%d", i == 3 ? 2 : 1);
        }
        ck_assert_int_eq(store_add_round(store, all, 6, message), 0);
    }
    store_close(store);
    ck_assert_int_eq(webperf_load(path, &study, message), 0);
    ck_assert_int_eq(webperf_analyse(study), 0);
    ck_assert_uint_eq(study->server_count, 2);
    ck_assert_str_eq(study->servers[0].url, "https://a.test/");
    ck_assert(study->servers[0].moved && study->servers[0].status == 200);
    ck_assert_uint_eq(study->row_count, 2);
    ck_ms(study->rows[0].w.estimate, 200);
    ck_ms(study->rows[1].w.estimate, 250);
    ck_ms(study->rows[0].t.estimate, 50);
    ck_ms(study->rows[1].t.estimate, 100); /* its own connect */
    ck_assert_ptr_nonnull(strstr(study->claims[0].of, "https://a.test/: TLS"));
    webperf_table_savings(study, 1, &table);
    ck_assert_uint_eq(table.count, 2); /* its heading, and its only row */
    report_table_fini(&table);
    webperf_free(study);
}
END_TEST

START_TEST(a_database_without_a_round_says_so)
{
    struct store_run run = {.plan = "some", .target = "lab", .rtt_ms = 50};
    struct webperf *study = NULL;
    struct store *store = NULL;
    uint32_t rounds;

    ck_assert_int_eq(webperf_load(path, &study, message), -EIO);
    ck_assert_int_eq(store_open(path, STORE_WRITE, &store, message), 0);
    ck_assert_int_eq(store_begin(store, &run, &rounds, message), 0);
    store_close(store);
    ck_assert_int_eq(webperf_load(path, &study, message), -ENODATA);
    ck_assert_ptr_nonnull(strstr(message, "no round"));
}
END_TEST

/* --- the robot -------------------------------------------------------------------------------- */

/* Takes no time, and is interrupted (or broken) after so many observations. */
struct fake {
    struct webperf_prober prober;
    struct study_observer observer;
    int observed, interrupt_at, break_at;
    uint32_t told, last; /* how often a median was told, and how far it was */
    struct rng rng;
};

static struct fake *of_observer(struct study_observer *o)
{
    return (struct fake *)((char *)o - offsetof(struct fake, observer));
}

static int fake_observe(struct webperf_prober *prober, struct observation *o,
                        char why[STUDY_MESSAGE_MAX])
{
    struct fake *fake = (struct fake *)prober;

    if (++fake->observed == fake->break_at) {
        (void)snprintf(why, STUDY_MESSAGE_MAX, "the link is gone");
        return -EIO;
    }
    put(o->verdict, "ok");
    o->connect_us = o->first_byte_us = 50000 + rng_below(&fake->rng, 1000);
    o->handshake_us = o->first_byte_us / 2;
    return 0;
}

static void no_note(struct study_observer *o, const char *sentence)
{
    (void)o;
    (void)sentence;
}

/* It never goes back. */
static void on_progress(struct study_observer *o, uint32_t done, uint32_t total, const char *status)
{
    struct fake *fake = of_observer(o);

    ck_assert_uint_le(done, total);
    ck_assert_uint_ge(done, fake->last);
    fake->last = done;
    fake->told += strstr(status, " ms") != NULL;
}

static bool is_interrupted(struct study_observer *o)
{
    const struct fake *fake = of_observer(o);

    return fake->interrupt_at > 0 && fake->observed >= fake->interrupt_at;
}

static struct fake a_fake(void)
{
    struct fake fake = {.prober = {fake_observe},
                        .observer = {no_note, no_note, on_progress, is_interrupted}};

    rng_seed(&fake.rng, 3);
    return fake;
}

static struct webperf_options asked(uint32_t rounds)
{
    struct webperf_options options = {
        .database = path, .kind_count = 3, .rounds = rounds, .run = {.target = "lab", .seed = 5}};

    options.kinds[0] = seen("tcp", 0);
    options.kinds[1] = got("new", 0, 0);
    options.kinds[2] = got("id", 0, 0);
    return options;
}

static int robot(struct fake *fake, uint32_t rounds)
{
    const struct webperf_options options = asked(rounds);

    return webperf_run(&options, &fake->prober, &fake->observer, message);
}

/* What was observed, in its order, a letter each. */
struct order {
    char text[256];
    size_t n;
};

static int note_order(void *context, const struct observation *o)
{
    struct order *order = context;

    ck_assert_uint_eq(order->n, o->round * 3 + o->place);
    order->text[order->n++] = o->session[0] ? o->session[0] : 't';
    return 0;
}

static struct order order_in_database(void)
{
    struct order order = {.n = 0};
    struct store *store = NULL;

    ck_assert_int_eq(store_open(path, STORE_READ, &store, message), 0);
    ck_assert_int_eq(store_each(store, note_order, &order, message), 0);
    store_close(store);
    return order;
}

START_TEST(a_run_that_was_interrupted_goes_on_as_if_it_had_not_been)
{
    struct fake whole = a_fake(), first = a_fake(), second = a_fake();
    struct order one, two;

    ck_assert_int_eq(robot(&whole, 12), 0);
    one = order_in_database();
    ck_assert_int_eq(unlink(path), 0);
    first.interrupt_at = 17; /* within the sixth round */
    ck_assert_int_eq(robot(&first, 12), 0);
    ck_assert_uint_eq(order_in_database().n, 15);
    ck_assert_int_eq(robot(&second, 12), 0);
    two = order_in_database();
    ck_assert_uint_eq(one.n, 36);
    ck_assert_str_eq(one.text, two.text);
    ck_assert_ptr_nonnull(strstr(one.text, "i"));
    ck_assert_int_eq(second.observed, 21);
    ck_assert_uint_eq(whole.told, 36); /* with each observation */
    ck_assert_uint_eq(whole.last, 36);
    ck_assert_uint_eq(second.told, 21);
    ck_assert_uint_eq(second.last, 36);
}
END_TEST

START_TEST(what_cannot_be_gone_on_with_is_known_beforehand)
{
    struct webperf_options other = asked(2);
    const struct webperf_options same = asked(2);
    struct fake fake = a_fake();
    FILE *text;

    ck_assert_int_eq(webperf_try(&same, message), 0);
    ck_assert_int_ne(access(path, F_OK), 0); /* nothing was made of it */
    ck_assert_int_eq(robot(&fake, 1), 0);
    ck_assert_int_eq(webperf_try(&same, message), 0);
    other.kind_count = 2;
    ck_assert_int_eq(webperf_try(&other, message), -EEXIST);
    ck_assert_int_eq(unlink(path), 0);
    text = fopen(path, "w");
    ck_assert_ptr_nonnull(text);
    ck_assert_int_gt(fprintf(text, "no database at all, but some text that is long enough"), 0);
    ck_assert_int_eq(fclose(text), 0);
    ck_assert_int_lt(webperf_try(&same, message), 0);
    ck_assert_ptr_nonnull(strstr(message, "not a database"));
}
END_TEST

/* Of every word as many letters as it can have. */
START_TEST(as_many_kinds_as_a_round_can_have_are_one_plan)
{
    struct webperf_options options = asked(1);
    struct fake first = a_fake(), second = a_fake();

    options.kind_count = WEBPERF_KINDS_MAX;
    for (int i = 0; i < WEBPERF_KINDS_MAX; i++) {
        char name[STORE_WORD_MAX];

        (void)snprintf(name, sizeof(name), "%015d", i);
        options.kinds[i] = got(name, 0, 0);
        put(options.kinds[i].operation, "fifteen-letters");
        put(options.kinds[i].stack, "fifteen-letters");
        put(options.kinds[i].tls, "fifteen-letters");
        put(options.kinds[i].mode, "fifteen-letters");
    }
    ck_assert_int_eq(webperf_run(&options, &first.prober, &first.observer, message), 0);
    ck_assert_int_eq(first.observed, WEBPERF_KINDS_MAX);
    options.rounds = 2;
    ck_assert_int_eq(webperf_run(&options, &second.prober, &second.observer, message), 0);
    ck_assert_int_eq(second.observed, WEBPERF_KINDS_MAX);
    put(options.kinds[WEBPERF_KINDS_MAX - 1].session, "another");
    ck_assert_int_eq(webperf_run(&options, &second.prober, &second.observer, message), -EEXIST);
}
END_TEST

START_TEST(the_order_is_shuffled_in_each_round)
{
    struct fake fake = a_fake();
    struct order order;
    bool differs = false;

    ck_assert_int_eq(robot(&fake, 20), 0);
    order = order_in_database();
    for (size_t i = 3; i < order.n; i += 3)
        differs = differs || memcmp(order.text, order.text + i, 3) != 0;
    ck_assert(differs);
}
END_TEST

START_TEST(it_ends_when_it_is_precise_enough)
{
    struct webperf_options options = asked(40);
    struct fake fake = a_fake();

    options.precision = 0.05; /* the times differ by 2 per cent */
    ck_assert_int_eq(webperf_run(&options, &fake.prober, &fake.observer, message), 0);
    ck_assert_uint_eq(order_in_database().n, 30);
    options.precision = 1e-9;
    ck_assert_int_eq(webperf_run(&options, &fake.prober, &fake.observer, message), 0);
    ck_assert_uint_eq(order_in_database().n, 120);
}
END_TEST

START_TEST(what_breaks_it_is_said_and_whole_rounds_stay)
{
    struct fake fake = a_fake();

    fake.break_at = 8;
    ck_assert_int_eq(robot(&fake, 12), -EIO);
    ck_assert_str_eq(message, "the link is gone");
    ck_assert_uint_eq(order_in_database().n, 6);
}
END_TEST

Suite *webperf_suite(void)
{
    Suite *suite = suite_create("webperf");
    TCase *tc = tcase_create("webperf");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_table_has_the_times_that_were_observed);
    tcase_add_test(tc, what_was_refused_is_counted_and_not_averaged);
    tcase_add_test(tc, the_noise_is_summed_up);
    tcase_add_test(tc, an_outlier_is_counted_and_not_hidden);
    tcase_add_test(tc, what_is_seen_of_one_pair_has_no_interval);
    tcase_add_test(tc, the_papers_statements_get_a_verdict);
    tcase_add_test(tc, what_costs_more_than_it_saves_is_drawn);
    tcase_add_test(tc, no_statement_is_left_out);
    tcase_add_test(tc, page_and_json_hold_the_table_and_the_figures);
    tcase_add_test(tc, servers_have_their_own_rows_and_tables);
    tcase_add_test(tc, a_database_without_a_round_says_so);
    tcase_add_test(tc, a_run_that_was_interrupted_goes_on_as_if_it_had_not_been);
    tcase_add_test(tc, what_cannot_be_gone_on_with_is_known_beforehand);
    tcase_add_test(tc, as_many_kinds_as_a_round_can_have_are_one_plan);
    tcase_add_test(tc, the_order_is_shuffled_in_each_round);
    tcase_add_test(tc, it_ends_when_it_is_precise_enough);
    tcase_add_test(tc, what_breaks_it_is_said_and_whole_rounds_stay);
    suite_add_tcase(suite, tc);
    return suite;
}
