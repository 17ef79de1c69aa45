/* Tells the connections of a capture apart. Private to the ladder's files. */
#ifndef TLSYN_REPORT_LADDER_FLOWS_H
#define TLSYN_REPORT_LADDER_FLOWS_H

#include <stdbool.h>

#include "report/ladder.h"
#include "report/ladder_frame.h"

enum { LADDER_CLIENT, LADDER_SERVER, LADDER_SIDES };
enum { LADDER_FLOW_HEADS = 1024 };

/* A connection whose SYN was seen. */
struct ladder_tracked {
    struct ladder_endpoint end[LADDER_SIDES];
    bool known[LADDER_SIDES]; /* its SYN was seen, so `iss` holds */
    uint32_t iss[LADDER_SIDES];
    uint32_t bytes[LADDER_SIDES]; /* of text, up to the highest number seen */
    int64_t first_us;
    uint64_t segments;
    bool fin[LADDER_SIDES], reset;
    size_t older; /* with the same hash: index + 1, 0: none */
};

struct ladder_flows {
    struct ladder_tracked *all;
    size_t count, left_out; /* that began when there was no room for more */
    size_t heads[LADDER_FLOW_HEADS];
};

int ladder_flows_init(struct ladder_flows *flows); /* 0 or -ENOMEM */
void ladder_flows_fini(struct ladder_flows *flows);

/* The index of the segment's connection, a new one if it is a SYN that begins one, and who sent it;
 * -1 if it belongs to none. */
int ladder_flows_take(struct ladder_flows *flows, const struct ladder_segment *segment,
                      int64_t time_us, int *from);

/* "10.0.0.1:443" */
void ladder_endpoint_print(const struct ladder_endpoint *endpoint, char out[LADDER_NAME_MAX]);

#endif
