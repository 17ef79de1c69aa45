/*
 * sim/flow.h: the connections of a run: between whom, by what script, and whether each came to its
 * right end.
 */
#ifndef TEST_SIM_FLOW_H
#define TEST_SIM_FLOW_H

#include "sim/host.h"
#include "sim/identity.h"
#include "sim/talker.h"

struct flow {
    struct script script;
    struct talker client, server;
    int from, to;
    uint16_t port; /* the client's */
    bool opened, accepted, live;
    int refused; /* what the open call said */
    tlsyn_time opens_at, abort_at, change_at, began, accepted_at;
    bool aborts, client_aborts, asks;
    enum refusal refusal;
    struct tlsyn_conn_options client_options, later;
    enum tlsyn_level level;
    int again; /* so many times it was opened anew */
};

struct listener {
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct flows *flows;
    int host;
};

struct flows {
    const struct plan *plan;
    struct host *host;
    const tlsyn_time *now;
    struct flow *flow;
    int *live; /* numbers of those that are open */
    int count, opened, live_count, finished;
    struct listener listener[PLAN_HOSTS_MAX];
    struct credentials identity[PLAN_HOSTS_MAX];
    tlsyn_time deaf_at, hears_at;
    const char *wrong; /* the first thing that is, or NULL */
    int wrong_flow;
    bool verbose;
};

/** Hosts are there; from now on flows are opened. */
void flows_begin(struct flows *f, const struct plan *plan, struct host *host,
                 const tlsyn_time *now);

/** Opens, ticks, breaks off what is due, and looks at what has ended; true if it did anything. */
bool flows_step(struct flows *f);

/** When there is something to do next, or TLSYN_NEVER. */
tlsyn_time flows_next(const struct flows *f);

bool flows_are_over(const struct flows *f);

/** Prints how far those are that are not over. */
void flows_tell(const struct flows *f);

/** No more listeners. */
void flows_deafen(struct flows *f);

/** After the stacks have gone. */
void flows_end(struct flows *f);

#endif
