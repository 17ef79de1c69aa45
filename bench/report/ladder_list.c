/* Lists the connections of a capture. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/ladder_capture.h"
#include "report/ladder_flows.h"

static const char *ending(const struct ladder_tracked *tracked)
{
    if (tracked->reset) {
        return "reset";
    }
    if (!tracked->known[LADDER_SERVER]) {
        return "no answer";
    }
    return tracked->fin[LADDER_CLIENT] && tracked->fin[LADDER_SERVER] ? "closed" : "open";
}

static void describe(const struct ladder_tracked *tracked, int64_t first_us,
                     struct ladder_connection *out)
{
    ladder_endpoint_print(&tracked->end[LADDER_CLIENT], out->client);
    ladder_endpoint_print(&tracked->end[LADDER_SERVER], out->server);
    out->time_us = tracked->first_us - first_us;
    out->segments = tracked->segments;
    out->bytes_sent = tracked->bytes[LADDER_CLIENT];
    out->bytes_received = tracked->bytes[LADDER_SERVER];
    out->ending = ending(tracked);
}

static int list_flows(struct ladder_list *list, const struct ladder_flows *flows)
{
    list->connections = calloc(flows->count, sizeof *list->connections);
    if (list->connections == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < flows->count; i++) {
        describe(&flows->all[i], flows->all[0].first_us, &list->connections[i]);
    }
    list->count = flows->count;
    list->left_out = flows->left_out;
    return 0;
}

int ladder_list(struct ladder_list *list, FILE *stream, char error[LADDER_ERROR_MAX])
{
    struct ladder_capture capture;
    struct ladder_flows flows;
    struct ladder_segment segment;
    int64_t now = 0;
    int from = LADDER_CLIENT;

    *list = (struct ladder_list){0};
    error[0] = '\0';
    int result = ladder_capture_open(&capture, stream, error);
    if (result < 0) {
        return result;
    }
    result = ladder_flows_init(&flows);
    while (result == 0 && ladder_capture_next(&capture, &segment, &now)) {
        ladder_flows_take(&flows, &segment, now, &from);
    }
    if (result == 0 && flows.count == 0) {
        ladder_capture_explain(&capture, error);
        result = -ENOENT;
    } else if (result == 0) {
        result = list_flows(list, &flows);
    }
    if (result == -ENOMEM) {
        snprintf(error, LADDER_ERROR_MAX, "out of memory");
    }
    list->seen = capture.seen;
    ladder_flows_fini(&flows);
    ladder_capture_close(&capture);
    return result;
}

void ladder_list_free(struct ladder_list *list)
{
    free(list->connections);
    list->connections = NULL;
    list->count = 0;
}
