/*
 * study/transfer/flow_meter.c: what an end of a transfer counts and compares.
 */
#include "study/transfer/flow_end.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>

#include "measure/rng.h"
#include "study/actors.h"

/* So many bytes at the beginning of a piece are compared, of one piece in so many bytes: a receiver
 * whose bytes come in small pieces compares no more than one whose come in large ones. */
#define SAMPLE       64
#define SAMPLE_EVERY (32u << 10)

/* The pattern twice, so that a piece as long as it begins anywhere; and room for a sample. */
static uint8_t *make_pattern(void)
{
    uint8_t *pattern = malloc(2 * FLOW_PATTERN + SAMPLE);
    struct rng rng;

    rng_seed(&rng, 1);
    for (size_t i = 0; pattern && i < FLOW_PATTERN; i += sizeof(uint64_t)) {
        uint64_t word = rng_next(&rng);

        memcpy(pattern + i, &word, sizeof(word)); /* the last one ends behind the pattern */
    }
    if (pattern) {
        memcpy(pattern + FLOW_PATTERN, pattern, FLOW_PATTERN);
        memcpy(pattern + 2 * FLOW_PATTERN, pattern, SAMPLE);
    }
    return pattern;
}

static double cpu_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int flow_meter_open(struct flow_meter *meter, const struct flow_end *end)
{
    *meter = (struct flow_meter){.end = end, .pattern = make_pattern()};
    if (end->order.digest && !end->sends)
        meter->digest = peer_digest_new();
    return meter->pattern && (meter->digest || !end->order.digest || end->sends) ? 0 : -ENOMEM;
}

void flow_meter_close(struct flow_meter *meter)
{
    free(meter->pattern);
    peer_digest_free(meter->digest);
    meter->pattern = NULL;
    meter->digest = NULL;
}

static void count_bytes(struct flow_meter *meter, size_t n)
{
    meter->bytes += n;
    if (meter->mark)
        return;
    tlsyn_time now = tlsyn_clock();

    if (!meter->first)
        meter->first = now;
    if (now - meter->first < FLOW_WARM)
        return;
    meter->mark = now;
    meter->bytes_at_mark = meter->bytes;
    meter->cpu_at_mark = cpu_seconds();
}

size_t flow_meter_next(struct flow_meter *meter, size_t want, const uint8_t **bytes)
{
    const struct flow_order *order = &meter->end->order;
    size_t at = (size_t)(meter->bytes % FLOW_PATTERN);
    size_t n = FLOW_PATTERN;

    *bytes = meter->pattern + at;
    n = n < want ? n : want;
    if (order->bytes)
        return order->bytes - meter->bytes < n ? (size_t)(order->bytes - meter->bytes) : n;
    return meter->first && tlsyn_clock() - meter->first >= order->span ? 0 : n;
}

void flow_meter_sent(struct flow_meter *meter, size_t n)
{
    count_bytes(meter, n);
}

void flow_meter_received(struct flow_meter *meter, const uint8_t *bytes, size_t n)
{
    const uint8_t *expected = meter->pattern + meter->bytes % FLOW_PATTERN;

    if (meter->bytes >= meter->next_sample) {
        if (memcmp(bytes, expected, n < SAMPLE ? n : SAMPLE) != 0)
            meter->report.wrong = true;
        meter->next_sample = meter->bytes + SAMPLE_EVERY;
    }
    if (meter->digest)
        peer_digest_add(meter->digest, bytes, n);
    count_bytes(meter, n);
}

void flow_meter_finish(struct flow_meter *meter)
{
    struct flow_report *report = &meter->report;
    tlsyn_time now = tlsyn_clock();

    report->bytes = meter->bytes;
    if (!meter->end->sends)
        report->ended = now;
    if (meter->mark) {
        report->mark = meter->mark;
        report->marked_until = now;
        report->mark_bytes = meter->bytes - meter->bytes_at_mark;
        report->mark_cpu = cpu_seconds() - meter->cpu_at_mark;
    }
    if (meter->digest)
        peer_digest_finish(meter->digest, report->digest);
}

int flow_digest(uint64_t bytes, uint8_t value[PEER_DIGEST_LEN])
{
    struct peer_digest *digest = peer_digest_new();
    uint8_t *pattern = make_pattern();
    int error = digest && pattern ? 0 : -ENOMEM;

    while (error == 0 && bytes > 0) {
        size_t n = bytes < FLOW_PATTERN ? (size_t)bytes : FLOW_PATTERN;

        peer_digest_add(digest, pattern, n);
        bytes -= n;
    }
    if (error == 0)
        peer_digest_finish(digest, value);
    peer_digest_free(digest);
    free(pattern);
    return error;
}

int flow_tell(const struct flow_end *end, enum flow_word word, int error, const char *reason,
              const struct flow_report *report)
{
    struct flow_message message = {.word = word, .error = error};

    if (reason)
        (void)snprintf(message.reason, sizeof(message.reason), "%s", reason);
    if (report)
        message.report = *report;
    return actor_send(end->control, &message, sizeof(message));
}
