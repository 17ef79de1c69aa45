/* Tells the connections of a capture apart. Read first: RFC 9293 3.4, 3.5.
 *
 * A connection begins with a SYN (without ACK) whose ports and addresses no earlier connection has,
 * or whose sequence number is another than that one's. Segments of connections that began before
 * the capture are nobody's.
 */
#include "report/ladder_flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ladder_flows_init(struct ladder_flows *flows)
{
    *flows = (struct ladder_flows){0};
    flows->all = calloc(LADDER_CONNECTIONS_MAX, sizeof *flows->all);
    return flows->all != NULL ? 0 : -ENOMEM;
}

void ladder_flows_fini(struct ladder_flows *flows)
{
    free(flows->all);
    flows->all = NULL;
}

void ladder_endpoint_print(const struct ladder_endpoint *endpoint, char out[LADDER_NAME_MAX])
{
    char address[INET6_ADDRSTRLEN] = "";
    bool ip6 = endpoint->family == AF_INET6;

    inet_ntop(endpoint->family, endpoint->address, address, sizeof address);
    snprintf(out, LADDER_NAME_MAX, "%s%s%s:%u", ip6 ? "[" : "", address, ip6 ? "]" : "",
             endpoint->port);
}

/* The same for both directions. */
static size_t hash(const struct ladder_segment *segment)
{
    uint32_t sum = (uint32_t)segment->from.port + segment->to.port;

    for (size_t i = 0; i < sizeof segment->from.address; i++) {
        sum += ((uint32_t)segment->from.address[i] + segment->to.address[i]) << (i % 4 * 8);
    }
    return sum * 2654435761U >> 22; /* Knuth's multiplicative hashing, to ten bits */
}

static bool equal(const struct ladder_endpoint *a, const struct ladder_endpoint *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* The latest with these endpoints. */
static struct ladder_tracked *find(const struct ladder_flows *flows, size_t head,
                                   const struct ladder_segment *segment, int *from)
{
    for (size_t i = head; i > 0; i = flows->all[i - 1].older) {
        struct ladder_tracked *tracked = &flows->all[i - 1];
        for (int way = LADDER_CLIENT; way < LADDER_SIDES; way++) {
            if (equal(&segment->from, &tracked->end[way]) &&
                equal(&segment->to, &tracked->end[1 - way])) {
                *from = way;
                return tracked;
            }
        }
    }
    return NULL;
}

static struct ladder_tracked *begin(struct ladder_flows *flows, size_t *head,
                                    const struct ladder_segment *segment, int64_t time_us)
{
    if (flows->count == LADDER_CONNECTIONS_MAX) {
        flows->left_out++;
        return NULL;
    }
    struct ladder_tracked *tracked = &flows->all[flows->count++];
    tracked->end[LADDER_CLIENT] = segment->from;
    tracked->end[LADDER_SERVER] = segment->to;
    tracked->first_us = time_us;
    tracked->older = *head;
    *head = flows->count;
    return tracked;
}

static void count(struct ladder_tracked *tracked, const struct ladder_segment *segment, int from)
{
    bool syn = (segment->flags & LADDER_SYN) != 0;

    if (syn && !tracked->known[from]) {
        tracked->known[from] = true;
        tracked->iss[from] = segment->seq;
    }
    if (tracked->known[from] && segment->length > 0) {
        uint32_t end = segment->seq + (syn ? 1 : 0) + segment->length - (tracked->iss[from] + 1);
        bool beyond = (int32_t)(end - tracked->bytes[from]) > 0;
        tracked->bytes[from] = beyond ? end : tracked->bytes[from];
    }
    tracked->segments++;
    tracked->fin[from] |= (segment->flags & LADDER_FIN) != 0;
    tracked->reset |= (segment->flags & LADDER_RST) != 0;
}

int ladder_flows_take(struct ladder_flows *flows, const struct ladder_segment *segment,
                      int64_t time_us, int *from)
{
    size_t *head = &flows->heads[hash(segment)];
    struct ladder_tracked *tracked = find(flows, *head, segment, from);
    bool syn = (segment->flags & LADDER_SYN) != 0;
    bool opens = syn && (segment->flags & LADDER_ACK) == 0;

    if (syn && tracked != NULL && tracked->known[*from] && tracked->iss[*from] != segment->seq) {
        tracked = NULL; /* the ports are used again */
    }
    if (tracked == NULL && opens) {
        *from = LADDER_CLIENT;
        tracked = begin(flows, head, segment, time_us);
    }
    if (tracked == NULL) {
        return -1;
    }
    count(tracked, segment, *from);
    return (int)(tracked - flows->all);
}
