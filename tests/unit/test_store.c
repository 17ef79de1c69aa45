/*
 * store: what was observed comes back as it was, whole rounds or none, and a database that is not
 * ours is not touched.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

Suite *store_suite(void);

static char folder[64], path[96], message[STORE_MESSAGE_MAX];

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tlsyn-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/webperf.db", folder);
}

static void teardown(void)
{
    char journal[128];

    (void)snprintf(journal, sizeof(journal), "%s-journal", path);
    (void)unlink(journal);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct store_run a_run(void)
{
    return (struct store_run){.plan = "ping; get 1.3 sequential new",
                              .target = "lab",
                              .command = "tlsyn bench webperf",
                              .version = "0.1",
                              .kernel = "Linux",
                              .cpu = "some",
                              .system = "Debian",
                              .rtt_ms = 50,
                              .seed = UINT64_MAX - 3,
                              .started_us = 1700000000000000};
}

static struct observation an_observation(uint32_t round, uint32_t place)
{
    struct observation o = {.round = round,
                            .place = place,
                            .when_us = 1700000000000000 + round,
                            .operation = "get",
                            .stack = "tlsyn",
                            .tls = "1.3",
                            .mode = "embedded",
                            .session = "psk",
                            .verdict = "ok",
                            .connect_us = (double)NAN,
                            .handshake_us = 50123.25,
                            .first_byte_us = 100246.5 + round,
                            .syn_bytes = 517,
                            .synack_bytes = place ? -1 : 240,
                            .link_kept = place ? -1 : 1,
                            .link_late_us = place ? (double)NAN : 12.5,
                            .timer_late_us = 58.25,
                            .cpu_ticks = 20,
                            .stolen_ticks = place,
                            .url = "https://host.test/",
                            .address = "192.0.2.1",
                            .status = place ? -1 : 404};

    if (place)
        (void)snprintf(o.verdict, sizeof(o.verdict), "refused");
    return o;
}

static struct store *opened(enum store_use use)
{
    struct store *s = NULL;

    ck_assert_msg(store_open(path, use, &s, message) == 0, "%s", message);
    return s;
}

static void add_round(struct store *s, uint32_t round)
{
    const struct observation two[] = {an_observation(round, 0), an_observation(round, 1)};

    ck_assert_msg(store_add_round(s, two, 2, message) == 0, "%s", message);
}

struct seen {
    struct observation all[16];
    size_t n;
};

static int keep(void *context, const struct observation *o)
{
    struct seen *seen = context;

    ck_assert_uint_lt(seen->n, 16);
    seen->all[seen->n++] = *o;
    return 0;
}

START_TEST(observations_come_back_as_they_were)
{
    struct store_run run = a_run(), there;
    struct store *s = opened(STORE_WRITE);
    struct seen seen = {.n = 0};
    uint32_t rounds = 9;
    size_t all;

    ck_assert_int_eq(store_begin(s, &run, &rounds, message), 0);
    ck_assert_uint_eq(rounds, 0);
    add_round(s, 0);
    add_round(s, 1);
    store_close(s);
    s = opened(STORE_READ);
    ck_assert_int_eq(store_run(s, &there, message), 0);
    ck_assert_str_eq(there.plan, run.plan);
    ck_assert_str_eq(there.system, "Debian");
    ck_assert(there.seed == run.seed && there.started_us == run.started_us);
    ck_assert_int_eq(store_count(s, &all, &rounds, message), 0);
    ck_assert_uint_eq(all, 4);
    ck_assert_uint_eq(rounds, 2);
    ck_assert_int_eq(store_each(s, keep, &seen, message), 0);
    ck_assert_uint_eq(seen.n, 4);
    ck_assert_uint_eq(seen.all[3].round, 1);
    ck_assert_str_eq(seen.all[3].verdict, "refused");
    ck_assert_double_nan(seen.all[3].connect_us);
    ck_assert_double_eq(seen.all[3].first_byte_us, 100247.5);
    ck_assert_int_eq(seen.all[3].synack_bytes, -1);
    ck_assert_int_eq(seen.all[2].synack_bytes, 240);
    ck_assert_int_eq(seen.all[3].link_kept, -1);
    ck_assert_double_nan(seen.all[3].link_late_us);
    ck_assert_double_eq(seen.all[2].link_late_us, 12.5);
    ck_assert_double_eq(seen.all[3].timer_late_us, 58.25);
    ck_assert_int_eq(seen.all[3].cpu_ticks, 20);
    ck_assert_int_eq(seen.all[3].stolen_ticks, 1);
    ck_assert_str_eq(seen.all[3].url, "https://host.test/");
    ck_assert_str_eq(seen.all[3].address, "192.0.2.1");
    ck_assert_int_eq(seen.all[2].status, 404);
    ck_assert_int_eq(seen.all[3].status, -1);
    ck_assert_uint_eq(seen.all[2].round, 1);
    ck_assert_str_eq(there.link, "");
    ck_assert_double_eq(there.rtt_ms, 50);
    store_close(s);
}
END_TEST

START_TEST(a_run_goes_on_behind_its_last_whole_round)
{
    struct store_run run = a_run(), again = a_run();
    struct store *s = opened(STORE_WRITE);
    uint32_t rounds;

    ck_assert_int_eq(store_begin(s, &run, &rounds, message), 0);
    for (uint32_t i = 0; i < 3; i++)
        add_round(s, i);
    store_close(s);
    s = opened(STORE_WRITE);
    again.seed = 5;
    ck_assert_int_eq(store_begin(s, &again, &rounds, message), 0);
    ck_assert_uint_eq(rounds, 3);
    ck_assert_msg(again.seed == run.seed, "the order goes on as it began");
    store_close(s);
}
END_TEST

START_TEST(another_plan_does_not_go_into_the_same_file)
{
    struct store_run run = a_run(), other = a_run();
    struct store *s = opened(STORE_WRITE);
    uint32_t rounds;

    ck_assert_int_eq(store_begin(s, &run, &rounds, message), 0);
    (void)snprintf(other.plan, sizeof(other.plan), "ping");
    ck_assert_int_eq(store_begin(s, &other, &rounds, message), -EEXIST);
    ck_assert_ptr_nonnull(strstr(message, "holds another run"));
    other = a_run();
    other.rtt_ms = (double)NAN;
    ck_assert_int_eq(store_begin(s, &other, &rounds, message), -EEXIST);
    store_close(s);
}
END_TEST

START_TEST(a_round_is_written_whole_or_not_at_all)
{
    const struct observation twice[] = {an_observation(1, 0), an_observation(1, 1),
                                        an_observation(1, 0)};
    struct store_run run = a_run();
    struct store *s = opened(STORE_WRITE);
    uint32_t rounds;
    size_t all;

    ck_assert_int_eq(store_begin(s, &run, &rounds, message), 0);
    add_round(s, 0);
    ck_assert_int_lt(store_add_round(s, twice, 3, message), 0); /* one place twice */
    ck_assert_int_eq(store_count(s, &all, &rounds, message), 0);
    ck_assert_uint_eq(all, 2);
    add_round(s, 1);
    ck_assert_int_eq(store_count(s, &all, &rounds, message), 0);
    ck_assert_uint_eq(all, 4);
    store_close(s);
}
END_TEST

START_TEST(who_writes_a_round_that_is_there_is_told_of_the_other)
{
    const struct observation late[] = {an_observation(0, 0), an_observation(0, 1)};
    struct store_run run = a_run(), same = a_run();
    struct store *one = opened(STORE_WRITE), *other = opened(STORE_WRITE);
    uint32_t rounds;

    ck_assert_int_eq(store_begin(one, &run, &rounds, message), 0);
    ck_assert_int_eq(store_begin(other, &same, &rounds, message), 0);
    add_round(one, 0);
    ck_assert_int_eq(store_add_round(other, late, 2, message), -EBUSY);
    ck_assert_ptr_nonnull(strstr(message, "another tlsyn writes to it"));
    store_close(other);
    store_close(one);
}
END_TEST

START_TEST(what_was_written_survives_a_full_disk)
{
    struct observation many[400];
    struct rlimit before, little;
    struct store_run run = a_run();
    struct store *s = opened(STORE_WRITE);
    struct stat file;
    uint32_t rounds;
    size_t all;
    int error;

    for (uint32_t i = 0; i < 400; i++)
        many[i] = an_observation(1, i);
    ck_assert_int_eq(store_begin(s, &run, &rounds, message), 0);
    add_round(s, 0);
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = (rlim_t)file.st_size + 4096;
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    error = store_add_round(s, many, 400, message);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_lt(error, 0);
    ck_assert_ptr_nonnull(strstr(message, path));
    store_close(s);
    s = opened(STORE_READ);
    ck_assert_int_eq(store_count(s, &all, &rounds, message), 0);
    ck_assert_uint_eq(all, 2);
    store_close(s);
}
END_TEST

static void make_foreign(const char *sql)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(a_database_of_somebody_else_is_left_alone)
{
    struct store *s = NULL;

    make_foreign("CREATE TABLE bookmarks (url TEXT)");
    ck_assert_int_eq(store_open(path, STORE_WRITE, &s, message), -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "not one of tlsyn's"));
}
END_TEST

START_TEST(a_database_of_another_version_is_named)
{
    struct store *s = opened(STORE_WRITE);

    store_close(s);
    make_foreign("PRAGMA user_version = 7");
    ck_assert_int_eq(store_open(path, STORE_READ, &s, message), -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "version 7"));
}
END_TEST

START_TEST(a_file_that_is_no_database_and_one_that_is_not_there_are_refused)
{
    struct store *s = NULL;
    FILE *file;

    ck_assert_int_lt(store_open(path, STORE_READ, &s, message), 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 200; i++)
        ck_assert_int_gt(fprintf(file, "this is no database at all\n"), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(store_open(path, STORE_WRITE, &s, message), -EPROTO);
    ck_assert_ptr_nonnull(strstr(message, "--db"));
}
END_TEST

Suite *store_suite(void)
{
    Suite *suite = suite_create("store");
    TCase *tc = tcase_create("store");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, observations_come_back_as_they_were);
    tcase_add_test(tc, a_run_goes_on_behind_its_last_whole_round);
    tcase_add_test(tc, another_plan_does_not_go_into_the_same_file);
    tcase_add_test(tc, a_round_is_written_whole_or_not_at_all);
    tcase_add_test(tc, who_writes_a_round_that_is_there_is_told_of_the_other);
    tcase_add_test(tc, what_was_written_survives_a_full_disk);
    tcase_add_test(tc, a_database_of_somebody_else_is_left_alone);
    tcase_add_test(tc, a_database_of_another_version_is_named);
    tcase_add_test(tc, a_file_that_is_no_database_and_one_that_is_not_there_are_refused);
    suite_add_tcase(suite, tc);
    return suite;
}
