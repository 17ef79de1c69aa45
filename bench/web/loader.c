/*
 * web/loader.c: between the policy and the carrier.
 *
 * The policy is asked what to do at the end of each event (loader_drive()). What it opens may be up
 * at once; that is told to it when everything else of this moment was begun, as the model does.
 */
#include <errno.h>
#include <stdlib.h>

#include "web/loader_parts.h"

/* What waits for a connection may get one in a moment: what happens at one time in a model happens
 * one after the other here. Only who waits longer has more connections opened, or who waits when
 * nothing that is under way can be over yet. */
#define SOONEST 0.5 /* of the shortest round trip: nothing takes less */

/* Whether a connection of the page's server may be about to become idle. */
static bool one_is_due(struct loader *loader)
{
    const struct load_result *r = &loader->result;
    int host = policy_own_host(&loader->policy);
    double latest = load_elapsed(loader) - SOONEST * loader->shortest;

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
    load_finish(loader);
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
    load_finish(loader);
    if (loader->result.error == 0)
        loader->result.error = error;
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
