/*
 * link/impair.c: wraps a link: delay, jitter, rate, queue, loss, reordering,
 * duplication, corruption, marks of congestion.
 *
 * Read first: struct tlsyn_impairment in tlsyn/link.h, which has a picture of the path.
 *
 * Each direction is a bottleneck with a queue in front of it, and a path behind it. The bottleneck
 * is one number, the time until which it is busy: a frame that arrives at t leaves it at max(t,
 * busy) + length / rate, and what waits then is (busy - t) * rate. The path is two lists of held
 * copies. In `ordered` a frame is due no earlier than the frame before it, whatever its jitter
 * says; in `overtaking` are the frames that pass the delay by, which are in order among
 * themselves. So both lists are sorted by due time, and adding and taking cost O(1) however many
 * frames are on their way.
 *
 * Times inside are nanoseconds, as a frame lasts only 1.2 us on a link of 10 Gbit/s. Pure: no
 * clock; memory only for copies.
 */
#include <errno.h>

#include "core/random.h"
#include "link/frame.h"

#define QUEUE_BYTES_DEFAULT (1u << 20)
#define HELD_BYTES_MAX      (256u << 20)
#define BATCHES_PER_RECEIVE                                                                        \
    8 /* taken from the inner link at most, so that due frames need not wait for a flood */
#define NS_PER_US 1000

struct direction {
    struct tlsyn_impairment how;
    bool perfect;
    struct random_seeded random;
    struct random_seeded marking;    /* of its own: marks change nobody's fate */
    struct list ordered, overtaking; /* held_frame, by due time in ns */
    int64_t last_arrival;            /* ns */
    int64_t busy_until;              /* ns: the bottleneck has sent everything */
    int64_t last_due;                /* ns: of `ordered` */
    uint64_t next_number;            /* of frames held: breaks ties between the lists */
    size_t held_bytes;
    struct tlsyn_impair_stats stats;
};

struct impair {
    struct tlsyn_link link;
    struct tlsyn_link *inner;
    struct direction out, in;
    struct list lent;  /* held_frame: handed out by the last receive */
    int receive_error; /* the inner link is dead; told when nothing is held any more */
    int transmit_error;
};

/* What a frame's random numbers decided. */
struct fate {
    bool lost, reordered, duplicated, corrupted, marked;
    double jitter; /* [0, 1) */
    double place;  /* [0, 1) of the frame's bits */
};

static struct impair *impair_of(struct tlsyn_link *link)
{
    return container_of(link, struct impair, link);
}

/* ---- one direction --------------------------------------------------------------------------- */

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

static void direction_take(struct direction *d, const struct tlsyn_frame *frame, tlsyn_time arrival)
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

static tlsyn_time direction_next(struct direction *d)
{
    const struct held_frame *first = direction_first(d);

    return first ? held_due(first) : TLSYN_NEVER;
}

/* Takes out the next frame if it is due at `now`, or returns NULL. */
static struct held_frame *direction_release(struct direction *d, tlsyn_time now)
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

static bool direction_is_clear(const struct direction *d)
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

static bool impairment_is_valid(const struct tlsyn_impairment *how)
{
    return !how || (is_delay(how->delay) && is_delay(how->jitter) && is_probability(how->loss) &&
                    is_probability(how->reorder) && is_probability(how->duplicate) &&
                    is_probability(how->corrupt) && is_probability(how->mark));
}

static void direction_set(struct direction *d, const struct tlsyn_impairment *how)
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

static void direction_init(struct direction *d, const struct tlsyn_impairment *how)
{
    list_init(&d->ordered);
    list_init(&d->overtaking);
    direction_set(d, how);
}

/* ---- the link -------------------------------------------------------------------------------- */

/* Sends these frames, due already, on the inner link. What it has no room for is dropped, as by
 * any full queue. */
static void impair_pass_on(struct impair *im, const struct tlsyn_frame *frames, int n,
                           tlsyn_time now)
{
    struct tlsyn_impair_stats *stats = &im->out.stats;
    int i = 0;

    while (i < n && im->transmit_error == 0) {
        int taken = tlsyn_link_transmit(im->inner, frames + i, n - i, now);

        if (taken > 0) {
            stats->out += (uint64_t)taken;
            i += taken;
        } else if (taken == -ENOBUFS || taken == -EMSGSIZE || taken == -EINVAL) {
            stats->queue_full++;
            i++;
        } else {
            im->transmit_error = taken;
        }
    }
    stats->lost += (uint64_t)(n - i); /* in a link that died */
}

/* Transmits what has become due in the `out` direction. */
static void impair_flush(struct impair *im, tlsyn_time now)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    struct held_frame *held = NULL;
    struct list sent;

    list_init(&sent);
    do {
        int n = 0;

        while (n < TLSYN_LINK_BATCH && (held = direction_release(&im->out, now)) != NULL) {
            frames[n++] = held->frame;
            list_append(&sent, &held->node);
        }
        impair_pass_on(im, frames, n, now);
        frames_free(&sent);
    } while (held);
}

/* Takes what the inner link has received into the `in` direction. */
static void impair_fill(struct impair *im, tlsyn_time now)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];

    for (int batch = 0; batch < BATCHES_PER_RECEIVE && im->receive_error == 0; batch++) {
        int n = tlsyn_link_receive(im->inner, frames, TLSYN_LINK_BATCH, now);

        for (int i = 0; i < n; i++) {
            tlsyn_time when = frames[i].when;

            direction_take(&im->in, &frames[i], when > 0 && when < now ? when : now);
        }
        if (n < 0)
            im->receive_error = n;
        if (n < TLSYN_LINK_BATCH)
            return;
    }
}

static int impair_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                          tlsyn_time now)
{
    struct impair *im = impair_of(link);
    struct held_frame *held;
    int n = 0;

    frames_free(&im->lent);
    impair_flush(im, now);
    if (direction_is_clear(&im->in) && im->receive_error == 0) {
        n = tlsyn_link_receive(im->inner, frames, max, now);
        im->in.stats.in += n > 0 ? (uint64_t)n : 0;
        im->in.stats.out += n > 0 ? (uint64_t)n : 0;
        return n;
    }
    impair_fill(im, now);
    while (n < max && (held = direction_release(&im->in, now)) != NULL) {
        frames[n++] = held->frame;
        list_append(&im->lent, &held->node);
    }
    im->in.stats.out += (uint64_t)n;
    return n == 0 && im->in.stats.held == 0 ? im->receive_error : n;
}

static int impair_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                           tlsyn_time now)
{
    struct impair *im = impair_of(link);

    impair_flush(im, now);
    if (im->transmit_error)
        return im->transmit_error;
    if (direction_is_clear(&im->out)) {
        int taken = tlsyn_link_transmit(im->inner, frames, n, now);

        im->out.stats.in += taken > 0 ? (uint64_t)taken : 0;
        im->out.stats.out += taken > 0 ? (uint64_t)taken : 0;
        return taken;
    }
    for (int i = 0; i < n; i++) {
        int error = frame_check(&frames[i], &im->inner->caps);

        if (error)
            return i > 0 ? i : error;
        direction_take(&im->out, &frames[i], now);
    }
    impair_flush(im, now); /* what has no delay leaves at once */
    return n;
}

static int impair_fd(struct tlsyn_link *link)
{
    return tlsyn_link_fd(impair_of(link)->inner);
}

static uint64_t impair_missed(struct tlsyn_link *link)
{
    return tlsyn_link_missed(impair_of(link)->inner);
}

static tlsyn_time impair_next_timeout(struct tlsyn_link *link)
{
    struct impair *im = impair_of(link);
    tlsyn_time next = tlsyn_link_next_timeout(im->inner);
    tlsyn_time out = direction_next(&im->out), in = direction_next(&im->in);

    if (out < next)
        next = out;
    return in < next ? in : next;
}

static void impair_close(struct tlsyn_link *link)
{
    struct impair *im = impair_of(link);

    frames_free(&im->out.ordered);
    frames_free(&im->out.overtaking);
    frames_free(&im->in.ordered);
    frames_free(&im->in.overtaking);
    frames_free(&im->lent);
    tlsyn_link_close(im->inner);
    link_free(im);
}

static const struct tlsyn_link_ops impair_ops = {
    .receive = impair_receive,
    .transmit = impair_transmit,
    .fd = impair_fd,
    .next_timeout = impair_next_timeout,
    .missed = impair_missed,
    .close = impair_close,
};

int tlsyn_impair_wrap(struct tlsyn_link *inner, const struct tlsyn_impairment *out,
                      const struct tlsyn_impairment *in, struct tlsyn_link **link)
{
    struct impair *im;

    if (!impairment_is_valid(out) || !impairment_is_valid(in))
        return -EINVAL;
    im = link_alloc(sizeof(*im));
    if (!im)
        return -ENOMEM;
    im->link.ops = &impair_ops;
    im->link.caps = inner->caps;
    if (out)
        im->link.caps.gso_max = 0;
    im->inner = inner;
    direction_init(&im->out, out);
    direction_init(&im->in, in);
    list_init(&im->lent);
    tlsyn_link_stamp(inner); /* a delay counts from the arrival */
    *link = &im->link;
    return 0;
}

int tlsyn_impair_set(struct tlsyn_link *link, const struct tlsyn_impairment *out,
                     const struct tlsyn_impairment *in)
{
    struct impair *im = impair_of(link);

    if (!impairment_is_valid(out) || !impairment_is_valid(in))
        return -EINVAL;
    direction_set(&im->out, out);
    direction_set(&im->in, in);
    return 0;
}

void tlsyn_impair_stats(const struct tlsyn_link *link, struct tlsyn_impair_stats *out,
                        struct tlsyn_impair_stats *in)
{
    const struct impair *im = (const struct impair *)(const void *)link;

    if (out)
        *out = im->out.stats;
    if (in)
        *in = im->in.stats;
}
