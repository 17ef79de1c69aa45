/* Follows one TCP connection through a capture file.
 *
 * One pass over the frames lists the connection's segments and puts the first bytes of both
 * directions in order; then the streams are searched for TLS, each segment gets the names of the
 * messages that it carries, and what happened is told (ladder_story.c). Sequence numbers are taken
 * relative to the initial ones, as unsigned differences, so wrapping needs no thought.
 */
#include "report/ladder.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/ladder_capture.h"
#include "report/ladder_flows.h"
#include "report/ladder_options.h"
#include "report/ladder_story.h"
#include "report/ladder_tls.h"

/* The first text of one direction. Offsets count from the initial sequence number + 1. */
struct side {
    uint8_t *bytes; /* LADDER_STREAM_MAX */
    uint8_t *have;  /* which of them were seen: 0 or 1 */
    bool syn, fin;  /* was seen before */
};

struct follow {
    const struct ladder_flow *flow;
    struct ladder *ladder;
    struct ladder_flows flows;
    int wanted; /* index of the connection; -1: not found yet */
    int64_t first_us;
    size_t added; /* events, those that were dropped included */
    struct side side[LADDER_SIDES];
};

static bool endpoint_fits(const struct ladder_endpoint *endpoint, const char *address,
                          uint16_t port)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(endpoint->family, endpoint->address, text, sizeof text);
    return (address[0] == '\0' || strcmp(address, text) == 0) &&
           (port == 0 || port == endpoint->port);
}

static bool flow_fits(const struct ladder_flow *flow, const struct ladder_tracked *tracked,
                      size_t number)
{
    return flow == NULL ||
           ((flow->number == 0 || flow->number == number) &&
            endpoint_fits(&tracked->end[LADDER_CLIENT], flow->client, flow->client_port) &&
            endpoint_fits(&tracked->end[LADDER_SERVER], flow->server, flow->server_port));
}

/* Whether the segment belongs to the connection that is wanted, which is the first that fits. */
static bool belongs(struct follow *follow, const struct ladder_segment *segment, int64_t now,
                    int *from)
{
    size_t before = follow->flows.count;
    int index = ladder_flows_take(&follow->flows, segment, now, from);

    if (index < 0) {
        return false;
    }
    if (follow->wanted < 0 && (size_t)index == before &&
        flow_fits(follow->flow, &follow->flows.all[index], (size_t)index + 1)) {
        follow->wanted = index;
        follow->first_us = now;
    }
    return index == follow->wanted;
}

/* Keep the text that lies within the stream's bound; what came first stays. Returns whether every
 * byte of it (up to the bound) had been there before. */
static bool keep_text(struct side *side, uint32_t offset, const struct ladder_segment *segment)
{
    bool all_known = segment->length > 0 && offset < LADDER_STREAM_MAX;

    for (size_t i = 0; i < segment->captured && i < segment->length; i++) {
        uint32_t at = offset + (uint32_t)i;
        if (at >= LADDER_STREAM_MAX) {
            break;
        }
        if (side->have[at] == 0) {
            all_known = false;
            side->have[at] = 1;
            side->bytes[at] = segment->text[i];
        }
    }
    return all_known && segment->captured > 0;
}

/* When the list is full, its last LADDER_TAIL places are used in turn. */
static struct ladder_event *add_event(struct follow *follow)
{
    struct ladder *ladder = follow->ladder;
    size_t at = follow->added++;

    if (at >= LADDER_EVENTS_MAX) {
        at = LADDER_EVENTS_MAX - LADDER_TAIL + at % LADDER_TAIL;
        ladder->left_out++;
    } else {
        ladder->count++;
    }
    struct ladder_event *event = &ladder->events[at];
    *event = (struct ladder_event){.cookie = -1};
    return event;
}

static_assert(LADDER_EVENTS_MAX % LADDER_TAIL == 0, "the ring's places begin where it does");

/* Whether the segment's SYN, FIN or text was there before. */
static bool is_again(struct side *side, const struct ladder_tracked *tracked, int from,
                     const struct ladder_segment *segment)
{
    bool syn = (segment->flags & LADDER_SYN) != 0;
    bool fin = (segment->flags & LADDER_FIN) != 0;
    bool again = (syn && side->syn) || (fin && side->fin);

    side->syn |= syn;
    side->fin |= fin;
    if (!tracked->known[from]) {
        return again;
    }
    uint32_t offset = segment->seq + (syn ? 1 : 0) - (tracked->iss[from] + 1);
    bool text_again = keep_text(side, offset, segment);
    return again || (text_again && !fin);
}

static void take_segment(struct follow *follow, const struct ladder_segment *segment, int from,
                         int64_t now)
{
    const struct ladder_tracked *tracked = &follow->flows.all[follow->wanted];
    struct ladder_event *event = add_event(follow);
    bool syn = (segment->flags & LADDER_SYN) != 0;
    int peer = 1 - from;

    event->time_us = now - follow->first_us;
    event->from_client = from == LADDER_CLIENT;
    event->flags = segment->flags;
    event->seq = tracked->known[from] ? segment->seq - tracked->iss[from] : segment->seq;
    event->ack = tracked->known[peer] ? segment->ack - tracked->iss[peer] : segment->ack;
    event->length = segment->length;
    event->retransmission = is_again(&follow->side[from], tracked, from, segment);
    if (syn) {
        event->cookie = ladder_options_cookie(segment->options, segment->options_length);
        ladder_options_print(segment->options, segment->options_length, event->options,
                             sizeof event->options);
    }
}

/* Where the list went round, put its end in order. */
static void end_events(struct follow *follow)
{
    struct ladder *ladder = follow->ladder;
    struct ladder_event *tail = &ladder->events[LADDER_EVENTS_MAX - LADDER_TAIL];
    struct ladder_event turned[LADDER_TAIL];

    ladder->gap = ladder->count;
    if (ladder->left_out == 0) {
        return;
    }
    for (size_t i = 0; i < LADDER_TAIL; i++) {
        turned[i] = tail[(follow->added + i) % LADDER_TAIL];
    }
    memcpy(tail, turned, sizeof turned);
    ladder->gap = LADDER_EVENTS_MAX - LADDER_TAIL;
}

/* Keep `limit` events: the first and, if there is room for some of both, the last. */
static void shorten(struct ladder *ladder, size_t limit)
{
    size_t tail = limit >= 3 * LADDER_TAIL ? LADDER_TAIL : 0;

    if (ladder->count <= limit) {
        return;
    }
    memmove(&ladder->events[limit - tail], &ladder->events[ladder->count - tail],
            tail * sizeof *ladder->events);
    ladder->left_out += ladder->count - limit;
    ladder->gap = limit - tail;
    ladder->count = limit;
}

static size_t in_order(const struct side *side)
{
    const uint8_t *hole = memchr(side->have, 0, LADDER_STREAM_MAX);
    return hole != NULL ? (size_t)(hole - side->have) : LADDER_STREAM_MAX;
}

/* Name what one direction's segments carry. */
static void name_messages(struct ladder *ladder, const struct follow *follow, int way,
                          struct ladder_tls *tls)
{
    const struct side *side = &follow->side[way];

    ladder_tls_parse(tls, side->bytes, in_order(side));
    for (size_t i = 0; i < ladder->count; i++) {
        struct ladder_event *event = &ladder->events[i];
        if (event->from_client != (way == LADDER_CLIENT) || event->length == 0 ||
            !follow->flows.all[follow->wanted].known[way]) {
            continue;
        }
        size_t start = ladder_event_offset(event);
        ladder_tls_print(tls, start, start + event->length, event->tls, sizeof event->tls);
    }
}

/* Names, and what they mean. */
static void read_streams(struct follow *follow, struct ladder_tls tls[LADDER_SIDES], size_t limit)
{
    struct ladder *ladder = follow->ladder;
    const struct ladder_tracked *tracked = &follow->flows.all[follow->wanted];

    end_events(follow);
    /* The server's first: it says which TLS version the client's is to be read as. */
    name_messages(ladder, follow, LADDER_SERVER, &tls[LADDER_SERVER]);
    tls[LADDER_CLIENT].tls13 = tls[LADDER_SERVER].tls13;
    name_messages(ladder, follow, LADDER_CLIENT, &tls[LADDER_CLIENT]);
    ladder_endpoint_print(&tracked->end[LADDER_CLIENT], ladder->client);
    ladder_endpoint_print(&tracked->end[LADDER_SERVER], ladder->server);
    ladder->connections = follow->flows.count;
    ladder_story_tell(ladder, &tls[LADDER_CLIENT], &tls[LADDER_SERVER]);
    shorten(ladder, limit);
}

/* Everything that needs memory. `memory` is one block for both directions. */
static int follow_file(struct follow *follow, struct ladder_capture *capture, size_t limit)
{
    uint8_t *memory = calloc(4, LADDER_STREAM_MAX);
    struct ladder_tls *tls = calloc(LADDER_SIDES, sizeof *tls);
    struct ladder *ladder = follow->ladder;
    struct ladder_segment segment;
    int64_t now = 0;
    int from = LADDER_CLIENT;
    int error = ladder_flows_init(&follow->flows);

    ladder->events = calloc(LADDER_EVENTS_MAX, sizeof *ladder->events);
    if (memory == NULL || tls == NULL || ladder->events == NULL || error < 0) {
        error = -ENOMEM;
    } else {
        for (int way = LADDER_CLIENT; way < LADDER_SIDES; way++) {
            follow->side[way].bytes = memory + (size_t)way * 2 * LADDER_STREAM_MAX;
            follow->side[way].have = follow->side[way].bytes + LADDER_STREAM_MAX;
        }
        while (ladder_capture_next(capture, &segment, &now)) {
            if (belongs(follow, &segment, now, &from)) {
                take_segment(follow, &segment, from, now);
            }
        }
        error = follow->wanted < 0 ? -ENOENT : 0;
    }
    if (error == 0) {
        read_streams(follow, tls, limit);
    }
    free(tls);
    free(memory);
    return error;
}

static void explain(const struct follow *follow, const struct ladder_capture *capture, int result,
                    char error[LADDER_ERROR_MAX])
{
    size_t count = follow->flows.count;

    if (result == -ENOMEM) {
        snprintf(error, LADDER_ERROR_MAX, "out of memory");
    } else if (count == 0) {
        ladder_capture_explain(capture, error);
    } else {
        snprintf(error, LADDER_ERROR_MAX, "none of the %zu connections in the capture is that one",
                 count);
    }
}

int ladder_read_stream(struct ladder *ladder, FILE *stream, const struct ladder_flow *flow,
                       size_t limit, char error[LADDER_ERROR_MAX])
{
    struct follow follow = {.flow = flow, .ladder = ladder, .wanted = -1};
    struct ladder_capture capture;

    *ladder = (struct ladder){0};
    error[0] = '\0';
    if (limit < 1 || limit > LADDER_EVENTS_MAX) {
        fclose(stream);
        snprintf(error, LADDER_ERROR_MAX, "a ladder has 1 to %d segments", LADDER_EVENTS_MAX);
        return -EINVAL;
    }
    int result = ladder_capture_open(&capture, stream, error);
    if (result < 0) {
        return result;
    }
    result = follow_file(&follow, &capture, limit);
    if (result < 0) {
        ladder_free(ladder);
        explain(&follow, &capture, result, error);
    }
    ladder->seen = capture.seen;
    ladder_flows_fini(&follow.flows);
    ladder_capture_close(&capture);
    return result;
}

int ladder_read(struct ladder *ladder, const char *path, const struct ladder_flow *flow,
                size_t limit, char error[LADDER_ERROR_MAX])
{
    FILE *capture = fopen(path, "rb");

    if (capture == NULL) {
        int reason = errno;
        *ladder = (struct ladder){0};
        snprintf(error, LADDER_ERROR_MAX, "%s: %s", path, strerror(reason));
        return -reason;
    }
    return ladder_read_stream(ladder, capture, flow, limit, error);
}

void ladder_free(struct ladder *ladder)
{
    free(ladder->events);
    *ladder = (struct ladder){0};
}
