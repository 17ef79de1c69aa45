/* Follows one TCP connection through a capture file.
 *
 * One pass over the frames lists the connection's segments and puts the first bytes of both
 * directions in order; then the streams are searched for TLS, and each segment gets the names of
 * the messages that it carries. Sequence numbers are taken relative to the initial ones, as
 * unsigned differences, so wrapping needs no thought.
 */
#include "report/ladder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "report/ladder_frame.h"
#include "report/ladder_tls.h"

enum { CLIENT, SERVER, SIDES };

/* One direction. Offsets count from the first byte of text, initial sequence number + 1. */
struct side {
    struct ladder_endpoint endpoint;
    bool known; /* its SYN was seen, so `iss` holds */
    uint32_t iss;
    uint8_t *bytes; /* LADDER_STREAM_MAX */
    uint8_t *have;  /* which of them were seen: 0 or 1 */
};

struct follow {
    const struct ladder_flow *flow;
    struct ladder *ladder;
    size_t limit;
    bool found, ended;
    int64_t first_us;
    struct side side[SIDES];
};

static void endpoint_address(const struct ladder_endpoint *endpoint, char out[INET6_ADDRSTRLEN])
{
    if (inet_ntop(endpoint->family, endpoint->address, out, INET6_ADDRSTRLEN) == NULL) {
        out[0] = '\0';
    }
}

static void endpoint_print(const struct ladder_endpoint *endpoint, char out[LADDER_NAME_MAX])
{
    char address[INET6_ADDRSTRLEN];
    bool ip6 = endpoint->family == AF_INET6;

    endpoint_address(endpoint, address);
    snprintf(out, LADDER_NAME_MAX, "%s%s%s:%u", ip6 ? "[" : "", address, ip6 ? "]" : "",
             endpoint->port);
}

static bool endpoint_equal(const struct ladder_endpoint *a, const struct ladder_endpoint *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

static bool endpoint_fits(const struct ladder_endpoint *endpoint, const char *address,
                          uint16_t port)
{
    char text[INET6_ADDRSTRLEN];

    endpoint_address(endpoint, text);
    return (address[0] == '\0' || strcmp(address, text) == 0) &&
           (port == 0 || port == endpoint->port);
}

static bool flow_fits(const struct ladder_flow *flow, const struct ladder_segment *segment)
{
    return flow == NULL || (endpoint_fits(&segment->from, flow->client, flow->client_port) &&
                            endpoint_fits(&segment->to, flow->server, flow->server_port));
}

/* Whether the segment belongs to the connection, which its first SYN begins. */
static bool belongs(struct follow *follow, const struct ladder_segment *segment, int *from)
{
    struct side *side = follow->side;
    bool syn = (segment->flags & (LADDER_SYN | LADDER_ACK)) == LADDER_SYN;

    if (!follow->found) {
        if (!syn || !flow_fits(follow->flow, segment)) {
            return false;
        }
        follow->found = true;
        side[CLIENT].endpoint = segment->from;
        side[SERVER].endpoint = segment->to;
    }
    for (int way = CLIENT; way < SIDES; way++) {
        if (endpoint_equal(&segment->from, &side[way].endpoint) &&
            endpoint_equal(&segment->to, &side[1 - way].endpoint)) {
            *from = way;
            return true;
        }
    }
    return false;
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

static struct ladder_event *add_event(struct follow *follow)
{
    struct ladder *ladder = follow->ladder;

    if (ladder->count == follow->limit) {
        ladder->left_out++;
        return NULL;
    }
    struct ladder_event *event = &ladder->events[ladder->count++];
    *event = (struct ladder_event){0};
    return event;
}

static void take_segment(struct follow *follow, const struct ladder_segment *segment, int from,
                         int64_t now)
{
    struct side *mine = &follow->side[from];
    struct side *peer = &follow->side[1 - from];
    bool syn = (segment->flags & LADDER_SYN) != 0;
    bool again = syn && mine->known;

    if (again && segment->seq != mine->iss) {
        follow->ended = true; /* the ports are used again: another connection */
        return;
    }
    if (syn && !mine->known) {
        mine->known = true;
        mine->iss = segment->seq;
    }
    if (follow->ladder->count == 0) {
        follow->first_us = now;
    }
    uint32_t offset = segment->seq + (syn ? 1 : 0) - (mine->iss + 1);
    again |= mine->known && keep_text(mine, offset, segment);
    struct ladder_event *event = add_event(follow);
    if (event == NULL) {
        return;
    }
    event->time_us = now - follow->first_us;
    event->from_client = from == CLIENT;
    event->flags = segment->flags;
    event->seq = mine->known ? segment->seq - mine->iss : segment->seq;
    event->ack = peer->known ? segment->ack - peer->iss : segment->ack;
    event->length = segment->length;
    event->retransmission = again;
    if (syn) {
        ladder_options_print(segment->options, segment->options_length, event->options,
                             sizeof event->options);
    }
}

/* A frame's time in microseconds; pcapng has room for times that overflow the product, which are
 * clamped. */
static int64_t timestamp(const struct pcap_pkthdr *header)
{
    const int64_t limit = INT64_C(1) << 40; /* 35,000 years */
    int64_t seconds = header->ts.tv_sec;

    seconds = seconds < 0 ? 0 : seconds > limit ? limit : seconds;
    return seconds * 1000000 + header->ts.tv_usec % 1000000;
}

static void read_frames(struct follow *follow, pcap_t *pcap)
{
    struct pcap_pkthdr *header = NULL;
    const u_char *bytes = NULL;
    int link_type = pcap_datalink(pcap);

    for (long n = 0; n < LADDER_FRAMES_MAX && !follow->ended; n++) {
        struct ladder_segment segment;
        int from = CLIENT;
        if (pcap_next_ex(pcap, &header, &bytes) != 1) {
            return; /* the end, or where the file breaks off */
        }
        if (ladder_frame_parse(link_type, bytes, header->caplen, &segment) == 0 &&
            belongs(follow, &segment, &from)) {
            take_segment(follow, &segment, from, timestamp(header));
        }
    }
}

static size_t in_order(const struct side *side)
{
    const uint8_t *hole = memchr(side->have, 0, LADDER_STREAM_MAX);
    return hole != NULL ? (size_t)(hole - side->have) : LADDER_STREAM_MAX;
}

/* Name what one direction's segments carry. */
static void name_messages(struct ladder *ladder, const struct side *side, bool client,
                          struct ladder_tls *tls)
{
    ladder_tls_parse(tls, side->bytes, in_order(side));
    for (size_t i = 0; i < ladder->count; i++) {
        struct ladder_event *event = &ladder->events[i];
        if (event->from_client != client || event->length == 0 || !side->known) {
            continue;
        }
        size_t start = event->seq - ((event->flags & LADDER_SYN) != 0 ? 0 : 1);
        ladder_tls_print(tls, start, start + event->length, event->tls, sizeof event->tls);
    }
}

/* Everything that needs memory. `memory` is one block for both directions. */
static int follow_file(struct follow *follow, pcap_t *pcap)
{
    uint8_t *memory = calloc(4, LADDER_STREAM_MAX);
    struct ladder_tls *tls = calloc(1, sizeof *tls);
    struct ladder *ladder = follow->ladder;
    int error = 0;

    ladder->events = calloc(follow->limit, sizeof *ladder->events);
    if (memory == NULL || tls == NULL || ladder->events == NULL) {
        error = -ENOMEM;
    } else {
        for (int way = CLIENT; way < SIDES; way++) {
            follow->side[way].bytes = memory + (size_t)way * 2 * LADDER_STREAM_MAX;
            follow->side[way].have = follow->side[way].bytes + LADDER_STREAM_MAX;
        }
        read_frames(follow, pcap);
        /* The server's first: it says which TLS version the client's is to be read as. */
        name_messages(ladder, &follow->side[SERVER], false, tls);
        name_messages(ladder, &follow->side[CLIENT], true, tls);
        endpoint_print(&follow->side[CLIENT].endpoint, ladder->client);
        endpoint_print(&follow->side[SERVER].endpoint, ladder->server);
        error = follow->found ? 0 : -ENOENT;
    }
    free(tls);
    free(memory);
    return error;
}

int ladder_read_stream(struct ladder *ladder, FILE *capture, const struct ladder_flow *flow,
                       size_t limit, char error[LADDER_ERROR_MAX])
{
    char reason[PCAP_ERRBUF_SIZE] = "";

    *ladder = (struct ladder){0};
    error[0] = '\0';
    if (limit < 1 || limit > LADDER_EVENTS_MAX) {
        fclose(capture);
        snprintf(error, LADDER_ERROR_MAX, "a ladder has 1 to %d segments", LADDER_EVENTS_MAX);
        return -EINVAL;
    }
    pcap_t *pcap = pcap_fopen_offline(capture, reason);
    if (pcap == NULL) {
        fclose(capture);
        snprintf(error, LADDER_ERROR_MAX, "not a capture that can be read: %s", reason);
        return -EINVAL;
    }
    struct follow follow = {.flow = flow, .ladder = ladder, .limit = limit};
    int result = follow_file(&follow, pcap);
    pcap_close(pcap);
    if (result < 0) {
        ladder_free(ladder);
        snprintf(error, LADDER_ERROR_MAX, "%s",
                 result == -ENOENT ? "no TCP connection with its SYN is in the capture"
                                   : "out of memory");
    }
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
