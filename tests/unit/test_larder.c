/*
 * test_larder.c: the sessions that a study's browser keeps: the newest first, those that are good
 * once given out once, no more than there is room for, each server's apart.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "study/pageload/larder.h"

static struct larder larder;
static struct tlsyn_tls_store *const store = &larder.store;

static void setup(void)
{
    larder_init(&larder);
}

/* The key that the engine makes of a server (tls/session.c). */
static const char *key_of(const char *host)
{
    static char key[LARDER_KEY];

    (void)snprintf(key, sizeof(key), "%s:443/1.3/0123456789abcdef", host);
    return key;
}

static void keep(const char *host, const char *session, bool once)
{
    const struct tlsyn_tls_entry entry = {.until = INT64_MAX, .once = once};

    store->ops->keep(store, key_of(host), session, strlen(session) + 1, &entry);
}

/* "": none. */
static const char *find(const char *host)
{
    static char session[LARDER_BYTES];

    if (store->ops->find(store, key_of(host), 0, session, sizeof(session)) == 0)
        session[0] = '\0';
    return session;
}

START_TEST(the_newest_is_given_out_first)
{
    keep("a.test", "old", true);
    keep("a.test", "new", true);
    ck_assert_int_eq(larder_count(&larder, "a.test"), 2);
    ck_assert_str_eq(find("a.test"), "new");
    ck_assert_str_eq(find("a.test"), "old");
    ck_assert_str_eq(find("a.test"), "");
    ck_assert_int_eq(larder_count(&larder, "a.test"), 0);
}
END_TEST

START_TEST(what_is_good_more_than_once_stays)
{
    keep("a.test", "session", false);
    ck_assert_str_eq(find("a.test"), "session");
    ck_assert_str_eq(find("a.test"), "session");
    store->ops->drop(store, key_of("a.test"), "another", sizeof("another"));
    ck_assert_str_eq(find("a.test"), "session");
    store->ops->drop(store, key_of("a.test"), "session", sizeof("session"));
    ck_assert_str_eq(find("a.test"), "");
}
END_TEST

START_TEST(servers_are_told_apart_by_their_whole_names)
{
    keep("media.test", "media", true);
    keep("Media.test.example", "example", true);
    ck_assert_int_eq(larder_count(&larder, "media.test"), 1);
    ck_assert_int_eq(larder_count(&larder, "MEDIA.test"), 1);
    ck_assert_int_eq(larder_count(&larder, "a.test"), 0);
    ck_assert_int_eq(larder_count(&larder, "test"), 0);
    ck_assert_str_eq(find("a.test"), "");
}
END_TEST

START_TEST(the_oldest_leaves_when_it_is_full)
{
    char session[16];

    for (int i = 0; i < LARDER_MAX + 2; i++) {
        (void)snprintf(session, sizeof(session), "%d", i);
        keep(i < 3 ? "first.test" : "then.test", session, true);
    }
    ck_assert_int_eq(larder_count(&larder, "first.test"), 1);
    ck_assert_int_eq(larder_count(&larder, "then.test"), LARDER_MAX - 1);
    ck_assert_str_eq(find("first.test"), "2");
    ck_assert_uint_eq(larder.kept, LARDER_MAX + 2);
}
END_TEST

START_TEST(what_is_too_long_is_not_kept)
{
    static const struct tlsyn_tls_entry entry = {.until = INT64_MAX};
    char bytes[LARDER_BYTES + 1] = "";

    store->ops->keep(store, key_of("a.test"), bytes, LARDER_BYTES + 1, &entry);
    ck_assert_int_eq(larder_count(&larder, "a.test"), 0);
    store->ops->keep(store, key_of("a.test"), bytes, LARDER_BYTES, &entry);
    ck_assert_int_eq(larder_count(&larder, "a.test"), 1);
    ck_assert_uint_eq(store->ops->find(store, key_of("a.test"), 0, bytes, LARDER_BYTES - 1), 0);
    ck_assert_uint_eq(store->ops->find(store, key_of("a.test"), 0, bytes, LARDER_BYTES),
                      LARDER_BYTES);
}
END_TEST

Suite *larder_suite(void);

Suite *larder_suite(void)
{
    Suite *s = suite_create("larder");
    TCase *tc = tcase_create("larder");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, the_newest_is_given_out_first);
    tcase_add_test(tc, what_is_good_more_than_once_stays);
    tcase_add_test(tc, servers_are_told_apart_by_their_whole_names);
    tcase_add_test(tc, the_oldest_leaves_when_it_is_full);
    tcase_add_test(tc, what_is_too_long_is_not_kept);
    suite_add_tcase(s, tc);
    return s;
}
