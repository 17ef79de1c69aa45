/*
 * tcp/settings.c: options that may change while a connection lives.
 */
#include "tcp/settings.h"

#include <errno.h>

#include "tcp/keepalive.h"
#include "tcp/output.h"

#define RING_DEFAULT (256u << 10)

/* RFC 9293 3.8.4 (MUST-25): two hours at least, unless asked otherwise; the others are Linux's. */
#define KEEP_IDLE     TLSYN_SECONDS(7200)
#define KEEP_INTERVAL TLSYN_SECONDS(75)
#define KEEP_COUNT    9

static uint32_t ring_size(uint32_t asked, uint32_t max)
{
    uint32_t size = asked ? asked : RING_DEFAULT;

    return size < max ? size : max;
}

uint32_t settings_rcv_size(const struct tlsyn_limits *limits,
                           const struct tlsyn_conn_options *options)
{
    return ring_rounded(ring_size(options->rcv_ring, limits->rcv_ring_max));
}

static uint32_t milliseconds(tlsyn_time asked, tlsyn_time otherwise)
{
    tlsyn_time time = asked ? asked : otherwise;

    return time / 1000 < UINT32_MAX ? (uint32_t)((time + 999) / 1000) : UINT32_MAX;
}

int settings_check(const struct tlsyn_conn_options *options)
{
    if (options->user_timeout < 0 || options->syn_timeout < 0 || options->keep_idle < 0 ||
        options->keep_interval < 0)
        return -EINVAL;
    return 0;
}

/* All but the sizes of the rings. */
static void apply(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    const struct tlsyn_limits *limits = &conn->tcp->cx->limits;

    conn->nagle = options->nagle;
    conn->cork = options->cork;
    conn->no_delack = options->no_delack;
    conn->user_timeout_set = options->user_timeout > 0;
    conn->user_timeout = milliseconds(options->user_timeout, limits->user_timeout);
    conn->keepalive = options->keepalive;
    conn->keep_idle = milliseconds(options->keep_idle, KEEP_IDLE);
    conn->keep_interval = milliseconds(options->keep_interval, KEEP_INTERVAL);
    conn->keep_count = options->keep_count ? options->keep_count : KEEP_COUNT;
    conn->snd_ring = options->snd_ring;
    conn->rcv_ring = options->rcv_ring;
}

void settings_init(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    const struct tlsyn_limits *limits = &conn->tcp->cx->limits;

    apply(conn, options);
    ring_init(&conn->snd, ring_size(options->snd_ring, limits->snd_ring_max));
    ring_init(&conn->rcv, settings_rcv_size(limits, options));
    conn->snd_max = conn->snd.size;
    conn->rcv_max = conn->rcv.size;
}

/* --- the user's side --------------------------------------------------------------------------------- */

void tlsyn_conn_get_options(const struct tlsyn_conn *conn, struct tlsyn_conn_options *options)
{
    *options = (struct tlsyn_conn_options){
        .nagle = conn->nagle,
        .cork = conn->cork,
        .no_timestamps = !conn->ts_ok,
        .no_sack = !conn->sack_ok,
        .no_window_scale = !conn->wscale_ok,
        .no_delack = conn->no_delack,
        .keepalive = conn->keepalive,
        .keep_count = conn->keep_count,
        .keep_idle = TLSYN_MS(conn->keep_idle),
        .keep_interval = TLSYN_MS(conn->keep_interval),
        .mss_max = conn->rcv_mss,
        .snd_ring = conn->snd_ring,
        .rcv_ring = conn->rcv_ring,
        .user_timeout = conn->user_timeout_set ? TLSYN_MS(conn->user_timeout) : 0,
        .syn_timeout = conn->opening ? conn->opening->timeout : 0,
        .controller = conn->cc.ops->name,
    };
}

/* The rings as large as asked for. What is larger stays so: less of it is used. 0 or -ENOMEM. */
static int fit_rings(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    const struct tlsyn_limits *limits = &conn->tcp->cx->limits;
    struct tlsyn_alloc *alloc = conn->tcp->cx->alloc;
    uint32_t snd = ring_rounded(ring_size(options->snd_ring, limits->snd_ring_max));
    uint32_t rcv = settings_rcv_size(limits, options);
    int error = ring_grow(&conn->snd, alloc, snd);

    if (error == 0)
        error = ring_grow(&conn->rcv, alloc, rcv);
    if (error < 0)
        return error;
    conn->snd_max = snd;
    conn->rcv_max = rcv;
    return 0;
}

int tlsyn_conn_set_options(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    int error = settings_check(options);

    if (error == 0 && (conn->closed_told || conn->close_pending))
        error = -EPIPE;
    if (error == 0)
        error = fit_rings(conn, options);
    if (error < 0)
        return error;
    apply(conn, options);
    if (!conn->cork)
        tcp_uncork(conn);
    tcp_keepalive_start(conn);
    tcp_set_ready(conn); /* what Nagle's algorithm or the cork held back may go */
    return 0;
}
