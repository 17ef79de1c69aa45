/*
 * study/pageload/browser.c: see browser.h. Time is a count of round trips; at each instant first
 * everything ends that is to end then, then whatever can begin begins, until nothing more can: with
 * a handshake that costs nothing, a connection is opened and used in the same instant.
 */
#include "study/pageload/browser.h"

#include <errno.h>
#include <limits.h>

/* Bytes of the server's last flight: ChangeCipherSpec and Finished of TLS 1.2; that of TLS 1.3 with
 * a certificate of 550; and sixteen tickets of 182 (RFC 8446 4.6.1). */
enum { FLIGHT_12 = 270, FLIGHT_13 = 830, TICKETS_13 = 16 * 182 };

const struct browser_handshake browser_handshakes[BROWSER_HANDSHAKES] = {
    {"tls1.2-sequential", 1, 2, 1, false, {FLIGHT_12, 0}},
    {"tls1.2-embedded", 0, 2, 1, false, {FLIGHT_12, 0}},
    {"tls1.3-sequential", 1, 1, 1, false, {FLIGHT_13, TICKETS_13}},
    {"tls1.3-embedded", 0, 1, 1, false, {FLIGHT_13, TICKETS_13}},
    {"tls1.3-sequential-0rtt", 1, 1, 0, true, {FLIGHT_13, TICKETS_13}},
    {"tls1.3-embedded-0rtt", 0, 1, 0, true, {FLIGHT_13, TICKETS_13}},
};

const char *browser_http_name(enum browser_http http)
{
    return http == BROWSER_HTTP_2 ? "2" : "1.1";
}

/* A server, as the handshakes to it see it. */
struct server {
    int resolved; /* its name is known from then on */
    int session;  /* a session is known from then on */
};

/* What the other end of a connection may send. */
struct window {
    int round;           /* the round trip in which it last sent, */
    uint64_t size, left; /* how much it might in that, and what is left of it */
    uint64_t behind;     /* of the handshake, acknowledged when that is used up */
};

struct browser {
    const struct page *page;
    const struct browser_handshake *handshake;
    bool late_tickets;
    struct browser_load *load;
    int now;
    bool over[BROWSER_EVENTS_MAX]; /* whose end has had its effects */
    struct policy policy;          /* whose URLs and hosts are the page's */
    struct server server[PAGE_HOSTS_MAX];
    struct window window[BROWSER_CONNECTIONS_MAX];
};

/* --- events ----------------------------------------------------------------------------------- */

static void begin(struct browser *b, const struct browser_event *what, int cost)
{
    struct browser_event *event = &b->load->event[b->load->events++];

    *event = *what;
    event->start = b->now;
    event->end = b->now + cost;
}

static bool goes_before(const struct browser_event *a, const struct browser_event *b)
{
    if (a->end != b->end)
        return a->end < b->end;
    if (a->start != b->start)
        return a->start < b->start;
    return a->step != b->step ? a->step < b->step : a->connection < b->connection;
}

static void sort_events(struct browser_load *load)
{
    for (int i = 1; i < load->events; i++) {
        struct browser_event event = load->event[i];
        int at = i;

        for (; at > 0 && goes_before(&event, &load->event[at - 1]); at--)
            load->event[at] = load->event[at - 1];
        load->event[at] = event;
    }
}

/* --- steps of a connection -------------------------------------------------------------------- */

static int host_of(const struct browser *b, int connection)
{
    return b->policy.connection[connection - 1].host;
}

static void begin_tls(struct browser *b, struct browser_event event)
{
    bool resumed = b->server[host_of(b, event.connection)].session <= b->now;

    event.step = resumed ? LOAD_RESUMED : LOAD_FULL;
    begin(b, &event, resumed ? b->handshake->resumed : b->handshake->full);
}

static void begin_tcp(struct browser *b, struct browser_event event)
{
    event.step = LOAD_TCP;
    if (b->handshake->tcp > 0)
        begin(b, &event, b->handshake->tcp);
    else
        begin_tls(b, event);
}

static void open_connection(struct browser *b, const struct policy_action *action)
{
    struct browser_event event = {
        .step = LOAD_DNS, .connection = action->connection + 1, .url = action->url};

    b->load->connections++;
    if (b->server[action->host].resolved > b->now)
        begin(b, &event, b->page->host[action->host].dns);
    else
        begin_tcp(b, event);
}

/* What of a full handshake is acknowledged behind the first request. */
static uint64_t sent_behind(const struct browser *b)
{
    int bytes = b->handshake->flight.bytes + (b->late_tickets ? 0 : b->handshake->flight.tickets);

    return bytes > BROWSER_SEGMENT ? (uint64_t)(bytes - BROWSER_SEGMENT) : 0;
}

static void connection_is_up(struct browser *b, int connection, bool resumed)
{
    struct server *s = &b->server[host_of(b, connection)];

    b->window[connection - 1] = (struct window){.round = b->now,
                                                .size = BROWSER_WINDOW,
                                                .left = BROWSER_WINDOW,
                                                .behind = resumed ? 0 : sent_behind(b)};
    s->session = b->now < s->session ? b->now : s->session;
    policy_up(&b->policy, connection - 1);
}

/* What a page names, or a redirection, is found when it is there. */
static void url_is_there(struct browser *b, int url)
{
    const struct page *page = b->page;

    policy_arrived(&b->policy, url, false);
    for (int i = 0; i < page->urls; i++) {
        if (page->url[i].parent == url)
            (void)policy_refer(&b->policy, url, i);
    }
}

static void step_is_over(struct browser *b, const struct browser_event *event)
{
    switch (event->step) {
    case LOAD_DNS:
        b->server[host_of(b, event->connection)].resolved = b->now;
        begin_tcp(b, *event);
        break;
    case LOAD_TCP:
        begin_tls(b, *event);
        break;
    case LOAD_FULL:
    case LOAD_RESUMED:
        connection_is_up(b, event->connection, event->step == LOAD_RESUMED);
        break;
    case LOAD_GET:
        url_is_there(b, event->url);
        break;
    }
}

/* --- requests --------------------------------------------------------------------------------- */

/* What was sent is acknowledged: so much more may be sent. */
static void open_window(struct window *w, int round)
{
    w->size += w->size - w->left;
    w->left = w->size;
    w->round = round;
    w->behind = 0;
}

/* What the handshake sent is acknowledged while the window is full. */
static void widen_window(struct window *w)
{
    w->size += w->behind;
    w->left = w->behind;
    w->behind = 0;
}

/* How many round trips it takes until all of a response is there: it stands behind those that were
 * asked for before. */
static int cost_of(struct browser *b, int connection, int url)
{
    struct window *w = &b->window[connection];
    uint64_t bytes = BROWSER_HEAD + page_url_bytes(&b->page->url[url]);

    if (w->round < b->now)
        open_window(w, b->now);
    while (bytes > w->left) {
        bytes -= w->left;
        w->left = 0;
        if (w->behind > 0)
            widen_window(w);
        else
            open_window(w, w->round + 1);
    }
    w->left -= bytes;
    return w->round + 1 - b->now;
}

/* --- time ------------------------------------------------------------------------------------- */

static int next_end(const struct browser *b)
{
    int next = INT_MAX;

    for (int i = 0; i < b->load->events; i++) {
        if (!b->over[i] && b->load->event[i].end < next)
            next = b->load->event[i].end;
    }
    return next;
}

static void end_what_ends(struct browser *b)
{
    int there = b->load->events;

    for (int i = 0; i < there; i++) {
        if (b->over[i] || b->load->event[i].end > b->now)
            continue;
        b->over[i] = true;
        step_is_over(b, &b->load->event[i]);
    }
}

/* Whether anything began. */
static bool begin_what_can(struct browser *b)
{
    struct policy_action action;
    bool any = false;

    for (; policy_next(&b->policy, &action); any = true) {
        const struct browser_event get = {
            .step = LOAD_GET, .connection = action.connection + 1, .url = action.url};

        if (action.open)
            open_connection(b, &action);
        else
            begin(b, &get, cost_of(b, action.connection, action.url));
    }
    return any;
}

/* Everything that this instant holds: ends first, all of them. */
static void live_through_instant(struct browser *b)
{
    do {
        while (next_end(b) <= b->now)
            end_what_ends(b);
    } while (begin_what_can(b));
}

static bool is_loaded(const struct browser *b)
{
    for (int i = 0; i < b->page->urls; i++) {
        if (b->policy.url[i].state != POLICY_THERE)
            return false;
    }
    return true;
}

/* At the beginning: what an earlier visit has left behind. */
static void begin_visit(struct browser *b, const struct browser_kind *kind)
{
    const struct page *page = b->page;
    bool again = kind->visit == BROWSER_REPEAT;

    policy_init(&b->policy, kind->visit, kind->http == BROWSER_HTTP_2);
    for (int i = 0; i < page->hosts; i++) {
        b->server[i].resolved = page->host[i].dns > 0 ? INT_MAX : 0;
        b->server[i].session = again && b->handshake->kept ? 0 : INT_MAX;
        (void)policy_add_host(&b->policy, page->host[i].connections);
    }
    for (int i = 0; i < page->urls; i++) {
        const struct policy_url url = {.kind = page->url[i].kind,
                                       .host = page->url[i].host,
                                       .position = page->url[i].position,
                                       .frame = page->url[i].frame};

        (void)policy_add_url(&b->policy, &url);
        if (i == 0 || again)
            policy_want(&b->policy, i);
    }
}

int browser_load_page(const struct page *page, const struct browser_kind *kind,
                      struct browser_load *load)
{
    struct browser b = {.page = page,
                        .handshake = kind->handshake,
                        .late_tickets = kind->late_tickets,
                        .load = load};

    *load = (struct browser_load){0};
    begin_visit(&b, kind);
    live_through_instant(&b);
    while (!is_loaded(&b)) {
        b.now = next_end(&b);
        if (b.now == INT_MAX)
            return -EINVAL;
        live_through_instant(&b);
    }
    sort_events(load);
    for (int i = 0; i < load->events; i++) {
        if (load->event[i].step == LOAD_GET)
            load->round_trips = load->event[i].end;
    }
    return 0;
}
