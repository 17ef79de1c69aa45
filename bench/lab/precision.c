/*
 * lab/precision.c: a histogram with buckets of constant relative width.
 */
#include "lab/precision.h"

#include <string.h>

#define BUCKETS (sizeof(((struct precision *)0)->bucket) / sizeof(uint64_t))

/*
 * Values below 32 have a bucket each. A larger one is halved until 32 <= v < 64; how often that was
 * (its octave) and v - 32 number its bucket:
 *
 *     value   0..31   32..63   64..127     128..255
 *     octave          0        1           2
 *     bucket  0..31   32..63   64..95      96..127
 *     width   1       1        2           4
 */
static unsigned octave_of(uint64_t value)
{
    unsigned octave = 0;

    while (value >> octave >= 2 * PRECISION_SUB)
        octave++;
    return octave;
}

static size_t bucket_of(uint64_t value)
{
    if (value < PRECISION_SUB)
        return (size_t)value;
    unsigned octave = octave_of(value);
    size_t bucket = (size_t)octave * PRECISION_SUB + (size_t)(value >> octave);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double middle_of(size_t bucket)
{
    if (bucket < 2 * PRECISION_SUB)
        return (double)bucket;
    unsigned octave = (unsigned)(bucket / PRECISION_SUB) - 1;
    uint64_t width = UINT64_C(1) << octave;
    uint64_t low = (bucket % PRECISION_SUB + PRECISION_SUB) << octave;
    return (double)low + (double)(width - 1) / 2;
}

void precision_reset(struct precision *precision)
{
    memset(precision, 0, sizeof(*precision));
}

void precision_add(struct precision *precision, int64_t late_ns)
{
    uint64_t late = late_ns > 0 ? (uint64_t)late_ns : 0;

    precision->count++;
    precision->bucket[bucket_of(late)]++;
    if (late > precision->max_ns)
        precision->max_ns = late;
}

double precision_percentile(const struct precision *precision, double share)
{
    double rank = share * (double)precision->count;
    uint64_t seen = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        seen += precision->bucket[i];
        if (seen == 0 || (double)seen < rank)
            continue;
        double value = middle_of(i);
        return value < (double)precision->max_ns ? value : (double)precision->max_ns;
    }
    return 0;
}
