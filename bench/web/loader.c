/*
 * web/loader.c: between the policy and the carrier.
 *
 * The policy is asked what to do at the end of each event (loader_drive()). What it opens may be up
 * at once; that is told to it when everything else of this moment was begun, as the model does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "web/loader_parts.h"

/* --- what is kept of it ----------------------------------------------------------------------- */

static double elapsed(struct loader *loader)
{
    return carrier_now(loader->carrier) - loader->started;
}

int load_begin(struct loader *loader, enum load_step step, int connection, int url)
{
    struct load_result *r = &loader->result;

    if (r->events == LOADER_STEPS_MAX)
        return -1;
    r->event[r->events] = (struct load_event){
        .step = step, .connection = connection + 1, .url = url, .start = elapsed(loader)};
    return r->events++;
}

void load_end(struct loader *loader, int event)
{
    if (event >= 0)
        loader->result.event[event].end = elapsed(loader);
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

/* --- the load --------------------------------------------------------------------------------- */

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

/* What waits for a connection may get one in a moment: what happens at one time in a model happens
 * one after the other here. Only who waits longer has more connections opened, or who waits when
 * nothing that is under way can be over yet. */
#define SOONEST 0.5 /* of the shortest round trip: nothing takes less */

/* Whether a connection of the page's server may be about to become idle. */
static bool one_is_due(struct loader *loader)
{
    const struct load_result *r = &loader->result;
    int host = policy_own_host(&loader->policy);
    double latest = elapsed(loader) - SOONEST * loader->shortest;

    for (int i = 0; i < r->events && loader->shortest > 0; i++) {
        const struct load_event *e = &r->event[i];

        if (e->end <= 0 && e->step != LOAD_DNS && e->start <= latest &&
            loader->policy.connection[e->connection - 1].host == host)
            return true;
    }
    return false;
}

static void on_time(struct carrier_reminder *reminder)
{
    struct loader *loader = (struct loader *)((char *)reminder - offsetof(struct loader, reminder));

    loader->reminded = false;
    loader->hurried = true;
    loader_drive(loader);
    loader->hurried = false;
}

static void mind_who_waits(struct loader *loader)
{
    bool waits = loader->policy.patient && policy_waits(&loader->policy);

    if (waits && !loader->reminded)
        loader->reminded = carrier_remind(loader->carrier, carrier_patience(loader->shortest),
                                          &loader->reminder) == 0;
    else if (!waits && loader->reminded) {
        (void)carrier_remind(loader->carrier, 0, NULL);
        loader->reminded = false;
    }
}

static void finish(struct loader *loader)
{
    struct load_result *r = &loader->result;

    loader->done = true;
    r->us = elapsed(loader);
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

void loader_drive(struct loader *loader)
{
    struct policy_action action;

    if (loader->driving || loader->done)
        return;
    loader->driving = true;
    do {
        loader->policy.patient = !loader->hurried && one_is_due(loader);
        while (policy_next(&loader->policy, &action)) {
            if (action.open)
                connection_open(loader, &action);
            else
                connection_fetch(loader, &action);
        }
    } while (connection_take_up(loader));
    connection_push_all(loader);
    loader->driving = false;
    mind_who_waits(loader);
    if (!policy_is_done(&loader->policy))
        return;
    finish(loader);
    loader->user->on_done(loader->user);
}

struct loader *loader_new(struct carrier *carrier, struct loader_user *user,
                          const struct loader_options *options)
{
    struct loader *loader = calloc(1, sizeof(*loader));

    if (!loader)
        return NULL;
    loader->carrier = carrier;
    loader->user = user;
    loader->options = *options;
    policy_init(&loader->policy, options->visit, options->multiplexed);
    loader->reminder.on_time = on_time;
    return loader;
}

int loader_start(struct loader *loader, const struct url *page)
{
    const struct known_page *known = loader->options.known;
    int url = page_add(loader, page, (struct policy_url){.kind = PAGE_HTML, .position = 1});

    if (url < 0)
        return url;
    loader->started = carrier_now(loader->carrier);
    policy_want(&loader->policy, url);
    for (int i = 0; known && loader->options.visit == BROWSER_REPEAT && i < known->urls; i++) {
        if (page_find(loader, &known->url[i].url) >= 0)
            continue;
        url = page_add(loader, &known->url[i].url, known->url[i].what);
        if (url >= 0)
            policy_want(&loader->policy, url);
        if (known->url[i].what.frame > loader->frames)
            loader->frames = known->url[i].what.frame;
    }
    loader_drive(loader);
    return 0;
}

/* The first URL that is wanted, and not over. */
static const struct url *missing(const struct loader *loader)
{
    int url = 0;

    while (url < loader->policy.urls - 1 && (loader->policy.url[url].state == POLICY_UNKNOWN ||
                                             loader->policy.url[url].state >= POLICY_THERE))
        url++;
    return &loader->url[url].url;
}

/* Whether a connection is up on which nothing was under way, and nothing could be. A server of
 * HTTP/2 may allow no stream for a while (RFC 9113 6.5.2), and so it is waited for. */
static bool is_kept_out(const struct loader *loader)
{
    const struct policy *policy = &loader->policy;

    for (int i = 0; i < policy->connections; i++) {
        const struct http_client *client = loader->connection[i].client;

        if (policy->connection[i].state == POLICY_UP && policy->connection[i].requests == 0 &&
            client && client->ops->room(client) == 0)
            return true;
    }
    return false;
}

static const char *why_it_stops(const struct loader *loader, int error)
{
    if (error == -EINTR)
        return "it was interrupted";
    return is_kept_out(loader) ? "the server is there, but allows no request (HTTP/2: "
                                 "MAX_CONCURRENT_STREAMS is 0)"
                               : "it did not come in time";
}

void loader_stop(struct loader *loader, int error)
{
    char text[128];

    if (loader->done)
        return;
    load_note(loader, error, url_text(missing(loader), text, sizeof(text)),
              why_it_stops(loader, error));
    finish(loader);
    if (loader->result.error == 0)
        loader->result.error = error;
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

void loader_free(struct loader *loader)
{
    if (!loader)
        return;
    loader->done = true;
    if (loader->reminded)
        (void)carrier_remind(loader->carrier, 0, NULL);
    for (int i = 0; i < loader->policy.connections; i++)
        connection_lose(&loader->connection[i]);
    for (int i = 0; i < loader->policy.urls; i++)
        page_free_parsers(&loader->part[i]);
    free(loader);
}
