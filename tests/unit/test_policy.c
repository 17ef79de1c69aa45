/*
 * test_policy.c: what a browser does next: beyond what the model of the published page exercises
 * (test_browser.c): servers that fail, documents that come in pieces, redirections, HTTP/2.
 */
#include <check.h>
#include <errno.h>

#include "web/policy.h"

static struct policy policy;
static struct policy_action action;

static int url_of(enum page_kind kind, int host, int position)
{
    const struct policy_url url = {.kind = kind, .host = host, .position = position, .frame = 1};

    return policy_add_url(&policy, &url);
}

/* The page is wanted, and being fetched on connection 0 of server 0. */
static void begin(enum browser_visit visit, bool multiplexed)
{
    policy_init(&policy, visit, multiplexed);
    ck_assert_int_eq(policy_add_host(&policy, 6), 0);
    ck_assert_int_eq(policy_add_host(&policy, 2), 1);
    ck_assert_int_eq(url_of(PAGE_HTML, 0, 1), 0);
    policy_want(&policy, 0);
    ck_assert(policy_next(&policy, &action) && action.open && action.host == 0);
    ck_assert(!policy_next(&policy, &action));
    policy_up(&policy, 0);
    ck_assert(policy_next(&policy, &action) && !action.open && action.url == 0);
}

static int count_next(bool open)
{
    int n = 0;

    while (policy_next(&policy, &action)) {
        ck_assert(action.open == open);
        n++;
    }
    return n;
}

START_TEST(a_blocking_parser_holds_back_what_stands_behind)
{
    int script, image;

    begin(BROWSER_UNOPTIMIZED, false);
    script = url_of(PAGE_SCRIPT, 0, 1);
    image = url_of(PAGE_IMAGE, 0, 2);
    ck_assert_int_eq(policy_refer(&policy, 0, script), 0);
    ck_assert_int_eq(policy_refer(&policy, 0, image), 0);
    ck_assert_int_eq(policy_refer(&policy, 0, script), 0);
    ck_assert_int_eq(policy.references, 2);
    ck_assert_int_eq(policy.url[script].state, POLICY_UNKNOWN);
    policy_arrived(&policy, 0, false);
    ck_assert_int_eq(policy.url[script].state, POLICY_WANTED);
    ck_assert_int_eq(policy.url[image].state, POLICY_UNKNOWN);
    policy_arrived(&policy, script, false);
    ck_assert_int_eq(policy.url[image].state, POLICY_WANTED);
}
END_TEST

/* A document need not be whole for what stands in it to be wanted. */
START_TEST(a_quick_parser_waits_for_nothing)
{
    int script, image;

    begin(_i ? BROWSER_REPEAT : BROWSER_FIRST, false);
    script = url_of(PAGE_SCRIPT, 0, 1);
    image = url_of(PAGE_IMAGE, 0, 2);
    (void)policy_refer(&policy, 0, script);
    (void)policy_refer(&policy, 0, image);
    ck_assert_int_eq(policy.url[script].state, POLICY_WANTED);
    ck_assert_int_eq(policy.url[image].state, POLICY_WANTED);
}
END_TEST

START_TEST(a_script_that_moved_blocks_until_it_is_there)
{
    int script, image, target;

    begin(BROWSER_UNOPTIMIZED, false);
    script = url_of(PAGE_SCRIPT, 0, 1);
    image = url_of(PAGE_IMAGE, 0, 2);
    target = url_of(PAGE_SCRIPT, 1, 1);
    (void)policy_refer(&policy, 0, script);
    (void)policy_refer(&policy, 0, image);
    policy_arrived(&policy, 0, false);
    policy_moved(&policy, script, target);
    ck_assert_int_eq(policy.url[image].state, POLICY_UNKNOWN);
    policy_arrived(&policy, target, true); /* a script that will never come blocks no longer */
    ck_assert_int_eq(policy.url[image].state, POLICY_WANTED);
}
END_TEST

START_TEST(redirections_in_a_circle_end)
{
    int a, b;

    begin(BROWSER_UNOPTIMIZED, false);
    a = url_of(PAGE_SCRIPT, 0, 1);
    b = url_of(PAGE_SCRIPT, 0, 1);
    (void)policy_refer(&policy, 0, a);
    policy_arrived(&policy, 0, false);
    policy_moved(&policy, a, b);
    policy_moved(&policy, b, a);
    ck_assert(policy_is_done(&policy));
}
END_TEST

START_TEST(what_was_under_way_on_a_lost_connection_is_fetched_again_but_not_for_ever)
{
    begin(BROWSER_UNOPTIMIZED, false);
    for (int i = 1; i < POLICY_TRIES; i++) {
        policy_gone(&policy, i - 1);
        ck_assert(policy_next(&policy, &action) && action.open && action.url == 0);
        policy_up(&policy, i);
        ck_assert(policy_next(&policy, &action) && !action.open && action.url == 0);
    }
    policy_gone(&policy, POLICY_TRIES - 1);
    ck_assert(!policy_next(&policy, &action));
    ck_assert_int_eq(policy.url[0].state, POLICY_FAILED);
    ck_assert(policy_is_done(&policy));
}
END_TEST

START_TEST(a_server_that_lets_nobody_in_is_given_up)
{
    policy_init(&policy, (enum browser_visit)_i, false);
    (void)policy_add_host(&policy, 6);
    (void)url_of(PAGE_HTML, 0, 1);
    policy_want(&policy, 0);
    for (int i = 0; i < POLICY_TRIES; i++) {
        ck_assert(policy_next(&policy, &action) && action.open);
        policy_gone(&policy, action.connection);
    }
    ck_assert(!policy_next(&policy, &action));
    ck_assert_int_eq(policy.url[0].state, POLICY_FAILED);
    ck_assert(policy_is_done(&policy));
}
END_TEST

START_TEST(one_connection_of_http2_takes_all_that_is_wanted)
{
    begin((enum browser_visit)_i, true);
    for (int i = 1; i <= 40; i++)
        (void)policy_refer(&policy, 0, url_of(PAGE_IMAGE, 0, i));
    policy_arrived(&policy, 0, false);
    ck_assert_int_eq(count_next(false), 40);
    ck_assert_int_eq(policy.connections, 1);
    ck_assert_int_eq(policy.connection[0].requests, 40);
    policy_arrived(&policy, 7, false);
    ck_assert_int_eq(policy.connection[0].requests, 39);
    policy_gone(&policy, 0);
    ck_assert_int_eq(count_next(true), 1);
    policy_up(&policy, 1);
    ck_assert_int_eq(count_next(false), 39);
}
END_TEST

START_TEST(bounds_hold)
{
    begin(BROWSER_FIRST, false);
    while (policy.urls < POLICY_URLS_MAX)
        ck_assert_int_gt(url_of(PAGE_IMAGE, 1, 1), 0);
    ck_assert_int_eq(url_of(PAGE_IMAGE, 1, 1), -ENOBUFS);
    for (int i = 0; i < POLICY_REFERENCES_MAX; i++)
        ck_assert_int_eq(policy_refer(&policy, i / 200, 1 + i % 200), 0);
    ck_assert_int_eq(policy_refer(&policy, 9, 1), -ENOBUFS);
    while (policy_next(&policy, &action))
        ck_assert_int_lt(action.connection, POLICY_CONNECTIONS_MAX);
    ck_assert_int_le(policy.host[1].opened, 2);
    while (policy.hosts < POLICY_HOSTS_MAX)
        ck_assert_int_gt(policy_add_host(&policy, 1), 0);
    ck_assert_int_eq(policy_add_host(&policy, 1), -ENOBUFS);
}
END_TEST

Suite *policy_suite(void);

Suite *policy_suite(void)
{
    Suite *s = suite_create("policy");
    TCase *rules = tcase_create("rules");

    tcase_add_test(rules, a_blocking_parser_holds_back_what_stands_behind);
    tcase_add_loop_test(rules, a_quick_parser_waits_for_nothing, 0, 2);
    tcase_add_test(rules, a_script_that_moved_blocks_until_it_is_there);
    tcase_add_test(rules, redirections_in_a_circle_end);
    tcase_add_test(rules,
                   what_was_under_way_on_a_lost_connection_is_fetched_again_but_not_for_ever);
    tcase_add_loop_test(rules, a_server_that_lets_nobody_in_is_given_up, 0, BROWSER_VISITS);
    tcase_add_loop_test(rules, one_connection_of_http2_takes_all_that_is_wanted, 0, BROWSER_VISITS);
    tcase_add_test(rules, bounds_hold);
    suite_add_tcase(s, rules);
    return s;
}
