/*
 * web/loader_result.c: what is kept of a load: its steps, what went wrong, how it came out.
 */
#include <stdio.h>

#include "web/loader_parts.h"

double load_elapsed(const struct loader *loader)
{
    return carrier_now(loader->carrier) - loader->started;
}

int load_begin(struct loader *loader, enum load_step step, int connection, int url)
{
    struct load_result *r = &loader->result;

    if (r->events == LOADER_STEPS_MAX)
        return -1;
    r->event[r->events] = (struct load_event){
        .step = step, .connection = connection + 1, .url = url, .start = load_elapsed(loader)};
    return r->events++;
}

void load_end(struct loader *loader, int event)
{
    if (event >= 0)
        loader->result.event[event].end = load_elapsed(loader);
}

void load_answered(struct loader *loader, int event)
{
    struct load_event *e = &loader->result.event[event < 0 ? 0 : event];

    if (event < 0)
        return;
    load_end(loader, event);
    e->answered = true;
    if (loader->shortest <= 0 || e->end - e->start < loader->shortest)
        loader->shortest = e->end - e->start;
}

static int count(const struct loader *loader, enum policy_url_state state)
{
    int n = 0;

    for (int i = 0; i < loader->policy.urls; i++)
        n += loader->policy.url[i].state == state;
    return n;
}

void load_note(struct loader *loader, int error, const char *what, const char *sentence)
{
    struct load_result *r = &loader->result;

    if (r->error < 0 && count(loader, POLICY_FAILED) > 0)
        return;
    r->error = error;
    (void)snprintf(r->sentence, sizeof(r->sentence), "%.100s: %.150s", what, sentence);
}

static void sort_events(struct load_result *r)
{
    for (int i = 1; i < r->events; i++) {
        struct load_event event = r->event[i];
        int at = i;

        for (; at > 0 && event.end < r->event[at - 1].end; at--)
            r->event[at] = r->event[at - 1];
        r->event[at] = event;
    }
}

void load_finish(struct loader *loader)
{
    struct load_result *r = &loader->result;

    loader->done = true;
    r->us = load_elapsed(loader);
    r->page = policy_has_page(&loader->policy);
    r->urls = loader->policy.urls;
    r->there = count(loader, POLICY_THERE);
    r->failed = count(loader, POLICY_FAILED);
    for (int i = 0; i < loader->policy.urls; i++)
        r->bytes += loader->url[i].bytes;
    for (int i = 0; i < r->events; i++) { /* what was opened ahead, and never came up */
        if (r->event[i].end <= 0)
            r->event[i].end = r->us;
    }
    sort_events(r);
    if (r->failed == 0 && r->error < 0) /* what failed was made good */
        r->error = 0;
}

const struct load_result *loader_result(const struct loader *loader)
{
    return &loader->result;
}

const struct loader_url *loader_url(const struct loader *loader, int url)
{
    return &loader->url[url];
}

void loader_remember(const struct loader *loader, struct known_page *known)
{
    known->urls = 0;
    for (int i = 0; i < loader->policy.urls; i++) {
        struct known_url *k = &known->url[known->urls];

        if (loader->policy.url[i].state != POLICY_THERE)
            continue;
        k->url = loader->url[i].url;
        k->what = loader->policy.url[i].what;
        if (loader->policy.url[i].moved >= 0 && i > 0)
            k->what.kind = PAGE_REDIRECT;
        known->urls++;
    }
}
