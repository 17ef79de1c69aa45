/*
 * link/impair_direction.c: what a path does to frames, one way. See impair_direction.h.
 */
#include "link/impair_direction.h"

#define QUEUE_BYTES_DEFAULT (1u << 20)
#define HELD_BYTES_MAX      (256u << 20)
#define NS_PER_US           1000

/* What a frame's random numbers decided. */
struct fate {
    bool lost, reordered, duplicated, corrupted, marked;
    double jitter; /* [0, 1) */
    double place;  /* [0, 1) of the frame's bits */
};

static struct fate fate_draw(struct direction *d)
{
    struct tlsyn_random *random = &d->random.base;
    struct fate fate;

    /* Always all of them, and in this order: one probability must not change what
     * another one decides. */
    fate.lost = random_unit(random) < d->how.loss;
    fate.reordered = random_unit(random) < d->how.reorder;
    fate.duplicated = random_unit(random) < d->how.duplicate;
    fate.corrupted = random_unit(random) < d->how.corrupt;
    fate.jitter = random_unit(random);
    fate.place = random_unit(random);
    fate.marked = random_unit(&d->marking.base) < d->how.mark;
    return fate;
}

/* Moves *at from the arrival at the bottleneck to the departure from it; false if the
 * queue is full. A long queue marks. */
static bool bottleneck_pass(struct direction *d, size_t len, int64_t *at, bool *marked)
{
    uint64_t bound = d->how.queue_bytes ? d->how.queue_bytes : QUEUE_BYTES_DEFAULT;
    double bits_per_ns = (double)d->how.rate / 1e9;

    if (d->how.rate == 0) {
        if (d->busy_until > *at) /* a rate was there before: what it still owes goes first */
            *at = d->busy_until;
        return true;
    }
    if (d->busy_until > *at) {
        double waiting = (double)(d->busy_until - *at) * bits_per_ns / 8;

        if (waiting + (double)len > (double)bound)
            return false;
        if (d->how.mark_queue > 0 && waiting > (double)d->how.mark_queue)
            *marked = true;
        *at = d->busy_until;
    }
    *at += (int64_t)((double)len * 8 / bits_per_ns);
    d->busy_until = *at;
    return true;
}

static void held_append(struct direction *d, struct list *list, struct held_frame *held,
                        int64_t due)
{
    held->due = due;
    held->number = d->next_number++;
    list_append(list, &held->node);
    d->held_bytes += held->frame.iov[0].iov_len;
    d->stats.held++;
}

/* Flips one bit behind the Ethernet header, such that the receiver can see it. */
static void corrupt(struct held_frame *held, double place)
{
    size_t len = held->frame.iov[0].iov_len;
    size_t bit;

    if (len <= FRAME_ETHER_LEN)
        return;
    frame_finish_checksum(&held->frame);
    held->frame.flags &= (uint8_t)~TLSYN_FRAME_CSUM_VERIFIED;
    bit = FRAME_ETHER_LEN * 8 + (size_t)(place * (double)((len - FRAME_ETHER_LEN) * 8));
    held->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Sends a frame that left the bottleneck at `at` down the path. False when there is no
 * memory for it. */
static bool path_enter(struct direction *d, const struct tlsyn_frame *frame,
                       const struct fate *fate, int64_t at)
{
    struct held_frame *held;
    int64_t due = at;

    if (d->held_bytes + tlsyn_frame_len(frame) > HELD_BYTES_MAX)
        return false;
    held = frame_hold(frame);
    if (!held)
        return false;
    if (fate->marked && frame_mark_congestion(&held->frame))
        d->stats.marked++;
    if (fate->corrupted)
        corrupt(held, fate->place);
    if (fate->reordered) {
        held_append(d, &d->overtaking, held, due);
        return true;
    }
    due += d->how.delay * NS_PER_US;
    due += (int64_t)(fate->jitter * (double)d->how.jitter * NS_PER_US);
    if (due < d->last_due)
        due = d->last_due;
    d->last_due = due;
    held_append(d, &d->ordered, held, due);
    return true;
}

void direction_push(struct direction *d, const struct tlsyn_frame *frame, tlsyn_time arrival)
{
    struct fate fate = fate_draw(d);
    int64_t at = arrival * NS_PER_US;

    d->stats.in++;
    if (at < d->last_arrival)
        at = d->last_arrival;
    d->last_arrival = at;
    if (!bottleneck_pass(d, tlsyn_frame_len(frame), &at, &fate.marked)) {
        d->stats.queue_full++;
        return;
    }
    d->stats.corrupted += fate.corrupted && !fate.lost;
    if (fate.lost || (fate.corrupted && frame->gso_type != TLSYN_GSO_NONE)) {
        d->stats.lost++;
        return;
    }
    if (!path_enter(d, frame, &fate, at)) {
        d->stats.queue_full++;
        return;
    }
    d->stats.reordered += fate.reordered;
    if (fate.duplicated && path_enter(d, frame, &fate, at))
        d->stats.duplicated++;
}

/* The held frame that is due first, or NULL. */
static struct held_frame *direction_first(struct direction *d)
{
    struct list *a = list_first(&d->ordered), *b = list_first(&d->overtaking);
    struct held_frame *first = a ? container_of(a, struct held_frame, node) : NULL;
    struct held_frame *other = b ? container_of(b, struct held_frame, node) : NULL;

    if (!first || !other)
        return first ? first : other;
    if (first->due != other->due)
        return first->due < other->due ? first : other;
    return first->number < other->number ? first : other;
}

/* Rounded up: a frame is never early. */
static tlsyn_time held_due(const struct held_frame *held)
{
    return (held->due + NS_PER_US - 1) / NS_PER_US;
}

tlsyn_time direction_next(struct direction *d)
{
    const struct held_frame *first = direction_first(d);

    return first ? held_due(first) : TLSYN_NEVER;
}

/* Takes out the next frame if it is due at `now`, or returns NULL. */
struct held_frame *direction_pop(struct direction *d, tlsyn_time now)
{
    struct held_frame *first = direction_first(d);

    if (!first || held_due(first) > now)
        return NULL;
    list_remove(&first->node);
    d->held_bytes -= first->frame.iov[0].iov_len;
    d->stats.held--;
    first->frame.when = held_due(first);
    return first;
}

bool direction_is_clear(const struct direction *d)
{
    return d->perfect && d->stats.held == 0;
}

static bool is_probability(double p)
{
    return p >= 0 && p <= 1;
}

/* Bounded, for inside it is counted in nanoseconds. */
static bool is_delay(tlsyn_time t)
{
    return t >= 0 && t <= TLSYN_IMPAIR_TIME_MAX;
}

bool direction_allows(const struct tlsyn_impairment *how)
{
    return !how || (is_delay(how->delay) && is_delay(how->jitter) && is_probability(how->loss) &&
                    is_probability(how->reorder) && is_probability(how->duplicate) &&
                    is_probability(how->corrupt) && is_probability(how->mark));
}

void direction_set(struct direction *d, const struct tlsyn_impairment *how)
{
    static const struct tlsyn_impairment perfect;

    d->how = how ? *how : perfect;
    how = &d->how;
    d->perfect = how->delay == 0 && how->jitter == 0 && how->rate == 0 && !(how->loss > 0) &&
                 !(how->reorder > 0) && !(how->duplicate > 0) && !(how->corrupt > 0) &&
                 !(how->mark > 0);
    random_seed(&d->random, how->seed);
    random_seed(&d->marking, ~how->seed);
}

void direction_init(struct direction *d, const struct tlsyn_impairment *how)
{
    list_init(&d->ordered);
    list_init(&d->overtaking);
    direction_set(d, how);
}

void direction_fini(struct direction *d)
{
    frames_free(&d->ordered);
    frames_free(&d->overtaking);
}
