/* study/table2: a short run in memory, where nothing but this process is needed; figures that
 * follow from samples; labels. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/table2/published.h"
#include "study/table2/table2.h"

struct counting {
    struct study_observer observer;
    uint32_t notes, last, total;
    uint32_t prepared;
    uint32_t stop_at;           /* observations, */
    uint32_t stop_preparing_at; /* or steps before them; 0: never */
};

static void on_note(struct study_observer *observer, const char *sentence)
{
    (void)sentence;
    ((struct counting *)observer)->notes++;
}

static void on_prepare(struct study_observer *observer, const char *what)
{
    struct counting *c = (struct counting *)observer;

    ck_assert_uint_eq(c->total, 0); /* before the first step */
    ck_assert_ptr_nonnull(strstr(what, " of "));
    c->prepared++;
}

static void on_progress(struct study_observer *observer, uint32_t done, uint32_t total,
                        const char *status)
{
    struct counting *c = (struct counting *)observer;

    ck_assert_ptr_nonnull(status);
    ck_assert_ptr_null(strstr(status, "nan"));
    ck_assert(done == c->last + 1 || (done == 0 && c->total == 0)); /* 0: it begins */
    c->last = done;
    c->total = total;
}

static bool is_over(struct study_observer *observer)
{
    struct counting *c = (struct counting *)observer;

    return (c->stop_at > 0 && c->last >= c->stop_at) ||
           (c->stop_preparing_at > 0 && c->prepared >= c->stop_preparing_at);
}

static char folder[64];

static struct table2_options options_in_memory(void)
{
    struct table2_options o;

    table2_defaults(&o);
    ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/tlsyn-table2-XXXXXX")));
    o.link = TABLE2_MEMORY;
    o.ping_ms[0] = 5;
    o.ping_ms[1] = 45; /* far apart: what else runs on the machine is small against it */
    o.pings = 2;
    o.rounds = 5;
    o.warmup = 1;
    o.folder = folder;
    o.command = "test";
    o.version = "test";
    return o;
}

static struct table2 *run(const struct table2_options *o, struct counting *c)
{
    struct table2 *t = NULL;
    char message[TABLE2_MESSAGE_MAX];

    c->observer = (struct study_observer){on_note, on_prepare, on_progress, is_over};
    ck_assert_msg(table2_run(o, &c->observer, &t, message) == 0, "%s", message);
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(table2_analyse(t), 0);
    return t;
}

static void finish(struct table2 *t)
{
    char path[sizeof(folder) + 80];

    for (size_t i = 0; i < t->capture_count; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, t->captures[i].name);
        (void)remove(path);
    }
    (void)remove(folder);
    table2_free(t);
}

static char *written(const struct table2 *t, int (*write)(const struct table2 *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(write(t, out), 0);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static int write_text(const struct table2 *t, FILE *out)
{
    return table2_text(t, out, 0);
}

static double best_us(const struct table2 *t, uint32_t cell)
{
    double best = (double)INFINITY;

    for (size_t i = 0; i < t->samples.count; i++) {
        const struct sample *s = &t->samples.samples[i];

        if (s->cell == cell && !s->failed)
            best = fmin(best, s->handshake_us);
    }
    return best;
}

/* n round trips take n times the delay at least, whatever the machine does. Of the second ping. */
static void ck_not_sooner(const struct table2 *t)
{
    double delay = (double)(t->targets[1].to_server + t->targets[1].to_client);

    for (uint32_t i = 0; i < t->member_count; i++) {
        const struct table2_member *m = &t->members[i];
        double trips = m->ping ? 1 : study_round_trips(&m->way);
        double us = best_us(t, t->member_count + i);

        ck_assert_msg(us >= trips * delay, "%u: %g at %g", i, us, delay);
    }
}

/* And in the best of all rounds less than one more. NULL, or the first that took longer. */
static const struct table2_member *later(const struct table2 *t)
{
    double delay = (double)(t->targets[1].to_server + t->targets[1].to_client);

    for (uint32_t i = 0; i < t->member_count; i++) {
        const struct table2_member *m = &t->members[i];

        if (best_us(t, t->member_count + i) >=
            ((m->ping ? 1 : study_round_trips(&m->way)) + 1) * delay)
            return m;
    }
    return NULL;
}

/* A busy machine may take longer than a round trip by itself: then the round trips get longer until
 * it doesn't. Those that are one too many stay so however long they are. */
static void ck_round_trips(const struct table2 *first, const struct table2_options *options)
{
    struct table2_options o = *options;
    const struct table2_member *m = later(first);

    ck_not_sooner(first);
    for (int tries = 0; m && tries < 4; tries++) {
        struct counting c = {.stop_at = 0};

        o.ping_ms[1] *= 2;
        o.rounds = 2;
        struct table2 *t = run(&o, &c);
        ck_not_sooner(t);
        m = later(t);
        table2_free(t);
    }
    ck_assert_msg(m == NULL, "more round trips than there should be, at %g ms too", o.ping_ms[1]);
}

START_TEST(embedding_saves_a_round_trip_in_memory)
{
    const struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 0};
    struct table2 *t = run(&o, &c);

    ck_assert_uint_eq(c.notes, 0);
    ck_assert_uint_eq(c.last, 2 * 6 * 7); /* pings, rounds; 6 handshakes and an echo */
    ck_assert_uint_eq(c.total, c.last);
    ck_assert_uint_eq(t->row_count, 12);
    ck_assert_uint_eq(t->fit_count, 6);
    for (size_t i = 0; i < t->row_count; i++)
        ck_assert_uint_eq(t->rows[i].n, 5);
    for (size_t i = 0; i < t->fit_count; i++)
        ck_assert(t->fits[i].valid);
    ck_round_trips(t, &o);
    finish(t);
}
END_TEST

/* Each kind of session, of which a handshake counts only if it was resumed so. */
START_TEST(returning_clients_save_another_one)
{
    struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 0};
    struct table2 *t = NULL;

    o.modes = TABLE2_ALL;
    o.rounds = 3;
    t = run(&o, &c);
    ck_assert_uint_eq(c.notes, 0);
    ck_assert_uint_eq(t->row_count, 2 * 2 * 9); /* pings, modes; three sessions of each suite */
    for (size_t i = 0; i < t->row_count; i++)
        ck_assert_msg(t->rows[i].n == 3, "%s", t->rows[i].reason);
    ck_round_trips(t, &o);
    finish(t);
}
END_TEST

START_TEST(round_trips_are_those_of_the_handshakes)
{
    static const struct {
        struct study_way way;
        int trips; /* -1: there is no such way */
    } cases[] = {
        {{STUDY_TLSYN, STUDY_12_RSA, STUDY_SEQUENTIAL, STUDY_NEW}, 3},
        {{STUDY_TLSYN, STUDY_12_RSA, STUDY_EMBEDDED, STUDY_NEW}, 2},
        {{STUDY_KERNEL, STUDY_12_ECDHE, STUDY_SEQUENTIAL, STUDY_ID}, 2},
        {{STUDY_KERNEL, STUDY_12_ECDHE, STUDY_EMBEDDED, STUDY_TICKET}, 1},
        {{STUDY_TLSYN, STUDY_13, STUDY_SEQUENTIAL, STUDY_NEW}, 2},
        {{STUDY_TLSYN, STUDY_13, STUDY_EMBEDDED, STUDY_PSK}, 1},
        {{STUDY_TLSYN, STUDY_13, STUDY_SEQUENTIAL, STUDY_EARLY}, 1},
        {{STUDY_TLSYN, STUDY_13, STUDY_EMBEDDED, STUDY_EARLY}, 0},
        {{STUDY_QUIC, STUDY_13, STUDY_EMBEDDED, STUDY_NEW}, 1},
        {{STUDY_QUIC, STUDY_13, STUDY_EMBEDDED, STUDY_EARLY}, 0},
        {{STUDY_QUIC, STUDY_13, STUDY_SEQUENTIAL, STUDY_NEW}, -1},
        {{STUDY_QUIC, STUDY_12_RSA, STUDY_EMBEDDED, STUDY_NEW}, -1},
        {{STUDY_TLSYN, STUDY_13, STUDY_EMBEDDED, STUDY_ID}, -1},
        {{STUDY_TLSYN, STUDY_12_RSA, STUDY_EMBEDDED, STUDY_PSK}, -1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(study_way_exists(&cases[i].way), cases[i].trips >= 0);
        if (cases[i].trips >= 0)
            ck_assert_int_eq(study_round_trips(&cases[i].way), cases[i].trips);
    }
}
END_TEST

START_TEST(every_output_says_what_was_no_packet_and_what_was_emulated)
{
    static int (*const writers[])(const struct table2 *, FILE *) = {
        write_text, table2_json, table2_csv, table2_samples, table2_html, table2_ladders};
    struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 0};
    struct table2 *t = NULL;

    o.pings = 1;
    o.rounds = 1;
    o.pad = TLSYN_MS(7);
    t = run(&o, &c);
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        char *text = written(t, writers[i]);

        ck_assert_msg(strstr(text, "memory, not packets"), "writer %zu", i);
        ck_assert_msg(strcasestr(text, "emulated"), "writer %zu", i);
        ck_assert_msg(strstr(text, "7.0 ms"), "writer %zu", i);
        free(text);
    }
    for (size_t i = 0; i < t->row_count; i++)
        ck_assert(t->rows[i].handshake_ms.estimate > 7);
    finish(t);
}
END_TEST

/* The lines of the terminal's tables, with the spaces between their columns as one. */
static bool has_line(const char *text, const char *wanted)
{
    char *copy = strdup(text), *rest = copy, *line;
    bool found = false;

    while (!found && (line = strsep(&rest, "\n"))) {
        char squeezed[400];
        size_t n = 0;

        for (const char *at = line; *at && n + 1 < sizeof(squeezed); at++) {
            if (*at != ' ' || (n > 0 && squeezed[n - 1] != ' '))
                squeezed[n++] = *at;
        }
        squeezed[n] = '\0';
        if (strncmp(squeezed, "! ", 2) == 0) /* where this machine did not keep the link */
            memmove(squeezed, squeezed + 2, n - 1);
        found = strncmp(squeezed, wanted, strlen(wanted)) == 0;
    }
    free(copy);
    return found;
}

START_TEST(the_terminal_has_both_tables)
{
    struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 0};
    struct table2 *t = NULL;
    char *text = NULL;

    o.rounds = 1;
    t = run(&o, &c);
    for (size_t i = 0; i < t->samples.count; i++) { /* two round trips, embedded one */
        struct sample *s = &t->samples.samples[i];
        const struct table2_member *m = &t->members[s->cell % t->member_count];
        int trips = m->ping || m->way.mode == STUDY_EMBEDDED ? 1 : 2;

        s->handshake_us = t->targets[s->cell / t->member_count].ping_ms * 1e3 * trips;
    }
    ck_assert_int_eq(table2_analyse(t), 0);
    text = written(t, write_text);
    ck_assert(has_line(text, "target measured tial bedded ms per RTT interval"));
    ck_assert(has_line(text, "TLS 1.2, RSA key exchange (RSA-2048 certificate)"));
    ck_assert(has_line(text, "TLS 1.3 (P-256 certificate)"));
    ck_assert(has_line(text, "1.3 new tlsyn sequential 2 2.0"));
    ck_assert(has_line(text, "1.3 new tlsyn embedded 1 1.0"));
    ck_assert(has_line(text, "1.2-rsa new published embedded 2 2.03 1.01 .. 3.04"));
    ck_assert(has_line(text, "5.0 5.00 10.00 5.00 5.00 1.000"));
    ck_assert_ptr_nonnull(strstr(text, "Published: Byun and Park"));
    free(text);
    finish(t);
}
END_TEST

START_TEST(an_interrupted_run_keeps_what_it_has)
{
    struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 20};
    struct table2 *t = NULL;
    char *text = NULL;

    o.pings = 1;
    o.rounds = 100;
    t = run(&o, &c);
    ck_assert(t->interrupted);
    ck_assert_uint_eq(t->samples.count, 20);
    text = written(t, table2_json);
    ck_assert_ptr_nonnull(strstr(text, "\"interrupted\": true"));
    free(text);
    finish(t);
}
END_TEST

START_TEST(a_run_that_ends_at_once_has_a_report_too)
{
    struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 1};
    struct table2 *t = NULL;
    char *text = NULL;

    o.pings = 1;
    t = run(&o, &c);
    text = written(t, table2_html);

    ck_assert_ptr_nonnull(strstr(text, "nothing to draw"));
    ck_assert_ptr_nonnull(strstr(text, "Interrupted"));
    free(text);
    finish(t);
}
END_TEST

/* Over a long link the pings by which it is set take minutes. */
START_TEST(what_comes_before_the_rounds_is_told_and_can_be_interrupted)
{
    for (uint32_t at = 1; at <= 16; at += 5) {
        struct table2_options o = options_in_memory();
        struct counting c = {.stop_preparing_at = at};
        struct table2 *t = NULL;

        o.pings = 1;
        t = run(&o, &c);
        ck_assert(t->interrupted);
        ck_assert_uint_eq(t->samples.count, 0);
        ck_assert_uint_le(c.prepared, at + 1);
        finish(t);
    }
}
END_TEST

/* Pairs with differences whose averages are known: six, the fewest that have an interval. */
static void set_differences(struct table2 *t, uint32_t sequential, uint32_t embedded)
{
    static const double difference_ms[] = {1, 1, 1, 5, 6, 8};

    for (size_t i = 0; i < t->samples.count; i++) {
        struct sample *s = &t->samples.samples[i];

        if (s->cell == sequential && !s->warmup)
            s->handshake_us = 1e5 + 1e3 * difference_ms[(s->round - 1) % 6];
        else if (s->cell == embedded)
            s->handshake_us = 1e5;
    }
}

START_TEST(the_shift_is_of_the_pairs_of_the_same_rounds)
{
    struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 0};
    struct study_way way = {.suite = STUDY_13};
    uint32_t cell[STUDY_MODES] = {0, 0};
    struct table2 *t = NULL;

    o.pings = 1;
    o.rounds = 6;
    t = run(&o, &c);
    for (uint32_t i = 0; i < t->member_count; i++) {
        way.mode = t->members[i].way.mode;
        if (!t->members[i].ping && study_way_equal(&t->members[i].way, &way))
            cell[way.mode] = i;
    }
    set_differences(t, cell[STUDY_SEQUENTIAL], cell[STUDY_EMBEDDED]);
    ck_assert_int_eq(table2_analyse(t), 0);
    const struct table2_saving *saving = table2_saving_of(t, 0, &way);
    ck_assert_ptr_nonnull(saving);
    ck_assert_uint_eq(saving->pairs, 6);
    ck_assert_double_eq_tol(saving->ms.estimate, 3, 1e-9); /* of medians */
    ck_assert_double_eq_tol(saving->shift_ms.estimate, 3.5, 1e-9);
    ck_assert_double_eq_tol(saving->shift_ms.lo, 1, 1e-9);
    ck_assert_double_eq_tol(saving->shift_ms.hi, 8, 1e-9);
    char *text = written(t, table2_json);
    ck_assert_ptr_nonnull(strstr(text, "\"shift_ms\": 3.5"));
    ck_assert_ptr_nonnull(strstr(text, "\"shift_ci95_ms\": ["));
    free(text);
    finish(t);
}
END_TEST

START_TEST(the_published_lines_are_those_of_the_paper)
{
    struct table2_options o = options_in_memory();
    struct counting c = {.stop_at = 1};
    struct table2 *t = NULL;

    o.pings = 1;
    t = run(&o, &c);
    ck_assert_double_eq_tol(t->published[STUDY_SEQUENTIAL].a.estimate, 2.841, 0.001);
    ck_assert_double_eq_tol(t->published[STUDY_SEQUENTIAL].b.estimate, 43.04, 0.01);
    ck_assert_double_eq_tol(t->published[STUDY_EMBEDDED].a.estimate, 2.028, 0.001);
    ck_assert_double_eq_tol(t->published[STUDY_EMBEDDED].b.estimate, 42.57, 0.01);
    ck_assert_ptr_null(published_row_at(6.1));
    ck_assert_double_eq_tol(published_row_at(11.6)->embedded_ms, 64.2, 1e-9);
    finish(t);
}
END_TEST

START_TEST(longer_links_and_more_rounds_are_expected_to_take_longer)
{
    struct table2_options o;
    double before = 0;

    table2_defaults(&o);
    before = table2_estimate(&o);
    ck_assert(before > 60 && before < 240);
    o.rounds *= 2;
    ck_assert(table2_estimate(&o) > 1.5 * before);
    o.rounds /= 2;
    o.ping_ms[0] = 100;
    ck_assert(table2_estimate(&o) > 1.5 * before);
}
END_TEST

Suite *table2_suite(void);
Suite *table2_suite(void)
{
    Suite *suite = suite_create("table2");
    TCase *tcase = tcase_create("table2");

    tcase_set_timeout(tcase, 400);
    tcase_add_test(tcase, embedding_saves_a_round_trip_in_memory);
    tcase_add_test(tcase, returning_clients_save_another_one);
    tcase_add_test(tcase, round_trips_are_those_of_the_handshakes);
    tcase_add_test(tcase, every_output_says_what_was_no_packet_and_what_was_emulated);
    tcase_add_test(tcase, the_terminal_has_both_tables);
    tcase_add_test(tcase, an_interrupted_run_keeps_what_it_has);
    tcase_add_test(tcase, a_run_that_ends_at_once_has_a_report_too);
    tcase_add_test(tcase, what_comes_before_the_rounds_is_told_and_can_be_interrupted);
    tcase_add_test(tcase, the_shift_is_of_the_pairs_of_the_same_rounds);
    tcase_add_test(tcase, the_published_lines_are_those_of_the_paper);
    tcase_add_test(tcase, longer_links_and_more_rounds_are_expected_to_take_longer);
    suite_add_tcase(suite, tcase);
    return suite;
}
