/*
 * tcp/pace.c: pacing. Read first: draft-ietf-ccwg-bbr 5.6.2 and 5.6.3; RFC 9438 and RFC 5681
 * leave it to us.
 *
 * Unpaced, what an ACK of many segments allows leaves as one burst, and every queue on the way has
 * to take it. Paced, trains of about a millisecond leave one after the other at a rate somewhat
 * above cwnd per srtt: enough for cwnd to stay the limit.
 *
 *     |##|    |##|    |##|    |##|         ## a train (one frame where the link can cut it)
 *     at      at + train / rate ...        TCP_PACE runs in between
 *
 * Not held back are
 *   - the first flight, whatever the controller, so that no handshake waits;
 *   - an initial window's worth in flight, which a path must bear at any time (RFC 6928), so that
 *     no short answer waits;
 *   - rates at which a millisecond is more than the longest frame: a timer would cost more than it
 *     brings;
 *   - connections whose user does not want it.
 */
#include "tcp/pace.h"

#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/timers.h"

#define TRAIN_TIME TLSYN_MS(1)
#define TRAIN_MAX  65536u

/* Per cent of cwnd per srtt. In slow start cwnd doubles within the round trip that is being
 * paced. */
#define RATIO_SLOW_START 200
#define RATIO_AVOIDANCE  120

static bool own_rate(const struct tlsyn_conn *conn)
{
    return conn->cc.ops->pacing_rate;
}

static uint64_t by_window(const struct tlsyn_conn *conn)
{
    const struct cc *cc = &conn->cc;
    uint32_t ratio = cc->cwnd < cc->ssthresh / 2 ? RATIO_SLOW_START : RATIO_AVOIDANCE;

    if (conn->rtt.srtt <= 0)
        return 0;
    return (uint64_t)cc->cwnd * ratio * (TLSYN_SECONDS(1) / 100) / (uint64_t)conn->rtt.srtt;
}

uint64_t tcp_pacing_rate(const struct tlsyn_conn *conn)
{
    uint64_t rate = own_rate(conn) ? conn->cc.ops->pacing_rate(&conn->cc) : by_window(conn);
    uint64_t max = conn->pace.max;

    if (conn->unpaced && !own_rate(conn))
        rate = 0;
    return max && (rate == 0 || rate > max) ? max : rate;
}

static bool free_to_leave(const struct tlsyn_conn *conn)
{
    uint32_t pipe = tcp_pipe(conn), window = cc_initial_window(conn->cc.smss);

    if (conn->bytes_acked + pipe < window)
        return true;
    return pipe < window && !own_rate(conn) && !conn->pace.max;
}

/* Bytes of a train at this rate. */
static uint32_t train(const struct tlsyn_conn *conn, uint64_t rate)
{
    uint64_t bytes = rate * TRAIN_TIME / TLSYN_SECONDS(1);
    uint32_t least = 2 * (uint32_t)conn->mss;

    if (bytes >= TRAIN_MAX)
        return TRAIN_MAX;
    return bytes > least ? (uint32_t)bytes : least;
}

static bool too_fast(const struct tlsyn_conn *conn, uint64_t rate)
{
    return train(conn, rate) == TRAIN_MAX && !own_rate(conn) && !conn->pace.max;
}

/* Time lost by a late timer is made up for, idle time is not. */
static void charge(struct tlsyn_conn *conn, uint32_t len, uint64_t rate)
{
    struct pace *p = &conn->pace;
    tlsyn_time earliest = conn->tcp->cx->now - TRAIN_TIME;

    p->left -= len < p->left ? len : p->left;
    p->at = (p->at > earliest ? p->at : earliest) +
            (tlsyn_time)((uint64_t)len * TLSYN_SECONDS(1) / rate);
}

/* Without pacing nothing waits; but trains get no longer than pacing would have made them. */
static uint32_t unpaced_train(const struct tlsyn_conn *conn, uint32_t len)
{
    uint64_t rate = by_window(conn);
    uint32_t mss = tcp_send_mss(conn), most = rate ? train(conn, rate) : len;

    return len > most && most > mss ? most - most % mss : len;
}

uint32_t tcp_pace(struct tlsyn_conn *conn, uint32_t len, bool whole)
{
    struct pace *p = &conn->pace;
    uint32_t mss = tcp_send_mss(conn);

    if (conn->unpaced && !own_rate(conn) && !p->max)
        return whole ? len : unpaced_train(conn, len);
    if (free_to_leave(conn))
        return len;
    uint64_t rate = tcp_pacing_rate(conn);
    if (rate == 0 || too_fast(conn, rate))
        return len;
    if (p->at <= conn->tcp->cx->now) {
        p->left = train(conn, rate);
    } else if (p->left == 0) {
        timers_set(conn, TCP_PACE, p->at);
        return 0;
    }
    if (!whole && len > p->left && len > mss)
        len = p->left > mss ? p->left - p->left % mss : mss;
    charge(conn, len, rate);
    return len;
}

void tcp_pace_timeout(struct tlsyn_conn *conn)
{
    tcp_set_ready(conn);
}
