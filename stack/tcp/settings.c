/*
 * tcp/settings.c: options that may change while a connection lives.
 */
#include "tcp/settings.h"

#include <errno.h>

#include "tcp/buffers.h"
#include "tcp/due.h"
#include "tcp/keepalive.h"

/* RFC 9293 3.8.4 (MUST-28): two hours at least, unless asked otherwise; the others are Linux's. */
#define KEEP_IDLE     TLSYN_SECONDS(7200)
#define KEEP_INTERVAL TLSYN_SECONDS(75)
#define KEEP_COUNT    9

#define FIN_TIMEOUT 60 /* seconds: Linux's tcp_fin_timeout */

/* Rounded up to seconds. */
static uint16_t fin_timeout(tlsyn_time asked)
{
    tlsyn_time seconds = (asked + TLSYN_SECONDS(1) - 1) / TLSYN_SECONDS(1);

    return asked == 0 ? FIN_TIMEOUT : seconds < UINT16_MAX ? (uint16_t)seconds : UINT16_MAX;
}

static uint32_t milliseconds(tlsyn_time asked, tlsyn_time otherwise)
{
    tlsyn_time time = asked ? asked : otherwise;

    return time / 1000 < UINT32_MAX ? (uint32_t)((time + 999) / 1000) : UINT32_MAX;
}

int settings_check(const struct tlsyn_conn_options *options)
{
    if (options->user_timeout < 0 || options->syn_timeout < 0 || options->keep_idle < 0 ||
        options->keep_interval < 0 || options->fin_timeout < 0)
        return -EINVAL;
    return cc_find(options->controller) ? 0 : -EINVAL;
}

/* NULL: the controller stays. BBR is ignored where the peer has no SACK, without which there are no
 * delivery rates. */
static int change_controller(struct tlsyn_conn *conn, const char *name)
{
    const struct cc_ops *ops = cc_find(name);

    if (!name || (ops->needs_sack && tcp_synchronized(conn) && !conn->sack_ok))
        return 0;
    int error = cc_become(&conn->cc, ops, conn->tcp->cx->alloc, conn->iss);
    /* Recovery ends with cwnd at ssthresh, which the old controller may never have set. */
    if (error == 0 && conn->in_recovery && conn->cc.ssthresh > CC_WINDOW_MAX)
        conn->cc.ssthresh = conn->cc.cwnd;
    return error;
}

/* All but the sizes of the buffers. */
static void apply(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    const struct tlsyn_limits *limits = &conn->tcp->cx->limits;

    /* MUST-17 */
    conn->nagle = options->nagle;
    conn->cork = options->cork;
    conn->unpushed = options->more;
    conn->no_delack = options->no_delack;
    conn->user_timeout_set = options->user_timeout > 0;
    /* MUST-21 */
    conn->user_timeout = milliseconds(options->user_timeout, limits->user_timeout);
    /* MUST-24, MUST-25, MAY-5 */
    conn->keepalive = options->keepalive;
    /* MUST-27 */
    conn->keep_idle = milliseconds(options->keep_idle, KEEP_IDLE);
    conn->keep_interval = milliseconds(options->keep_interval, KEEP_INTERVAL);
    conn->keep_count = options->keep_count ? options->keep_count : KEEP_COUNT;
    conn->pace.max =
        options->pacing_rate_max < UINT32_MAX ? (uint32_t)options->pacing_rate_max : UINT32_MAX;
    conn->unpaced = options->no_pacing;
    conn->fin_timeout = fin_timeout(options->fin_timeout);
    /* MUST-48, SHLD-21 */
    conn->tos = options->tos & 0xfc;
    /* MUST-49 */
    conn->ttl = options->ttl;
}

void settings_init(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    apply(conn, options);
    buffers_init(conn, options);
}

/* --- the user's side -------------------------------------------------------------------------- */

void tlsyn_conn_get_options(const struct tlsyn_conn *conn, struct tlsyn_conn_options *options)
{
    *options = (struct tlsyn_conn_options){
        .nagle = conn->nagle,
        .cork = conn->cork,
        .more = conn->unpushed,
        .no_timestamps = !conn->ts_ok,
        .no_sack = !conn->sack_ok,
        .no_window_scale = !conn->wscale_ok,
        .no_delack = conn->no_delack,
        .keepalive = conn->keepalive,
        .keep_count = conn->keep_count,
        .keep_idle = TLSYN_MS(conn->keep_idle),
        .keep_interval = TLSYN_MS(conn->keep_interval),
        .fin_timeout = TLSYN_SECONDS(conn->fin_timeout),
        .tos = conn->tos,
        .ttl = conn->ttl,
        .mss_max = conn->rcv_mss,
        .snd_ring = conn->snd_ring,
        .rcv_ring = conn->rcv_ring,
        .user_timeout = conn->user_timeout_set ? TLSYN_MS(conn->user_timeout) : 0,
        .syn_timeout = conn->opening ? conn->opening->timeout : 0,
        .controller = conn->cc.ops->name,
        .pacing_rate_max = conn->pace.max,
        .no_pacing = conn->unpaced,
    };
}

int tlsyn_conn_set_options(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    int error = settings_check(options);
    bool was_nagle = conn->nagle;

    if (error == 0 && (conn->closed_told || conn->close_pending))
        error = -EPIPE;
    if (error == 0)
        error = change_controller(conn, options->controller);
    if (error < 0)
        return error;
    apply(conn, options);
    buffers_resize(conn, options);
    if (!conn->cork)
        due_uncork(conn);
    else if (was_nagle && !conn->nagle)
        conn->cork_passed = true; /* as Linux's TCP_NODELAY: what waits leaves, once */
    tcp_keepalive_start(conn);
    tcp_set_ready(conn); /* what Nagle's algorithm or the cork held back may go */
    return 0;
}
