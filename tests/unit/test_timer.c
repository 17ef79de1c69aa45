/* core/timer against a plain array of deadlines: never early, never missed, and
 * wheel_next() leads there. */

#include "core/random.h"
#include "core/timer.h"
#include "support/holds.h"

#define TIMERS 100

struct world;

struct alarm {
    struct timer timer;
    struct world *world;
    tlsyn_time deadline; /* as it should be; TLSYN_NEVER: not set */
    unsigned fired;
};

struct world {
    struct wheel wheel;
    tlsyn_time now;
    struct random_seeded random;
    struct alarm alarm[TIMERS];
    tlsyn_time latest; /* deadline of the last one that fired, rounded up to ticks */
    unsigned fired;
    bool meddle;             /* firing sets and clears others */
    bool set_behind[TIMERS]; /* set for the past while the wheel ran: fires in the next run */
};

static tlsyn_time rounded_up(tlsyn_time t)
{
    return (t + WHEEL_TICK - 1) / WHEEL_TICK * WHEEL_TICK;
}

static void set(struct world *w, int i, tlsyn_time deadline)
{
    timer_set(&w->wheel, &w->alarm[i].timer, deadline);
    w->alarm[i].deadline = deadline;
}

static int any(struct world *w)
{
    return (int)random_below(&w->random.base, TIMERS);
}

/** From the past to far beyond the horizon, all magnitudes alike. */
static tlsyn_time some_deadline(struct world *w)
{
    uint32_t bits = random_below(&w->random.base, 46);
    tlsyn_time ahead = (tlsyn_time)(random_u64(&w->random.base) >> (63 - bits));

    return random_below(&w->random.base, 10) == 0 ? w->now - ahead % 1000 : w->now + ahead;
}

static void fired(struct timer *t)
{
    struct alarm *a = container_of(t, struct alarm, timer);
    struct world *w = a->world;

    HOLDS(!timer_is_set(t));
    HOLDS(a->deadline != TLSYN_NEVER);
    HOLDS(a->deadline <= w->now);
    w->latest = rounded_up(a->deadline);
    a->deadline = TLSYN_NEVER;
    a->fired++;
    w->fired++;
    if (w->meddle) {
        int other = any(w);

        timer_clear(&w->wheel, &w->alarm[other].timer);
        w->alarm[other].deadline = TLSYN_NEVER;
        w->set_behind[other] = false;
        other = any(w);
        set(w, other, some_deadline(w));
        w->set_behind[other] = w->alarm[other].deadline <= w->now;
    }
}

static void world_init(struct world *w, uint64_t seed, tlsyn_time now)
{
    memset(w, 0, sizeof(*w));
    random_seed(&w->random, seed);
    w->now = now;
    wheel_init(&w->wheel, now);
    for (int i = 0; i < TIMERS; i++) {
        timer_init(&w->alarm[i].timer, fired);
        w->alarm[i].world = w;
        w->alarm[i].deadline = TLSYN_NEVER;
    }
}

static void run(struct world *w, tlsyn_time now)
{
    w->now = now;
    memset(w->set_behind, 0, sizeof(w->set_behind));
    wheel_run(&w->wheel, now);
}

/** Nothing that is due was left; the wheel counts and foretells right. */
static void assert_consistent(struct world *w)
{
    tlsyn_time first = TLSYN_NEVER;
    uint32_t count = 0;

    for (int i = 0; i < TIMERS; i++) {
        const struct alarm *a = &w->alarm[i];

        HOLDS(a->timer.deadline == a->deadline);
        if (a->deadline == TLSYN_NEVER)
            continue;
        count++;
        if (a->deadline < first)
            first = a->deadline;
    }
    HOLDS(w->wheel.count == count);
    if (first == TLSYN_NEVER)
        HOLDS(wheel_next(&w->wheel) == TLSYN_NEVER);
    else if (first > w->now)
        HOLDS(wheel_next(&w->wheel) <= rounded_up(first));
    else
        HOLDS(wheel_next(&w->wheel) <= w->now + WHEEL_TICK);
}

static void assert_none_missed(struct world *w)
{
    for (int i = 0; i < TIMERS; i++) {
        const struct alarm *a = &w->alarm[i];

        HOLDS(a->deadline == TLSYN_NEVER || w->set_behind[i] || rounded_up(a->deadline) > w->now);
    }
}

START_TEST(fires_once_and_not_early)
{
    struct world w;

    world_init(&w, 1, TLSYN_SECONDS(5));
    set(&w, 0, TLSYN_SECONDS(5) + 1000);
    run(&w, TLSYN_SECONDS(5) + 999);
    ck_assert_uint_eq(w.alarm[0].fired, 0);
    run(&w, TLSYN_SECONDS(5) + 1000 + WHEEL_TICK);
    ck_assert_uint_eq(w.alarm[0].fired, 1);
    run(&w, TLSYN_SECONDS(6));
    ck_assert_uint_eq(w.alarm[0].fired, 1);
    ck_assert_int_eq(wheel_next(&w.wheel), TLSYN_NEVER);
}
END_TEST

START_TEST(the_past_fires_in_the_next_run)
{
    struct world w;

    world_init(&w, 1, 1000000);
    set(&w, 0, 5);
    ck_assert_int_le(wheel_next(&w.wheel), 1000000);
    run(&w, 1000000);
    ck_assert_uint_eq(w.alarm[0].fired, 1);
}
END_TEST

static void set_again_for_the_past(struct timer *t)
{
    struct alarm *a = container_of(t, struct alarm, timer);

    a->fired++;
    timer_set(&a->world->wheel, t, 1);
}

START_TEST(one_set_for_the_past_while_firing_waits_for_the_next_run)
{
    struct world w;

    world_init(&w, 1, 1000000);
    timer_init(&w.alarm[0].timer, set_again_for_the_past);
    set(&w, 0, 5);
    for (unsigned i = 1; i <= 3; i++) {
        wheel_run(&w.wheel, 1000000);
        ck_assert_uint_eq(w.alarm[0].fired, i);
        ck_assert(timer_is_set(&w.alarm[0].timer));
    }
}
END_TEST

static void clear_the_next(struct timer *t)
{
    struct alarm *a = container_of(t, struct alarm, timer);

    a->fired++;
    timer_clear(&a->world->wheel, &a[1].timer);
}

START_TEST(one_cleared_while_another_fires_does_not_fire)
{
    struct world w;

    world_init(&w, 1, 0);
    timer_init(&w.alarm[0].timer, clear_the_next);
    set(&w, 0, 100);
    set(&w, 1, 100);
    wheel_run(&w.wheel, 1000);
    ck_assert_uint_eq(w.alarm[0].fired, 1);
    ck_assert_uint_eq(w.alarm[1].fired, 0);
    ck_assert_uint_eq(w.wheel.count, 0);
}
END_TEST

START_TEST(a_deadline_of_never_clears_the_timer)
{
    struct world w;

    world_init(&w, 1, 0);
    set(&w, 0, 100);
    set(&w, 0, TLSYN_NEVER);
    ck_assert(!timer_is_set(&w.alarm[0].timer));
    ck_assert_int_eq(wheel_next(&w.wheel), TLSYN_NEVER);
    timer_clear(&w.wheel, &w.alarm[0].timer);
    run(&w, 1000);
    ck_assert_uint_eq(w.fired, 0);
}
END_TEST

START_TEST(a_clock_that_goes_back_does_no_harm)
{
    struct world w;

    world_init(&w, 1, 1000000);
    set(&w, 0, 1000500);
    run(&w, 0);
    ck_assert_uint_eq(w.fired, 0);
    run(&w, 1001000);
    ck_assert_uint_eq(w.fired, 1);
}
END_TEST

START_TEST(the_horizon_is_crossed)
{
    struct world w;
    tlsyn_time far = TLSYN_SECONDS(86400) * 365;
    unsigned runs = 0;

    world_init(&w, 1, 12345);
    set(&w, 0, far);
    while (w.fired == 0) {
        tlsyn_time next = wheel_next(&w.wheel);

        ck_assert_int_gt(next, w.now);
        ck_assert_int_le(next, rounded_up(far));
        run(&w, next);
        runs++;
    }
    ck_assert_int_ge(w.now, far);
    ck_assert_int_lt(w.now, far + WHEEL_TICK);
    /* 31536000 s / 68719 s (63 of 64 slots of the top level) and a few on the way down. */
    ck_assert_uint_lt(runs, 500);
}
END_TEST

START_TEST(ticks_fire_in_order)
{
    struct world w;
    tlsyn_time before = 0;

    world_init(&w, (uint64_t)_i, 777);
    for (int i = 0; i < TIMERS; i++)
        set(&w, i, w.now + 1 + random_below(&w.random.base, 1000000));
    for (unsigned n = 0; n < TIMERS; before = w.latest) {
        run(&w, wheel_next(&w.wheel));
        HOLDS(w.latest >= before);
        n = w.fired;
    }
}
END_TEST

START_TEST(follows_the_model)
{
    static struct world w;

    world_init(&w, (uint64_t)_i, _i % 3 ? 1 : TLSYN_SECONDS(1000000000));
    w.meddle = _i % 2;
    for (int step = 0; step < 20000; step++) {
        uint32_t what = random_below(&w.random.base, 10);

        if (what < 6) {
            set(&w, any(&w), some_deadline(&w));
        } else if (what < 8) {
            set(&w, any(&w), TLSYN_NEVER);
        } else {
            uint32_t bits = random_below(&w.random.base, 40);

            run(&w, w.now + (tlsyn_time)(random_u64(&w.random.base) >> (63 - bits)));
            assert_none_missed(&w);
        }
        assert_consistent(&w);
    }
    HOLDS(w.fired > 1000);
}
END_TEST

START_TEST(following_wheel_next_is_never_late_and_always_progress)
{
    static struct world w;

    world_init(&w, 100 + (uint64_t)_i, 4095 * WHEEL_TICK);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < TIMERS / 10; i++)
            set(&w, any(&w), w.now + random_below(&w.random.base, 1u << (4 + round % 28)));
        for (;;) {
            tlsyn_time next = wheel_next(&w.wheel), before = w.now;
            unsigned fired_before = w.fired;

            if (next == TLSYN_NEVER)
                break;
            run(&w, next > w.now ? next : w.now);
            HOLDS(w.now > before || w.fired > fired_before);
            if (w.fired > fired_before)
                HOLDS(w.now - w.latest <= WHEEL_TICK);
            assert_none_missed(&w);
        }
    }
    HOLDS(w.fired > 500);
}
END_TEST

Suite *timer_suite(void);

Suite *timer_suite(void)
{
    Suite *suite = suite_create("timer");
    TCase *tc = tcase_create("timer");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, fires_once_and_not_early);
    tcase_add_test(tc, the_past_fires_in_the_next_run);
    tcase_add_test(tc, one_set_for_the_past_while_firing_waits_for_the_next_run);
    tcase_add_test(tc, one_cleared_while_another_fires_does_not_fire);
    tcase_add_test(tc, a_deadline_of_never_clears_the_timer);
    tcase_add_test(tc, a_clock_that_goes_back_does_no_harm);
    tcase_add_test(tc, the_horizon_is_crossed);
    tcase_add_loop_test(tc, ticks_fire_in_order, 0, 4);
    tcase_add_loop_test(tc, follows_the_model, 0, 6);
    tcase_add_loop_test(tc, following_wheel_next_is_never_late_and_always_progress, 0, 4);
    suite_add_tcase(suite, tc);
    return suite;
}
