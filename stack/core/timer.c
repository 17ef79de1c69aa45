/*
 * core/timer.c: the timer wheel. Read first: Varghese and Lauck, "Hashed and Hierarchical Timing
 * Wheels" (1987), scheme 7.
 *
 * A tick count is read as five digits to the base 64 (and what is above them). A timer that is due
 * at tick `e`, while the wheel stands at tick `t` < e, hangs at the level of the highest digit in
 * which e and t differ, in the slot that this digit of e names:
 *
 *      t =  .. 03 17 00 41        e =  .. 03 17 22 05   level 1, slot 22
 *                                 e =  .. 03 17 00 63   level 0, slot 63: fires when t gets there
 *
 * So whatever hangs at a level lies before everything at the levels above, and within a level the
 * slots lie in the order of their numbers: the lowest bit of the lowest occupied level is what
 * comes next. When t reaches the beginning of a slot above level 0, its timers are hung anew, each
 * at a lower level. Moving t without reaching such a point moves no timer.
 *
 * The top level goes round: its digits wrap, and 63 slots ahead is as far as a timer can be hung.
 * One that lies beyond waits there, and is hung anew when t arrives.
 */
#include "core/timer.h"

#define DIGIT_BITS 6
#define TOP        (WHEEL_LEVELS - 1)
#define TOP_SHIFT  (TOP * DIGIT_BITS)
#define SLOT_DUE   UINT16_MAX /* in wheel.due, or taken from there */
#define TICK_NONE  UINT64_MAX

_Static_assert(WHEEL_SLOTS == 1 << DIGIT_BITS, "a slot for each value of a digit");

static uint64_t tick_before(tlsyn_time time)
{
    return time > 0 ? (uint64_t)time / WHEEL_TICK : 0;
}

/** Rounded up: a timer never fires early. */
static uint64_t tick_after(tlsyn_time time)
{
    return tick_before(time) + (time > 0 && time % WHEEL_TICK != 0);
}

void wheel_init(struct wheel *w, tlsyn_time now)
{
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        w->occupied[level] = 0;
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slot[level][slot]);
    }
    list_init(&w->due);
    w->tick = tick_before(now);
    w->count = 0;
}

void timer_init(struct timer *t, void (*fire)(struct timer *))
{
    list_init(&t->node);
    t->deadline = TLSYN_NEVER;
    t->fire = fire;
    t->slot = SLOT_DUE;
}

static void hang_at(struct wheel *w, struct timer *t, unsigned level, unsigned slot)
{
    t->slot = (uint16_t)(level * WHEEL_SLOTS + slot);
    w->occupied[level] |= UINT64_C(1) << slot;
    list_append(&w->slot[level][slot], &t->node);
}

/** Puts a timer, which is in no list, where its deadline belongs. */
static void hang(struct wheel *w, struct timer *t)
{
    uint64_t tick = tick_after(t->deadline);
    uint64_t ahead = (tick >> TOP_SHIFT) - (w->tick >> TOP_SHIFT);
    unsigned level;

    if (tick <= w->tick) {
        t->slot = SLOT_DUE;
        list_append(&w->due, &t->node);
    } else if (ahead > 0) {
        if (ahead > WHEEL_SLOTS - 1)
            ahead = WHEEL_SLOTS - 1;
        hang_at(w, t, TOP, ((w->tick >> TOP_SHIFT) + ahead) % WHEEL_SLOTS);
    } else {
        level = (unsigned)(63 - __builtin_clzll(tick ^ w->tick)) / DIGIT_BITS;
        hang_at(w, t, level, (tick >> level * DIGIT_BITS) % WHEEL_SLOTS);
    }
}

static void take_off(struct wheel *w, struct timer *t)
{
    unsigned level = t->slot / WHEEL_SLOTS, slot = t->slot % WHEEL_SLOTS;

    list_remove(&t->node);
    if (t->slot != SLOT_DUE && list_empty(&w->slot[level][slot]))
        w->occupied[level] &= ~(UINT64_C(1) << slot);
}

void timer_set(struct wheel *w, struct timer *t, tlsyn_time deadline)
{
    if (deadline == t->deadline)
        return;
    timer_clear(w, t);
    if (deadline == TLSYN_NEVER)
        return;
    t->deadline = deadline;
    w->count++;
    hang(w, t);
}

void timer_clear(struct wheel *w, struct timer *t)
{
    if (!timer_is_set(t))
        return;
    take_off(w, t);
    t->deadline = TLSYN_NEVER;
    w->count--;
}

/** The tick at which the wheel must next be looked at, behind w->tick; TICK_NONE if
 * there is none. */
static uint64_t tick_next(const struct wheel *w, unsigned *level, unsigned *slot)
{
    uint64_t top = w->tick >> TOP_SHIFT;

    for (*level = 0; *level < TOP; ++*level) {
        unsigned shift = *level * DIGIT_BITS;

        if (w->occupied[*level] == 0)
            continue;
        *slot = (unsigned)__builtin_ctzll(w->occupied[*level]);
        return (w->tick >> (shift + DIGIT_BITS) << DIGIT_BITS | *slot) << shift;
    }
    if (w->occupied[TOP] == 0)
        return TICK_NONE;
    /* Never the digit that t stands at, so that a distance of 0 cannot come out. */
    for (uint64_t ahead = 1; ahead < WHEEL_SLOTS; ahead++) {
        *slot = (top + ahead) % WHEEL_SLOTS;
        if (w->occupied[TOP] >> *slot & 1)
            return (top + ahead) << TOP_SHIFT;
    }
    return TICK_NONE;
}

/** Moves everything from one list to the end of another. */
static void splice(struct list *from, struct list *to)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/** Turns the wheel to `target`; what comes due on the way is in w->due then, in the
 * order of ticks. */
static void turn(struct wheel *w, uint64_t target)
{
    unsigned level, slot;
    uint64_t tick;

    while ((tick = tick_next(w, &level, &slot)) <= target) {
        struct list arrived;

        list_init(&arrived);
        splice(&w->slot[level][slot], &arrived);
        w->occupied[level] &= ~(UINT64_C(1) << slot);
        w->tick = tick;
        list_each_safe(it, after, &arrived)
        {
            list_remove(it);
            hang(w, container_of(it, struct timer, node));
        }
    }
    w->tick = target;
}

void wheel_run(struct wheel *w, tlsyn_time now)
{
    uint64_t target = tick_before(now);
    struct list due, *it;

    if (target > w->tick)
        turn(w, target);
    list_init(&due);
    splice(&w->due, &due);
    while ((it = list_first(&due))) {
        struct timer *t = container_of(it, struct timer, node);

        timer_clear(w, t);
        t->fire(t);
    }
}

tlsyn_time wheel_next(const struct wheel *w)
{
    unsigned level, slot;
    uint64_t tick;

    if (!list_empty(&w->due))
        return (tlsyn_time)(w->tick * WHEEL_TICK);
    tick = tick_next(w, &level, &slot);
    return tick == TICK_NONE ? TLSYN_NEVER : (tlsyn_time)(tick * WHEEL_TICK);
}
