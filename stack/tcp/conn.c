/*
 * tcp/conn.c: the life of a transmission control block: made, moved from state to state,
 * finished, freed.
 */
#include "tcp/conn.h"

#include <assert.h>
#include <errno.h>

#include "tcp/buffers.h"
#include "tcp/demux.h"
#include "tcp/early.h"
#include "tcp/isn.h"
#include "tcp/lend.h"
#include "tcp/metrics.h"
#include "tcp/settings.h"
#include "tcp/shut.h"
#include "tcp/timers.h"
#include "tcp/via.h"

static int take_port(struct tcp *tcp, struct tlsyn_endpoint *local,
                     const struct tlsyn_endpoint *remote)
{
    struct tlsyn_ports *ports = tcp->cx->ports;

    if (ports)
        return ports->take(ports, TLSYN_TCP, local);
    if (local->port == 0)
        local->port = demux_choose_port(tcp, local, remote);
    return local->port ? 0 : -EADDRINUSE;
}

static void give_port(struct tcp *tcp, const struct tlsyn_endpoint *local)
{
    struct tlsyn_ports *ports = tcp->cx->ports;

    if (ports)
        ports->give(ports, TLSYN_TCP, local);
}

struct tlsyn_conn *tcp_conn_new(struct tcp *tcp, const struct tlsyn_endpoint *local,
                                const struct tlsyn_endpoint *remote,
                                const struct tlsyn_conn_options *options, int *error)
{
    const struct tlsyn_limits *limits = &tcp->cx->limits;
    const struct cc_ops *controller = cc_find(options->controller);
    struct tlsyn_endpoint at = *local;

    *error = controller ? take_port(tcp, &at, remote) : -EINVAL;
    if (*error < 0)
        return NULL;
    struct tlsyn_conn *conn = context_alloc(tcp->cx, sizeof(*conn));
    *error = -ENOMEM;
    if (!conn) {
        give_port(tcp, &at);
        return NULL;
    }
    conn->opening = context_alloc(tcp->cx, sizeof(*conn->opening));
    if (!conn->opening || cc_init(&conn->cc, controller, tcp->cx->alloc, tcp->numbered) < 0)
        goto fail;
    conn->tcp = tcp;
    conn->local = at;
    conn->remote = *remote;
    *error = demux_add(tcp, conn);
    if (*error < 0)
        goto fail;
    list_append(&tcp->all, &conn->all);
    list_init(&conn->ready);
    list_init(&conn->waiting);
    timers_init(conn);
    ranges_init(&conn->ooo, (uint16_t)limits->ooo_ranges);
    board_init(&conn->board, limits->sent_pieces);
    rtt_init(&conn->rtt, limits->rto_min, limits->rto_max);
    conn->number = ++tcp->numbered;
    conn->opened = tcp->cx->now;
    settings_init(conn, options);
    conn->opening->share = SOURCE_SHARES;
    conn->opening->timeout = options->syn_timeout ? options->syn_timeout : limits->syn_timeout;
    conn->stalled_since = TLSYN_NEVER;
    conn->quick_acks = limits->quick_acks;
    conn->quick_start = limits->quick_acks > 0;
    budget_init(&conn->challenges, limits->challenge_per_second, UINT32_MAX, tcp->cx->now);
    conn->ts_offset = isn_ts_offset(&tcp->isn_key, &at, remote);
    conn->iss = tcp->choose_iss(tcp, &at, remote);
    conn->snd_una = conn->snd_nxt = conn->snd_rtx = conn->recover = conn->limited_seq = conn->iss;
    conn->snd_small = conn->iss;
    rack_init(&conn->rack, conn->iss);
    return conn;
fail:
    if (*error != -EADDRINUSE)
        shut_is_in_the_way(tcp);
    cc_release(&conn->cc, tcp->cx->alloc);
    context_free(tcp->cx, conn->opening);
    context_free(tcp->cx, conn);
    give_port(tcp, &at);
    return NULL;
}

#define BIT(state) (1u << TLSYN_##state)

/* RFC 9293 figure 5, and the ways to CLOSED that it leaves to the text: abort, reset, timeout. */
static const uint16_t successors[TLSYN_STATES] = {
    [TLSYN_CLOSED] = BIT(SYN_SENT) | BIT(SYN_RECEIVED),
    [TLSYN_SYN_SENT] = BIT(SYN_RECEIVED) | BIT(ESTABLISHED),
    [TLSYN_SYN_RECEIVED] = BIT(ESTABLISHED),
    [TLSYN_ESTABLISHED] = BIT(FIN_WAIT_1) | BIT(CLOSE_WAIT),
    [TLSYN_FIN_WAIT_1] = BIT(FIN_WAIT_2) | BIT(CLOSING) | BIT(TIME_WAIT),
    [TLSYN_FIN_WAIT_2] = BIT(TIME_WAIT),
    [TLSYN_CLOSE_WAIT] = BIT(LAST_ACK),
    [TLSYN_CLOSING] = BIT(TIME_WAIT),
    [TLSYN_LAST_ACK] = 0,
    [TLSYN_TIME_WAIT] = 0,
};

const char *tlsyn_state_name(enum tlsyn_state state)
{
    return trace_state_name(state);
}

/* The listener's half-open connections are counted from SYN-RECEIVED's entry to its end. */
static void leave_syn_received(struct tlsyn_conn *conn)
{
    struct tcp *tcp = conn->tcp;

    list_remove(&conn->waiting);
    if (!conn->active)
        tcp->half_open--;
    if (conn->engaged)
        tcp->embedded--;
}

void tcp_set_state(struct tlsyn_conn *conn, enum tlsyn_state state)
{
    enum tlsyn_state from = conn->state;
    bool legal = state == TLSYN_CLOSED || (successors[from] >> state & 1);

    assert(legal);
    (void)legal; /* with NDEBUG nobody asks */
    TRACE(conn->tcp->cx, tcp_state, conn->number, from, state);
    if (from == TLSYN_SYN_RECEIVED)
        leave_syn_received(conn);
    if (state == TLSYN_SYN_RECEIVED && !conn->active) {
        conn->tcp->half_open++;
        list_append(&conn->tcp->half_opens, &conn->waiting);
    }
    if (state == TLSYN_ESTABLISHED)
        conn->established = conn->tcp->cx->now;
    conn->state = state;
}

void tcp_set_ready(struct tlsyn_conn *conn)
{
    if (!list_linked(&conn->ready) && (conn->state != TLSYN_CLOSED || conn->close_pending))
        list_append(&conn->tcp->ready, &conn->ready);
}

void tcp_opening_done(struct tlsyn_conn *conn)
{
    if (!conn->opening)
        return;
    early_release(conn);
    context_free(conn->tcp->cx, conn->opening);
    conn->opening = NULL;
}

/* R7413-12 */
static void release_rings(struct tlsyn_conn *conn)
{
    struct tlsyn_alloc *alloc = conn->tcp->cx->alloc;

    lend_release(conn);
    buffers_release(conn);
    ranges_release(&conn->ooo, alloc);
    board_release(&conn->board, alloc);
    tcp_opening_done(conn);
}

static void doom(struct tlsyn_conn *conn)
{
    list_remove(&conn->ready);
    list_remove(&conn->all);
    list_append(&conn->tcp->doomed, &conn->all);
}

void tcp_tell_closed(struct tlsyn_conn *conn)
{
    if (!conn->close_pending || conn->in_event)
        return;
    /* An orderly stream is read to its end first; after an error there is nothing more to be
     * had. */
    if (conn->handler && conn->error == 0 && conn->rcv.used > 0)
        return;
    conn->close_pending = false;
    conn->closed_told = true;
    if (conn->refused) /* it still leaves */
        lend_end(conn);
    struct tlsyn_handler *handler = conn->handler;
    conn->handler = NULL;
    if (handler && handler->events->on_closed)
        handler->events->on_closed(handler, conn, conn->error);
    if (conn->state == TLSYN_CLOSED)
        doom(conn);          /* frames in hand may refer to the send ring: tcp_reap() frees it */
    else if (!conn->refused) /* else what the send ring holds still leaves */
        release_rings(conn);
}

void tcp_finish(struct tlsyn_conn *conn, int error)
{
    struct tcp *tcp = conn->tcp;

    if (conn->state == TLSYN_CLOSED && !conn->in_demux)
        return;
    if (conn->error == 0)
        conn->error = error;
    TRACE(tcp->cx, tcp_closed, conn->number, conn->error);
    metrics_keep(conn);
    if (conn->state == TLSYN_TIME_WAIT)
        tcp->time_wait_count--;
    if (conn->state != TLSYN_CLOSED)
        tcp_set_state(conn, TLSYN_CLOSED);
    list_remove(&conn->waiting);
    list_remove(&conn->ready);
    timers_clear_all(conn);
    demux_remove(tcp, conn);
    if (conn->closed_told) { /* in TIME-WAIT, or refused: nobody is left to tell */
        doom(conn);
        return;
    }
    conn->close_pending = true;
    tcp_tell_closed(conn);
}

void tcp_reap(struct tcp *tcp)
{
    list_each_safe(it, after, &tcp->doomed)
    {
        struct tlsyn_conn *conn = container_of(it, struct tlsyn_conn, all);

        list_remove(it);
        release_rings(conn);
        cc_release(&conn->cc, tcp->cx->alloc);
        via_release(conn);
        give_port(tcp, &conn->local);
        context_free(tcp->cx, conn);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

/* Between enter and leave, on_closed is held back: the user frees its handler there, and must not
 * do that while one of the handler's own functions runs. */
static const struct tlsyn_conn_events *enter(struct tlsyn_conn *conn)
{
    if (!conn->handler || conn->closed_told)
        return NULL;
    conn->in_event++;
    return conn->handler->events;
}

static void leave(struct tlsyn_conn *conn)
{
    conn->in_event--;
    tcp_tell_closed(conn);
}

enum hook { HOOK_OPEN, HOOK_SYN, HOOK_SYNACK };

/* The three events of the three-way handshake; the trace has what they could read and what they
 * wrote. */
static int handshake_event(struct tlsyn_conn *conn, enum hook hook)
{
    const struct tlsyn_conn_events *events = enter(conn);
    int (*const event)(struct tlsyn_handler *, struct tlsyn_conn *) =
        !events             ? NULL
        : hook == HOOK_OPEN ? events->on_open
        : hook == HOOK_SYN  ? events->on_syn
                            : events->on_synack;
    uint32_t readable = conn->rcv.used, before = conn->snd.used;
    int result = 0;

    if (!events)
        return 0;
    if (event) {
        result = event(conn->handler, conn);
        TRACE(conn->tcp->cx, tcp_hook, conn->number, hook, readable, conn->snd.used - before);
    }
    if (result < 0 || hook == HOOK_OPEN)
        conn->in_event--; /* the caller decides what a refusal means, and raises on_closed */
    else
        leave(conn);
    return result;
}

int tcp_event_open(struct tlsyn_conn *conn)
{
    return handshake_event(conn, HOOK_OPEN);
}

int tcp_event_syn(struct tlsyn_conn *conn)
{
    return handshake_event(conn, HOOK_SYN);
}

int tcp_event_synack(struct tlsyn_conn *conn)
{
    return handshake_event(conn, HOOK_SYNACK);
}

void tcp_event_established(struct tlsyn_conn *conn)
{
    const struct tlsyn_conn_events *events = enter(conn);

    if (!events)
        return;
    if (events->on_established)
        events->on_established(conn->handler, conn);
    leave(conn);
}

void tcp_event_data(struct tlsyn_conn *conn)
{
    const struct tlsyn_conn_events *events = enter(conn);

    if (!events)
        return;
    if (events->on_data)
        events->on_data(conn->handler, conn);
    leave(conn);
}

void tcp_event_acked(struct tlsyn_conn *conn, size_t n)
{
    const struct tlsyn_conn_events *events = enter(conn);

    if (!events)
        return;
    if (events->on_acked)
        events->on_acked(conn->handler, conn, n);
    leave(conn);
}

void tcp_event_urgent(struct tlsyn_conn *conn, size_t before)
{
    const struct tlsyn_conn_events *events = enter(conn);

    if (!events)
        return;
    if (events->on_urgent)
        events->on_urgent(conn->handler, conn, before);
    leave(conn);
}

void tcp_event_trouble(struct tlsyn_conn *conn, int error)
{
    const struct tlsyn_conn_events *events = enter(conn);

    if (!events)
        return;
    if (events->on_trouble)
        events->on_trouble(conn->handler, conn, error);
    leave(conn);
}
