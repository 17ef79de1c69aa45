/*
 * study/browser.c: see browser.h. Time is a count of round trips; at each instant first everything
 * ends that is to end then, then whatever can begin begins, until nothing more can: with a
 * handshake that costs nothing, a connection is opened and used in the same instant.
 */
#include "study/browser.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define AHEAD 3 /* connections of the pool that are opened before anything waits for them */

const struct browser_handshake browser_handshakes[BROWSER_HANDSHAKES] = {
    {"tls1.2-sequential", 1, 2, 1, 0, false},     {"tls1.2-embedded", 0, 2, 1, 0, false},
    {"tls1.3-sequential", 1, 1, 1, 1, false},     {"tls1.3-embedded", 0, 1, 1, 1, false},
    {"tls1.3-sequential-0rtt", 1, 1, 0, 1, true}, {"tls1.3-embedded-0rtt", 0, 1, 0, 1, true},
};

const char *browser_visit_name(enum browser_visit visit)
{
    static const char *const names[BROWSER_VISITS] = {"unoptimized", "first", "repeat"};

    return names[visit];
}

enum url_state { UNKNOWN, WANTED, BOUND, LOADING, DONE };
enum connection_state { OPENING, IDLE, BUSY };

struct connection {
    int host;
    enum connection_state state;
    enum browser_step step; /* of OPENING */
    int url;                /* bound to it, or being fetched; -1: none */
    int until;              /* the end of what is under way */
    int event;              /* that is under way */
};

struct server {
    int opened;      /* connections */
    int resolved;    /* its name is known from then on */
    int session;     /* a session is known from then on */
    bool up, pooled; /* one of its connections is; three more were opened */
};

struct browser {
    const struct page *page;
    const struct browser_handshake *handshake;
    enum browser_visit visit;
    struct browser_load *load;
    int now;
    bool active; /* something began or ended in this pass over the instant */
    int error;
    enum url_state url[PAGE_URLS_MAX];
    struct server server[PAGE_HOSTS_MAX];
    struct connection connection[BROWSER_CONNECTIONS_MAX];
};

/* --- events ----------------------------------------------------------------------------------- */

static void begin(struct browser *b, struct connection *c, enum browser_step step, int cost)
{
    struct browser_load *load = b->load;

    c->step = step;
    c->until = b->now + cost;
    c->event = load->events;
    load->event[load->events++] = (struct browser_event){
        .step = step,
        .connection = (int)(c - b->connection) + 1,
        .url = c->url,
        .start = b->now,
        .end = c->until,
    };
    b->active = true;
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

/* --- what is to be fetched -------------------------------------------------------------------- */

static void want(struct browser *b, int url)
{
    if (b->url[url] != UNKNOWN)
        return;
    b->url[url] = WANTED;
    b->active = true;
}

/* The references of what has come, up to one that stops the parser. Those behind a style sheet or a
 * script that is there by now are found when that came. */
static void parse(struct browser *b, int document)
{
    const struct page *page = b->page;

    for (int i = 0; i < page->urls; i++) {
        if (page->url[i].parent != document)
            continue;
        want(b, i);
        if (b->visit == BROWSER_UNOPTIMIZED && page_blocks(&page->url[i]) && b->url[i] != DONE)
            return;
    }
}

static void url_is_there(struct browser *b, int url)
{
    b->url[url] = DONE;
    parse(b, url);
    if (page_blocks(&b->page->url[url]))
        parse(b, b->page->url[url].parent);
}

/* True if a browser that may choose has more need of `a`. */
static bool comes_before(const struct browser *b, int a, int z)
{
    const struct page_url *u = &b->page->url[a], *v = &b->page->url[z];

    if (b->visit != BROWSER_UNOPTIMIZED && u->kind != v->kind)
        return u->kind < v->kind;
    if (u->position != v->position)
        return u->position < v->position;
    return u->frame < v->frame;
}

/* The URL of this server that is served next; -1: none waits. */
static int next_wanted(const struct browser *b, int host)
{
    int best = -1;

    for (int i = 0; i < b->page->urls; i++) {
        if (b->url[i] == WANTED && b->page->url[i].host == host &&
            (best < 0 || comes_before(b, i, best)))
            best = i;
    }
    return best;
}

/* --- connections ------------------------------------------------------------------------------ */

static struct connection *first_idle(struct browser *b, int host)
{
    for (int i = 0; i < b->load->connections; i++) {
        if (b->connection[i].host == host && b->connection[i].state == IDLE)
            return &b->connection[i];
    }
    return NULL;
}

static void begin_tls(struct browser *b, struct connection *c)
{
    bool resumed = b->server[c->host].session <= b->now;

    begin(b, c, resumed ? BROWSER_RESUMED : BROWSER_FULL,
          resumed ? b->handshake->resumed : b->handshake->full);
}

static void begin_tcp(struct browser *b, struct connection *c)
{
    if (b->handshake->tcp > 0)
        begin(b, c, BROWSER_TCP, b->handshake->tcp);
    else
        begin_tls(b, c);
}

/* For a URL, or -1: ahead of any. */
static struct connection *open_connection(struct browser *b, int host, int url)
{
    struct connection *c = &b->connection[b->load->connections];

    if (b->load->connections == BROWSER_CONNECTIONS_MAX) {
        b->error = -EINVAL;
        return NULL;
    }
    b->load->connections++;
    b->server[host].opened++;
    *c = (struct connection){.host = host, .state = OPENING, .url = url};
    if (b->server[host].resolved > b->now)
        begin(b, c, BROWSER_DNS, b->page->host[host].dns);
    else
        begin_tcp(b, c);
    return c;
}

static void fetch(struct browser *b, struct connection *c, int url)
{
    b->url[url] = LOADING;
    c->url = url;
    c->state = BUSY;
    begin(b, c, BROWSER_GET, 1);
}

static void connection_is_up(struct browser *b, struct connection *c)
{
    struct server *s = &b->server[c->host];
    int known = b->now + b->handshake->ticket;

    s->up = true;
    s->session = known < s->session ? known : s->session;
    c->state = IDLE;
    if (c->url >= 0 && b->url[c->url] == BOUND)
        fetch(b, c, c->url);
    else
        c->url = -1;
}

static void step_is_over(struct browser *b, struct connection *c)
{
    int url = c->url;

    b->active = true;
    switch (c->step) {
    case BROWSER_DNS:
        b->server[c->host].resolved = b->now;
        begin_tcp(b, c);
        break;
    case BROWSER_TCP:
        begin_tls(b, c);
        break;
    case BROWSER_FULL:
    case BROWSER_RESUMED:
        connection_is_up(b, c);
        break;
    case BROWSER_GET:
        c->state = IDLE;
        c->url = -1;
        url_is_there(b, url);
        break;
    }
}

/* --- which URL on which connection ------------------------------------------------------------ */

/* Each takes a connection at once, or makes one and stays with it, if that is allowed. */
static void serve_by_binding(struct browser *b, int host)
{
    int url;

    while ((url = next_wanted(b, host)) >= 0) {
        struct connection *idle = first_idle(b, host);

        if (idle) {
            fetch(b, idle, url);
        } else if (b->server[host].opened < b->page->host[host].connections &&
                   open_connection(b, host, url)) {
            b->url[url] = BOUND;
        } else {
            return;
        }
    }
}

/* How many there should be of the page's own server. */
static int connections_worth_having(const struct browser *b, int host, bool waits)
{
    const struct server *s = &b->server[host];
    int most = b->page->host[host].connections, ahead = s->opened + AHEAD;

    if (!s->up)
        return waits;
    if (waits)
        return most;
    if (s->pooled)
        return s->opened;
    return ahead < most ? ahead : most;
}

static void serve_from_pool(struct browser *b, int host)
{
    struct server *s = &b->server[host];
    struct connection *idle;
    int url, worth;

    while ((url = next_wanted(b, host)) >= 0 && (idle = first_idle(b, host)))
        fetch(b, idle, url);
    worth = connections_worth_having(b, host, url >= 0);
    s->pooled = s->up;
    while (s->opened < worth && open_connection(b, host, -1))
        continue;
}

/* A pool is for the page's own server. */
static void serve(struct browser *b)
{
    for (int host = 0; host < b->page->hosts; host++) {
        if (b->visit == BROWSER_UNOPTIMIZED || host != b->page->url[0].host)
            serve_by_binding(b, host);
        else
            serve_from_pool(b, host);
    }
}

/* --- time ------------------------------------------------------------------------------------- */

static int next_end(const struct browser *b)
{
    int next = INT_MAX;

    for (int i = 0; i < b->load->connections; i++) {
        const struct connection *c = &b->connection[i];

        if (c->state != IDLE && c->until < next)
            next = c->until;
    }
    return next;
}

static void end_what_ends(struct browser *b)
{
    int there = b->load->connections;

    for (int i = 0; i < there; i++) {
        struct connection *c = &b->connection[i];

        if (c->state != IDLE && c->until <= b->now)
            step_is_over(b, c);
    }
}

/* Everything that this instant holds: ends first, all of them. */
static void live_through_instant(struct browser *b)
{
    do {
        while (next_end(b) <= b->now)
            end_what_ends(b);
        b->active = false;
        serve(b);
    } while (b->active && b->error == 0);
}

static bool is_loaded(const struct browser *b)
{
    for (int i = 0; i < b->page->urls; i++) {
        if (b->url[i] != DONE)
            return false;
    }
    return true;
}

/* At the beginning: what an earlier visit has left behind. */
static void begin_visit(struct browser *b)
{
    bool again = b->visit == BROWSER_REPEAT;

    for (int i = 0; i < b->page->hosts; i++) {
        b->server[i].resolved = b->page->host[i].dns > 0 ? INT_MAX : 0;
        b->server[i].session = again && b->handshake->kept ? 0 : INT_MAX;
    }
    want(b, 0);
    for (int i = 1; i < b->page->urls && again; i++)
        want(b, i);
}

int browser_load_page(const struct page *page, const struct browser_handshake *handshake,
                      enum browser_visit visit, struct browser_load *load)
{
    struct browser b = {.page = page, .handshake = handshake, .visit = visit, .load = load};

    *load = (struct browser_load){0};
    begin_visit(&b);
    live_through_instant(&b);
    while (b.error == 0 && !is_loaded(&b)) {
        b.now = next_end(&b);
        if (b.now == INT_MAX)
            return -EINVAL;
        live_through_instant(&b);
    }
    sort_events(load);
    for (int i = 0; i < load->events; i++) {
        if (load->event[i].step == BROWSER_GET)
            load->round_trips = load->event[i].end;
    }
    return b.error;
}
