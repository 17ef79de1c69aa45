/*
 * test_patience.c: who waits for a session, and for how long.
 */
#include <check.h>
#include <errno.h>

#include "study/pageload/patience.h"

enum { PATIENTS = 4, WAIT = 3000 };

static struct world {
    struct patience patience; /* first member */
    struct patient patient[PATIENTS];
    int sessions, begun, alarms;
    double alarm; /* in so long; -1: none was asked for */
    bool fails;
    int order[PATIENTS]; /* of those that went on */
} w;

static int known(const struct patience *patience, const char *name)
{
    (void)patience;
    ck_assert_str_eq(name, "here.test");
    return w.sessions;
}

static int set_alarm(struct patience *patience, double us)
{
    (void)patience;
    w.alarm = us;
    w.alarms++;
    return w.fails ? -EINVAL : 0;
}

/* Each takes a session along. */
static void go_on(struct patient *patient)
{
    patience_look(&w.patience);
    w.order[w.begun++] = (int)(patient - w.patient);
    w.sessions -= w.sessions > 0;
}

static const struct patience_ops ops = {.known = known, .alarm = set_alarm, .go_on = go_on};

static void setup(void)
{
    w = (struct world){.patience = {.ops = &ops, .us = WAIT}, .alarm = -1};
    for (int i = 0; i < PATIENTS; i++)
        patience_join(&w.patience, &w.patient[i], "here.test");
    patience_up(&w.patient[0]);
}

START_TEST(nobody_waits_who_knows_a_session)
{
    w.sessions = 1;
    ck_assert(!patience_waits(&w.patient[1], 0));
}
END_TEST

START_TEST(nobody_waits_where_no_tickets_are_due)
{
    patience_heard(&w.patient[0]);
    ck_assert(!patience_waits(&w.patient[1], 0));
    patience_leave(&w.patient[0]);
    ck_assert(!patience_waits(&w.patient[1], 0));
}
END_TEST

START_TEST(nobody_waits_for_the_tickets_of_another_server)
{
    patience_leave(&w.patient[0]);
    patience_join(&w.patience, &w.patient[0], "there.test");
    patience_up(&w.patient[0]);
    ck_assert(!patience_waits(&w.patient[1], 0));
}
END_TEST

/* Tickets come in several segments: each lets as many go on as it has, the first first. */
START_TEST(as_many_go_on_as_sessions_have_come)
{
    for (int i = 1; i < PATIENTS; i++)
        ck_assert(patience_waits(&w.patient[i], i));
    patience_look(&w.patience);
    ck_assert(w.alarm > 0);
    w.sessions = 2;
    patience_look(&w.patience);
    ck_assert(w.alarm <= 0);
    patience_expired(&w.patience, 100);
    ck_assert_int_eq(w.begun, 2);
    ck_assert_int_eq(w.order[0], 1);
    ck_assert_int_eq(w.order[1], 2);
    ck_assert(w.alarm > 0 && w.alarm <= WAIT);
    w.sessions = 1;
    patience_expired(&w.patience, 200);
    ck_assert_int_eq(w.begun, 3);
}
END_TEST

/* The first one takes the session along, and the second waits. */
START_TEST(who_is_queued_begins_soon_if_there_is_a_session_then)
{
    w.sessions = 1;
    ck_assert_int_eq(patience_queue(&w.patient[1], 0), 0);
    ck_assert(w.alarm <= 0);
    ck_assert_int_eq(patience_queue(&w.patient[2], 0), 0);
    ck_assert_int_eq(w.begun, 0);
    patience_expired(&w.patience, 1);
    ck_assert_int_eq(w.begun, 1);
    ck_assert_int_eq(w.order[0], 1);
    patience_expired(&w.patience, WAIT);
    ck_assert_int_eq(w.begun, 2);
}
END_TEST

/* Nor is it asked for again while those begin whom it lets go on. */
START_TEST(what_rings_soon_is_not_asked_for_again)
{
    w.sessions = PATIENTS;
    for (int i = 1; i < PATIENTS; i++)
        ck_assert_int_eq(patience_queue(&w.patient[i], 0), 0);
    patience_look(&w.patience);
    ck_assert_int_eq(w.alarms, 1);
    patience_expired(&w.patience, 1);
    ck_assert_int_eq(w.begun, PATIENTS - 1);
    ck_assert_int_eq(w.alarms, 1);
    ck_assert_int_eq(patience_queue(&w.patient[1], 2), 0);
    ck_assert_int_eq(w.alarms, 2);
}
END_TEST

START_TEST(who_waits_in_vain_goes_on_without)
{
    ck_assert(patience_waits(&w.patient[1], 0));
    ck_assert(patience_waits(&w.patient[2], WAIT / 2.0));
    patience_expired(&w.patience, WAIT);
    ck_assert_int_eq(w.begun, 1);
    patience_expired(&w.patience, 2 * WAIT);
    ck_assert_int_eq(w.begun, 2);
}
END_TEST

START_TEST(who_waits_goes_on_when_no_tickets_are_due_any_more)
{
    ck_assert(patience_waits(&w.patient[1], 0));
    patience_heard(&w.patient[0]);
    patience_look(&w.patience);
    ck_assert(w.alarm <= 0);
    patience_expired(&w.patience, 1);
    ck_assert_int_eq(w.begun, 1);
}
END_TEST

START_TEST(who_waits_may_leave)
{
    ck_assert(patience_waits(&w.patient[1], 0));
    patience_leave(&w.patient[1]);
    patience_leave(&w.patient[1]);
    patience_expired(&w.patience, 2 * WAIT);
    ck_assert_int_eq(w.begun, 0);
}
END_TEST

START_TEST(over_a_long_way_one_waits_for_longer)
{
    double soon;

    w.patience.us = 0;
    ck_assert(patience_waits(&w.patient[1], 0));
    soon = w.alarm;
    patience_leave(&w.patient[1]);
    patience_answered(&w.patience, 500000);
    patience_answered(&w.patience, 600000);
    ck_assert(patience_waits(&w.patient[2], 0));
    ck_assert(w.alarm > soon && w.alarm < 500000 / 10.0);
}
END_TEST

START_TEST(nobody_waits_without_an_alarm)
{
    w.fails = true;
    ck_assert(!patience_waits(&w.patient[1], 0));
    ck_assert_int_eq(patience_queue(&w.patient[2], 0), -EINVAL);
    patience_expired(&w.patience, 2 * WAIT);
    ck_assert_int_eq(w.begun, 0);
}
END_TEST

Suite *patience_suite(void);

Suite *patience_suite(void)
{
    Suite *suite = suite_create("patience");
    TCase *tcase = tcase_create("patience");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, nobody_waits_who_knows_a_session);
    tcase_add_test(tcase, nobody_waits_where_no_tickets_are_due);
    tcase_add_test(tcase, nobody_waits_for_the_tickets_of_another_server);
    tcase_add_test(tcase, as_many_go_on_as_sessions_have_come);
    tcase_add_test(tcase, who_is_queued_begins_soon_if_there_is_a_session_then);
    tcase_add_test(tcase, what_rings_soon_is_not_asked_for_again);
    tcase_add_test(tcase, who_waits_in_vain_goes_on_without);
    tcase_add_test(tcase, who_waits_goes_on_when_no_tickets_are_due_any_more);
    tcase_add_test(tcase, who_waits_may_leave);
    tcase_add_test(tcase, over_a_long_way_one_waits_for_longer);
    tcase_add_test(tcase, nobody_waits_without_an_alarm);
    suite_add_tcase(suite, tcase);
    return suite;
}
