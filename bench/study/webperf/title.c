/*
 * study/webperf/title.c: what runs, servers and kinds of connections are called in the reports.
 */
#include <stdio.h>
#include <time.h>

#include "study/webperf/kinds.h"

const char *webperf_begun(const struct webperf *study, char text[WEBPERF_BEGUN_MAX])
{
    time_t began = (time_t)(study->run.started_us / 1000000);
    struct tm utc;

    text[0] = '\0';
    if (gmtime_r(&began, &utc))
        (void)strftime(text, WEBPERF_BEGUN_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

const char *webperf_title(const struct webperf_cell *cell, char text[WEBPERF_TITLE_MAX])
{
    const struct study_way way = webperf_way_of(&cell->what);

    (void)snprintf(text, WEBPERF_TITLE_MAX, "TLS %s, %s", cell->what.tls,
                   study_stack_title(way.stack, way.mode));
    return text;
}

const char *webperf_full_title(const struct webperf *study, const struct webperf_cell *cell,
                               char text[WEBPERF_TITLE_MAX])
{
    const struct study_way way = webperf_way_of(&cell->what);

    if (study->server_count == 1)
        return webperf_title(cell, text);
    (void)snprintf(text, WEBPERF_TITLE_MAX, "%s: TLS %s, %s", cell->what.url, cell->what.tls,
                   study_stack_title(way.stack, way.mode));
    return text;
}

const char *webperf_server_text(const struct webperf_server *server, char text[WEBPERF_TITLE_MAX])
{
    char status[32] = "";

    if (server->status >= 0)
        (void)snprintf(status, sizeof(status), ", status %d", (int)server->status);
    (void)snprintf(text, WEBPERF_TITLE_MAX, "%s%s%s%s%s%s", server->url,
                   server->address[0] ? " (" : "", server->address,
                   server->moved ? " and others" : "", server->address[0] ? ")" : "", status);
    return text;
}
