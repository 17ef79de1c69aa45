/*
 * core/ranges.c: a sorted array of intervals. The array doubles as it fills, up to the bound, and
 * goes away with the last interval.
 *
 * Adding [from, to): `first` is the first interval that ends at or behind `from`, `behind`
 * the first that begins behind `to`. All between them overlap or touch the new one and
 * become one with it:
 *
 *        [----)   [------)  [---)  [------)    [----)
 *                     [==================)
 *                 first                        behind
 */
#include "core/ranges.h"

#include <errno.h>

#define ROOM_FIRST 4

void ranges_init(struct ranges *r, uint16_t max)
{
    *r = (struct ranges){.max = max};
}

void ranges_release(struct ranges *r, struct tlsyn_alloc *alloc)
{
    if (r->at)
        alloc->resize(alloc, r->at, 0);
    ranges_init(r, r->max);
}

/** The index of the first interval with to >= offset, or count. */
static uint16_t first_ending_at(const struct ranges *r, uint64_t offset)
{
    uint16_t low = 0, high = r->count;

    while (low < high) {
        uint16_t middle = (uint16_t)((low + high) / 2);

        if (r->at[middle].to < offset)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return low;
}

static int make_room(struct ranges *r, struct tlsyn_alloc *alloc)
{
    uint32_t room = r->room ? 2 * (uint32_t)r->room : ROOM_FIRST;
    struct range *at;

    if (r->count >= r->max)
        return -ENOSPC;
    if (r->count < r->room)
        return 0;
    if (room > r->max)
        room = r->max;
    at = alloc->resize(alloc, r->at, room * sizeof(*at));
    if (!at)
        return -ENOMEM;
    r->at = at;
    r->room = (uint16_t)room;
    return 0;
}

static int insert(struct ranges *r, struct tlsyn_alloc *alloc, uint16_t index, struct range new)
{
    int error = make_room(r, alloc);

    if (error)
        return error;
    memmove(r->at + index + 1, r->at + index, (size_t)(r->count - index) * sizeof(*r->at));
    r->at[index] = new;
    r->count++;
    return 0;
}

/** Takes the intervals [index, index + n) out. */
static void take_out(struct ranges *r, uint16_t index, uint16_t n)
{
    r->count = (uint16_t)(r->count - n);
    memmove(r->at + index, r->at + index + n, (size_t)(r->count - index) * sizeof(*r->at));
}

int ranges_add(struct ranges *r, struct tlsyn_alloc *alloc, uint64_t from, uint64_t to,
               struct range *merged)
{
    struct range new = {from, to};
    uint16_t first, behind;
    int error = 0;

    if (from >= to) {
        if (merged)
            *merged = (struct range){from, from};
        return 0;
    }
    first = behind = first_ending_at(r, from);
    while (behind < r->count && r->at[behind].from <= to)
        behind++;
    if (first == behind) {
        error = insert(r, alloc, first, new);
    } else {
        if (r->at[first].from < from)
            new.from = r->at[first].from;
        if (r->at[behind - 1].to > to)
            new.to = r->at[behind - 1].to;
        r->at[first] = new;
        if (behind - first > 1)
            take_out(r, (uint16_t)(first + 1), (uint16_t)(behind - first - 1));
    }
    if (!error && merged)
        *merged = new;
    return error;
}

void ranges_trim(struct ranges *r, struct tlsyn_alloc *alloc, uint64_t to)
{
    uint16_t below = 0;

    while (below < r->count && r->at[below].to <= to)
        below++;
    if (below == r->count) {
        ranges_release(r, alloc);
        return;
    }
    if (below)
        take_out(r, 0, below);
    if (r->at[0].from < to)
        r->at[0].from = to;
}

const struct range *ranges_find(const struct ranges *r, uint64_t offset)
{
    uint16_t i = offset < UINT64_MAX ? first_ending_at(r, offset + 1) : r->count;

    return i < r->count && r->at[i].from <= offset ? &r->at[i] : NULL;
}

bool ranges_covers(const struct ranges *r, uint64_t from, uint64_t to)
{
    const struct range *in = from < to ? ranges_find(r, from) : NULL;

    return from >= to || (in && in->to >= to);
}

bool ranges_meet(const struct ranges *r, uint64_t from, uint64_t to, struct range *part)
{
    uint16_t i = from < to ? first_ending_at(r, from + 1) : r->count;

    if (i == r->count || r->at[i].from >= to)
        return false;
    part->from = r->at[i].from > from ? r->at[i].from : from;
    part->to = r->at[i].to < to ? r->at[i].to : to;
    return true;
}

uint64_t ranges_total(const struct ranges *r)
{
    uint64_t total = 0;

    for (uint16_t i = 0; i < r->count; i++)
        total += r->at[i].to - r->at[i].from;
    return total;
}
