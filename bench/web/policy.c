/*
 * web/policy.c: see web/policy.h. What is wanted is chosen anew for each action: pages have some
 * hundreds of URLs at most.
 */
#include "web/policy.h"

#include <assert.h>
#include <errno.h>

#define AHEAD 3 /* connections of the pool that are opened before anything waits for them */

static_assert(POLICY_URLS_MAX >= PAGE_URLS_MAX, "a page fits in");
static_assert(POLICY_HOSTS_MAX >= PAGE_HOSTS_MAX, "a page's servers do");

const char *browser_visit_name(enum browser_visit visit)
{
    static const char *const names[BROWSER_VISITS] = {"unoptimized", "first", "repeat"};

    return names[visit];
}

void policy_init(struct policy *policy, enum browser_visit visit, bool multiplexed)
{
    policy->visit = visit;
    policy->multiplexed = multiplexed;
    policy->patient = false;
    policy->urls = policy->references = policy->hosts = policy->connections = 0;
}

int policy_add_host(struct policy *policy, int connections)
{
    int host = policy->hosts;

    if (host == POLICY_HOSTS_MAX)
        return -ENOBUFS;
    policy->host[host].allowed = connections;
    policy->host[host].most = policy->multiplexed && connections > 1 ? 1 : connections;
    policy->host[host].opened = policy->host[host].worth = policy->host[host].failures = 0;
    policy->host[host].up = policy->host[host].pooled = false;
    policy->hosts++;
    return host;
}

int policy_add_url(struct policy *policy, const struct policy_url *url)
{
    int at = policy->urls;

    if (at == POLICY_URLS_MAX)
        return -ENOBUFS;
    policy->url[at].what = *url;
    policy->url[at].state = POLICY_UNKNOWN;
    policy->url[at].connection = policy->url[at].moved = policy->url[at].within = -1;
    policy->url[at].tries = 0;
    policy->urls++;
    return at;
}

/* --- what is to be fetched -------------------------------------------------------------------- */

void policy_want(struct policy *policy, int url)
{
    if (policy->url[url].state == POLICY_UNKNOWN)
        policy->url[url].state = POLICY_WANTED;
}

/* What it leads to in the end; a circle of redirections ends somewhere in it. */
static int led_to(const struct policy *policy, int url)
{
    for (int hops = 0; hops < policy->urls && policy->url[url].moved >= 0; hops++)
        url = policy->url[url].moved;
    return url;
}

static bool is_over(const struct policy *policy, int url)
{
    return policy->url[led_to(policy, url)].state >= POLICY_THERE;
}

static bool stops_parser(const struct policy *policy, int url)
{
    enum page_kind kind = policy->url[url].what.kind;

    return policy->visit == BROWSER_UNOPTIMIZED && page_kind_blocks(kind) && !is_over(policy, url);
}

/* The references that were found so far, up to one that stops the parser. Those behind a style
 * sheet or a script are wanted when that has come. */
static void parse(struct policy *policy, int document)
{
    if (policy->visit == BROWSER_UNOPTIMIZED && policy->url[document].state < POLICY_THERE)
        return;
    for (int i = 0; i < policy->references; i++) {
        if (policy->reference[i].document != document)
            continue;
        if (policy->url[policy->reference[i].url].state == POLICY_UNKNOWN)
            policy->url[policy->reference[i].url].within = document;
        policy_want(policy, policy->reference[i].url);
        if (stops_parser(policy, policy->reference[i].url))
            return;
    }
}

int policy_refer(struct policy *policy, int document, int url)
{
    for (int i = 0; i < policy->references; i++) {
        if (policy->reference[i].document == document && policy->reference[i].url == url)
            return 0;
    }
    if (policy->references == POLICY_REFERENCES_MAX)
        return -ENOBUFS;
    policy->reference[policy->references].document = document;
    policy->reference[policy->references].url = url;
    policy->references++;
    parse(policy, document);
    return 0;
}

/* The documents that waited for it are parsed on. */
static void parse_behind(struct policy *policy, int url)
{
    for (int i = 0; i < policy->references; i++) {
        if (led_to(policy, policy->reference[i].url) == url)
            parse(policy, policy->reference[i].document);
    }
}

/* Its request is over. */
static void leave_connection(struct policy *policy, int url)
{
    if (policy->url[url].state == POLICY_LOADING)
        policy->connection[policy->url[url].connection].requests--;
}

void policy_arrived(struct policy *policy, int url, bool failed)
{
    leave_connection(policy, url);
    policy->url[url].state = failed ? POLICY_FAILED : POLICY_THERE;
    parse(policy, url);
    parse_behind(policy, url);
}

void policy_moved(struct policy *policy, int url, int target)
{
    leave_connection(policy, url);
    policy->url[url].state = POLICY_THERE;
    policy->url[url].moved = target;
    policy_want(policy, target);
    parse_behind(policy, led_to(policy, target));
}

/* True if a browser that may choose has more need of `a`. */
static bool comes_before(const struct policy *policy, int a, int z)
{
    const struct policy_url *u = &policy->url[a].what, *v = &policy->url[z].what;

    if (policy->visit != BROWSER_UNOPTIMIZED && u->kind != v->kind)
        return u->kind < v->kind;
    if (u->position != v->position)
        return u->position < v->position;
    return u->frame < v->frame;
}

/* The URL of this server that is served next; -1: none waits. */
static int next_wanted(const struct policy *policy, int host)
{
    int best = -1;

    for (int i = 0; i < policy->urls; i++) {
        if (policy->url[i].state == POLICY_WANTED && policy->url[i].what.host == host &&
            (best < 0 || comes_before(policy, i, best)))
            best = i;
    }
    return best;
}

bool policy_is_done(const struct policy *policy)
{
    for (int i = 0; i < policy->urls; i++) {
        if (policy->url[i].state > POLICY_UNKNOWN && policy->url[i].state < POLICY_THERE)
            return false;
    }
    return true;
}

/* --- connections ------------------------------------------------------------------------------ */

void policy_up(struct policy *policy, int connection)
{
    int host = policy->connection[connection].host;

    policy->connection[connection].state = POLICY_UP;
    policy->host[host].up = true;
    policy->host[host].failures = 0;
}

void policy_room(struct policy *policy, int connection, int requests)
{
    int host = policy->connection[connection].host;

    policy->connection[connection].room = requests;
    if (requests == 1)
        policy->host[host].most = policy->host[host].allowed;
}

void policy_refused(struct policy *policy, int url)
{
    leave_connection(policy, url);
    policy->url[url].state = POLICY_WANTED;
}

void policy_failed(struct policy *policy, int url)
{
    policy_refused(policy, url);
    if (++policy->url[url].tries >= POLICY_TRIES)
        policy_arrived(policy, url, true);
}

void policy_leaving(struct policy *policy, int connection)
{
    if (policy->connection[connection].state != POLICY_UP)
        return;
    policy->connection[connection].state = POLICY_LEAVING;
    policy->host[policy->connection[connection].host].opened--;
}

void policy_gone(struct policy *policy, int connection)
{
    enum policy_connection_state was = policy->connection[connection].state;
    int host = policy->connection[connection].host;

    if (was == POLICY_GONE)
        return;
    policy->connection[connection].state = POLICY_GONE;
    if (was != POLICY_LEAVING)
        policy->host[host].opened--;
    for (int i = 0; i < policy->urls; i++) {
        enum policy_url_state state = policy->url[i].state;

        if (policy->url[i].connection == connection &&
            (state == POLICY_BOUND || state == POLICY_LOADING))
            policy_failed(policy, i);
    }
    if (was == POLICY_OPENING)
        policy->host[host].failures++;
}

static int first_idle(const struct policy *policy, int host)
{
    for (int i = 0; i < policy->connections; i++) {
        if (policy->connection[i].host == host && policy->connection[i].state == POLICY_UP &&
            policy->connection[i].requests < policy->connection[i].room)
            return i;
    }
    return -1;
}

/* For a URL, or -1: ahead of any. */
static bool open_one(struct policy *policy, int host, int url, struct policy_action *action)
{
    int at = policy->connections;

    if (at == POLICY_CONNECTIONS_MAX || policy->host[host].failures >= POLICY_TRIES)
        return false;
    policy->connections++;
    policy->host[host].opened++;
    policy->connection[at].host = host;
    policy->connection[at].state = POLICY_OPENING;
    policy->connection[at].requests = 0;
    policy->connection[at].room = policy->multiplexed ? POLICY_STREAMS : 1;
    policy->connection[at].bound = url;
    if (url >= 0) {
        policy->url[url].state = POLICY_BOUND;
        policy->url[url].connection = at;
    }
    *action = (struct policy_action){.open = true, .connection = at, .host = host, .url = url};
    return true;
}

static bool fetch(struct policy *policy, int connection, int url, struct policy_action *action)
{
    policy->url[url].state = POLICY_LOADING;
    policy->url[url].connection = connection;
    policy->connection[connection].requests++;
    policy->connection[connection].bound = -1;
    *action = (struct policy_action){
        .connection = connection, .host = policy->connection[connection].host, .url = url};
    return true;
}

/* --- which URL on which connection ------------------------------------------------------------ */

/* What waited for a connection that is up now. */
static bool serve_bound(struct policy *policy, struct policy_action *action)
{
    for (int i = 0; i < policy->connections; i++) {
        int url = policy->connection[i].bound;

        if (policy->connection[i].state != POLICY_UP || url < 0)
            continue;
        if (policy->url[url].state == POLICY_BOUND && policy->url[url].connection == i)
            return fetch(policy, i, url, action);
        policy->connection[i].bound = -1;
    }
    return false;
}

/* Each takes a connection at once, or makes one and stays with it, if that is allowed. */
static bool serve_by_binding(struct policy *policy, int host, struct policy_action *action)
{
    int url = next_wanted(policy, host), idle = first_idle(policy, host);

    if (url < 0)
        return false;
    if (idle >= 0)
        return fetch(policy, idle, url, action);
    return policy->host[host].opened < policy->host[host].most &&
           open_one(policy, host, url, action);
}

/* How many connections there should be of the page's own server: what was once worth having is. */
static int worth_having(struct policy *policy, int host, bool waits)
{
    int most = policy->host[host].most, worth = policy->host[host].opened;

    if (!policy->host[host].up)
        worth = waits;
    else if (waits && !policy->patient)
        worth = most;
    else if (!policy->host[host].pooled)
        worth += AHEAD;
    policy->host[host].pooled = policy->host[host].up;
    worth = worth < most ? worth : most;
    if (worth > policy->host[host].worth)
        policy->host[host].worth = worth;
    return policy->host[host].worth;
}

/* Whether a request waits that has a reason to. */
static bool one_waits(const struct policy *policy, int host)
{
    for (int i = 0; i < policy->urls; i++) {
        int within = policy->url[i].within;

        if (policy->url[i].state == POLICY_WANTED && policy->url[i].what.host == host &&
            (within < 0 || policy->url[within].state >= POLICY_THERE))
            return true;
    }
    return false;
}

static bool serve_from_pool(struct policy *policy, int host, struct policy_action *action)
{
    int url = next_wanted(policy, host), idle = first_idle(policy, host);

    if (url >= 0 && idle >= 0)
        return fetch(policy, idle, url, action);
    return policy->host[host].opened < worth_having(policy, host, one_waits(policy, host)) &&
           open_one(policy, host, -1, action);
}

/* There is no connection to this server, and there will be none: too many have failed, or the page
 * has had as many connections as it may. */
static bool is_out_of_reach(const struct policy *policy, int host)
{
    return policy->host[host].opened == 0 && (policy->host[host].failures >= POLICY_TRIES ||
                                              policy->connections == POLICY_CONNECTIONS_MAX);
}

static void give_up_host(struct policy *policy, int host)
{
    for (int i = 0; i < policy->urls; i++) {
        if (policy->url[i].what.host == host && policy->url[i].state == POLICY_WANTED)
            policy_arrived(policy, i, true);
    }
}

int policy_own_host(const struct policy *policy)
{
    return policy->urls > 0 ? policy->url[led_to(policy, 0)].what.host : -1;
}

bool policy_has_page(const struct policy *policy)
{
    return policy->urls > 0 && policy->url[led_to(policy, 0)].state == POLICY_THERE;
}

/* A pool is for the page's own server. */
bool policy_waits(const struct policy *policy)
{
    int host = policy_own_host(policy);

    return policy->visit != BROWSER_UNOPTIMIZED && host >= 0 && policy->host[host].up &&
           policy->host[host].opened < policy->host[host].most && one_waits(policy, host);
}

static bool serve(struct policy *policy, int host, struct policy_action *action)
{
    if (is_out_of_reach(policy, host))
        give_up_host(policy, host);
    if (policy->visit == BROWSER_UNOPTIMIZED || host != policy_own_host(policy))
        return serve_by_binding(policy, host, action);
    return serve_from_pool(policy, host, action);
}

bool policy_next(struct policy *policy, struct policy_action *action)
{
    bool found = serve_bound(policy, action);

    for (int host = 0; !found && host < policy->hosts; host++)
        found = serve(policy, host, action);
    return found;
}
