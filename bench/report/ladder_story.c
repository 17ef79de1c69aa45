/* What a connection was, from its events and its messages.
 *
 * Round trips are counted by what waited for what, so that it does not matter at which end the
 * capture was taken: the client sends something that the server has not acknowledged; when the
 * server then says something new, that was one. Text that the server could only send after an ACK
 * of the client's (a congestion window, or the bound on what an unvalidated address gets) waited,
 * too, though the client had nothing to say: this shows by the clock alone.
 */
#include "report/ladder_story.h"

#include <string.h>

enum { END_OF_EARLY_DATA = 5 + 21, FINISHED_256 = 5 + 53, FINISHED_384 = 5 + 69 };

static const struct ladder_event *find_syn(const struct ladder *ladder, bool from_client)
{
    for (size_t i = 0; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        if (event->from_client == from_client && (event->flags & LADDER_SYN) != 0) {
            return event;
        }
    }
    return NULL;
}

static void tell_opening(const struct ladder *ladder, struct ladder_story *story)
{
    const struct ladder_event *syn = find_syn(ladder, true);
    const struct ladder_event *synack = find_syn(ladder, false);

    story->cookie_sent = story->cookie_given = -1;
    if (syn != NULL) {
        story->syn_text = syn->length;
        story->cookie_sent = syn->cookie;
    }
    if (synack != NULL && (synack->flags & LADDER_ACK) != 0 && synack->ack > 0) {
        uint32_t acked = synack->ack - 1;
        story->answered = true;
        story->syn_acked = acked < story->syn_text ? acked : story->syn_text;
        story->synack_text = synack->length;
        story->cookie_given = synack->cookie;
    }
}

/* Whether the stream has a span of this kind. */
static const struct ladder_span *find_span(const struct ladder_tls *tls, uint8_t record,
                                           uint8_t message)
{
    for (size_t i = 0; i < tls->count; i++) {
        if (tls->spans[i].record == record && tls->spans[i].message == message) {
            return &tls->spans[i];
        }
    }
    return NULL;
}

/* RFC 5077 3.4: who offers a ticket may make a session ID up, to see it echoed. */
static enum ladder_session session_of(const struct ladder_tls *client,
                                      const struct ladder_tls *server)
{
    const struct ladder_hello *asked = &client->hello;
    const struct ladder_hello *chosen = &server->hello;

    if (!asked->there || !chosen->there) {
        return LADDER_SESSION_UNKNOWN;
    }
    if (chosen->tls13) {
        return chosen->psk ? LADDER_SESSION_PSK : LADDER_SESSION_NEW;
    }
    if (find_span(server, LADDER_HANDSHAKE, LADDER_CERTIFICATE) != NULL) {
        return LADDER_SESSION_NEW;
    }
    if (find_span(server, LADDER_CCS, LADDER_ENCRYPTED) == NULL) {
        return LADDER_SESSION_UNKNOWN;
    }
    return asked->ticket > 0 ? LADDER_SESSION_TICKET : LADDER_SESSION_ID;
}

/* How much of its stream the client had sent before the server said anything but SYN-ACK. */
static size_t sent_before_answer(const struct ladder *ladder)
{
    size_t end = 0;

    for (size_t i = 0; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        if (!event->from_client && event->length > 0) {
            break;
        }
        if (event->from_client && event->length > 0) {
            size_t last = ladder_event_offset(event) + event->length;
            end = last > end ? last : end;
        }
    }
    return end;
}

/* Early data that was taken is followed by EndOfEarlyData and Finished (RFC 8446 4.5), which are
 * encrypted, but known by their lengths where records are not padded. */
static void tell_early(const struct ladder *ladder, const struct ladder_tls *client,
                       struct ladder_story *story)
{
    size_t sent = sent_before_answer(ladder);

    if (!client->hello.early_data) {
        return;
    }
    for (size_t i = 0; i < client->count; i++) {
        const struct ladder_span *span = &client->spans[i];
        const struct ladder_span *next = span + 1;
        if (span->record != LADDER_DATA) {
            continue;
        }
        if (span->start < sent) {
            story->early += (uint32_t)(span->end - span->start);
        }
        if (i + 1 < client->count && span->end - span->start == END_OF_EARLY_DATA &&
            next->record == LADDER_DATA &&
            (next->end - next->start == FINISHED_256 || next->end - next->start == FINISHED_384)) {
            story->early_taken = true;
        }
    }
}

/* The first record of data that begins at an offset or behind it. */
static const struct ladder_span *find_data(const struct ladder_tls *tls, size_t from)
{
    for (size_t i = 0; i < tls->count; i++) {
        if (tls->spans[i].record == LADDER_DATA && tls->spans[i].start >= from) {
            return &tls->spans[i];
        }
    }
    return NULL;
}

/* The first event of a direction that carries the byte; ladder->count if there is none. */
static size_t event_of(const struct ladder *ladder, bool from_client, size_t byte)
{
    size_t i = 0;

    for (; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        if (event->from_client == from_client && event->length > 0 &&
            ladder_event_offset(event) <= byte &&
            byte - ladder_event_offset(event) < event->length) {
            break;
        }
    }
    return i;
}

/* The event at which the client could send: with its own Finished in TLS 1.3, with the server's in
 * TLS 1.2 (or where it did so before: RFC 7918), with its first flight if early data is in it and
 * is not refused. */
static size_t ready_event(const struct ladder *ladder, const struct ladder_tls *client,
                          const struct ladder_tls *server)
{
    bool refused = ladder->story.early > 0 && !ladder->story.early_taken;
    const struct ladder_span *data = find_data(client, refused ? sent_before_answer(ladder) : 0);
    const struct ladder_span *finished = find_span(server, LADDER_HANDSHAKE, LADDER_ENCRYPTED);
    size_t by_data = data != NULL ? event_of(ladder, true, data->start) : ladder->count;
    size_t by_finished = ladder->count;

    if (finished != NULL && !server->tls13) {
        by_finished = event_of(ladder, false, finished->end - 1);
    }
    return by_data < by_finished ? by_data : by_finished;
}

struct count {
    int trips;
    bool waiting;      /* for the server to say something */
    uint32_t acked[2]; /* by the server, by the client */
    bool client_acked; /* since the server last sent text */
    int64_t texted_us; /* when that was; -1: not yet */
    int64_t trip_us;   /* a round trip, roughly; -1: not known yet */
    bool syn_answered; /* a SYN-ACK came */
};

/* Whether the event says something that its peer has not acknowledged. */
static bool is_new(const struct ladder_event *event, uint32_t acked)
{
    uint32_t end = event->seq + event->length + ((event->flags & LADDER_SYN) != 0 ? 1 : 0);

    return end != event->seq && (int32_t)(end - acked) > 0;
}

static void count_client(struct count *count, const struct ladder_event *event)
{
    if (is_new(event, count->acked[0])) {
        count->waiting = true;
    }
    if ((event->flags & LADDER_ACK) != 0) {
        count->acked[1] = event->ack;
        count->client_acked = true;
        if (count->syn_answered && count->trip_us < 0) {
            count->trip_us = event->time_us;
        }
    }
}

static void count_server(struct count *count, const struct ladder_event *event)
{
    bool is_text = event->length > 0 && is_new(event, count->acked[1]);
    bool late = is_text && count->client_acked && count->texted_us >= 0 && count->trip_us > 0 &&
                event->time_us - count->texted_us > count->trip_us * 3 / 5;

    if (is_new(event, count->acked[1]) && (count->waiting || late)) {
        count->trips++;
        count->waiting = false;
    }
    if (is_text) {
        count->texted_us = event->time_us;
        count->client_acked = false;
    }
    if ((event->flags & LADDER_ACK) != 0) {
        count->acked[0] = event->ack;
    }
    count->syn_answered |= (event->flags & LADDER_SYN) != 0;
}

static void tell_round_trips(const struct ladder *ladder, const struct ladder_tls *client,
                             const struct ladder_tls *server, struct ladder_story *story)
{
    struct count count = {.texted_us = -1, .trip_us = -1};
    size_t ready = ready_event(ladder, client, server);

    story->round_trips = -1;
    if (!story->tls || ready == ladder->count) {
        return;
    }
    for (size_t i = 0; i <= ready; i++) {
        const struct ladder_event *event = &ladder->events[i];
        if (event->from_client) {
            count_client(&count, event);
        } else {
            count_server(&count, event);
        }
    }
    story->round_trips = count.trips;
    story->ready_us = ladder->events[ready].time_us;
}

void ladder_story_tell(struct ladder *ladder, const struct ladder_tls *client,
                       const struct ladder_tls *server)
{
    struct ladder_story *story = &ladder->story;

    *story = (struct ladder_story){0};
    tell_opening(ladder, story);
    story->tls = client->hello.there;
    story->tls13 = server->tls13;
    story->retry = server->retry;
    story->psk_offered = client->hello.psk;
    story->session = session_of(client, server);
    tell_early(ladder, client, story);
    tell_round_trips(ladder, client, server, story);
    for (size_t i = 0; i < ladder->count; i++) {
        story->sent_again += ladder->events[i].retransmission;
    }
}
