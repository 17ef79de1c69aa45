/*
 * tcp/buffers.c: sizes of rings. Read first: RFC 9293 3.8.6; Semke, Mahdavi, Mathis,
 * "Automatic TCP Buffer Tuning" (1998), for the sender; Fisk, Feng, "Dynamic Right-Sizing"
 * (2001), for the receiver.
 *
 * The send buffer has room for two windows: one on its way, and one that the user may write in the
 * meantime.
 *
 * The receive buffer follows what the user consumed in the last round trip. A sender in slow start
 * sends twice as much in the next one; so the window has to be twice that, and a little more for
 * what is counted late. For a user who reads slowly it does not grow. Between hosts on one machine
 * or switch a round trip is shorter than the time that a reader takes to wake up, in which the
 * sender should be able to go on: so a round trip counts as RTT_LEAST at least. But there all that
 * is on its way lies in memory, and what exceeds NEAR_MAX has left the cache by the time it is
 * read.
 */
#include "tcp/buffers.h"

#include <errno.h>

#include "tcp/lend.h"
#include "tcp/shut.h"
#include "tcp/timers.h"

#define TUNED_FIRST  (64u << 10)
#define MEMORY_FIRST (16u << 10)
#define IDLE         TLSYN_SECONDS(1)
#define ROOM_AGAIN   TLSYN_MS(100)
#define LATE         16u /* segments */
#define RTT_UNKNOWN  TLSYN_MS(100)
#define RTT_LEAST    200 /* us */
#define NEAR_MAX     (1u << 20)
#define QUEUED       (2u << 20) /* see useful_window() */

static uint32_t first_size(uint32_t asked, uint32_t max)
{
    uint32_t size = asked ? asked : TUNED_FIRST;

    return size < max ? size : max;
}

uint32_t buffers_rcv_first(const struct tlsyn_limits *limits,
                           const struct tlsyn_conn_options *options)
{
    return first_size(options->rcv_ring, limits->rcv_ring_max);
}

void buffers_init(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    ring_init(&conn->snd, MEMORY_FIRST);
    ring_init(&conn->rcv, MEMORY_FIRST);
    buffers_resize(conn, options);
}

void buffers_resize(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options)
{
    const struct tlsyn_limits *limits = &conn->tcp->cx->limits;

    if (options->snd_ring != conn->snd_ring || conn->snd_max == 0)
        conn->snd_max = first_size(options->snd_ring, limits->snd_ring_max);
    if (options->rcv_ring != conn->rcv_ring || conn->rcv_max == 0)
        conn->rcv_max = buffers_rcv_first(limits, options);
    conn->snd_ring = options->snd_ring;
    conn->rcv_ring = options->rcv_ring;
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Three quarters of limits.ring_bytes. */
static uint64_t eased(const struct tcp *tcp)
{
    uint64_t all = tcp->cx->limits.ring_bytes;
    uint64_t kept = all / 4 > MEMORY_FIRST ? all / 4 : MEMORY_FIRST;

    return all > kept ? all - kept : 0;
}

/* A connection that needs a ring can't have one. */
static bool under_pressure(const struct tcp *tcp)
{
    return tcp->ring_bytes + MEMORY_FIRST > eased(tcp);
}

static uint32_t held(const struct ring *ring)
{
    return ring->memory ? ring->size : 0;
}

void buffers_used(struct tlsyn_conn *conn)
{
    if (!timers_running(conn, TCP_IDLE))
        timers_set(conn, TCP_IDLE, conn->tcp->cx->now + IDLE);
}

int buffers_hold(struct tlsyn_conn *conn, struct ring *ring, uint32_t bytes, bool vital)
{
    struct tcp *tcp = conn->tcp;
    uint32_t before = held(ring), after = ring_rounded(bytes);
    uint64_t limit = vital ? tcp->cx->limits.ring_bytes : eased(tcp);

    if (bytes <= before)
        return 0;
    if (after < MEMORY_FIRST)
        after = MEMORY_FIRST;
    if (tcp->ring_bytes - before + after > limit) {
        count(tcp->cx, TLSYN_COUNT_tcp_memory_pressures);
        shut_is_in_the_way(tcp);
        return -ENOMEM;
    }
    int error = ring_grow(ring, tcp->cx->alloc, after);
    if (error == 0)
        error = ring_ensure(ring, tcp->cx->alloc);
    tcp->ring_bytes = tcp->ring_bytes - before + held(ring);
    if (error == 0)
        buffers_used(conn);
    return error;
}

static void give_back(struct tlsyn_conn *conn, struct ring *ring)
{
    conn->tcp->ring_bytes -= held(ring);
    ring_release(ring, conn->tcp->cx->alloc);
    ring_init(ring, MEMORY_FIRST);
}

void buffers_release(struct tlsyn_conn *conn)
{
    give_back(conn, &conn->snd);
    give_back(conn, &conn->rcv);
}

static void give_back_idle(struct tlsyn_conn *conn)
{
    tlsyn_time last = conn->last_sent > conn->last_heard ? conn->last_sent : conn->last_heard;
    tlsyn_time now = conn->tcp->cx->now;

    if (last + IDLE > now && !under_pressure(conn->tcp)) {
        timers_set(conn, TCP_IDLE, last + IDLE);
        return;
    }
    board_idle(&conn->board, conn->tcp->cx->alloc);
    if (conn->snd.used == 0 && conn->snd_una == conn->snd_nxt) {
        give_back(conn, &conn->snd);
        lend_release(conn);
    }
    if (conn->rcv.used == 0 && conn->ooo.count == 0)
        give_back(conn, &conn->rcv);
    if (conn->snd.memory || conn->rcv.memory || conn->board.memory)
        timers_set(conn, TCP_IDLE, now + IDLE);
    else if (conn->snd_ring == 0) /* tuned anew by the next burst */
        conn->snd_max = first_size(0, conn->tcp->cx->limits.snd_ring_max);
}

void buffers_idle_timeout(struct tlsyn_conn *conn)
{
    bool refused = conn->snd_refused;

    conn->snd_refused = false;
    give_back_idle(conn);
    if (refused && tcp_synchronized(conn))
        tcp_event_acked(conn, 0);
}

/* --- tuning ----------------------------------------------------------------------------------- */

/*
 * Without loss cwnd grows for ever, and everything beyond the path's capacity waits in some queue,
 * which on one machine may be a peer's buffer of 32 MiB. A ring of that size never fits the cache:
 * every byte goes through main memory. The path itself holds cwnd * min_rtt / srtt bytes. Four
 * times that leaves room for any queue that a bottleneck may rightly have. QUEUED is the least, for
 * a receiver that is off its core for a moment: with half of it a sender on the same machine ran
 * dry now and then, with twice as much it was a fifth slower.
 */
static uint64_t useful_window(const struct tlsyn_conn *conn)
{
    uint64_t cwnd = conn->cc.cwnd, useful;

    if (conn->rack.min_rtt <= 0 || conn->rtt.srtt <= conn->rack.min_rtt)
        return 2 * cwnd;
    useful = 4 * cwnd * (uint64_t)conn->rack.min_rtt / (uint64_t)conn->rtt.srtt;
    useful = useful < QUEUED ? QUEUED : useful;
    return useful < 2 * cwnd ? useful : 2 * cwnd;
}

static void tune_snd(struct tlsyn_conn *conn)
{
    uint32_t max = conn->tcp->cx->limits.snd_ring_max;
    uint64_t wanted = useful_window(conn);

    if (wanted <= conn->snd_max || conn->snd_ring || under_pressure(conn->tcp))
        return;
    conn->snd_max = wanted < max ? (uint32_t)wanted : max;
}

/* Frames that are about to leave refer to the memory: it is not moved while they are in hand. */
static bool can_move(const struct tlsyn_conn *conn)
{
    return !conn->snd.memory || !ip_output_is_open(conn->tcp->ip);
}

ssize_t buffers_snd_room(struct tlsyn_conn *conn, size_t want)
{
    uint32_t used = conn->snd.used;

    if (used == 0)
        ring_rewind(&conn->snd);
    if (conn->snd_max < want || conn->snd_max - want < used)
        tune_snd(conn);
    uint32_t room = used < conn->snd_max ? conn->snd_max - used : 0;
    room = want < room ? (uint32_t)want : room;
    if (room == 0)
        return 0;
    int error = can_move(conn) ? buffers_hold(conn, &conn->snd, used + room, false) : -ENOMEM;
    /* A user with nothing on its way gets no ACK after which it could try again, so it is given a
     * little. Arriving text comes first: only a connection that has a receive ring already may use
     * the last quarter for this. */
    if (error < 0 && !conn->snd.memory) {
        room = room < MEMORY_FIRST ? room : MEMORY_FIRST;
        error = buffers_hold(conn, &conn->snd, room, conn->rcv.memory);
    }
    if (error == 0)
        return room;
    room = held(&conn->snd) - used < room ? held(&conn->snd) - used : room;
    if (room || conn->snd.memory)
        return room;
    conn->snd_refused = true;
    timers_set(conn, TCP_IDLE, conn->tcp->cx->now + ROOM_AGAIN);
    return error;
}

static void tune_rcv(struct tlsyn_conn *conn)
{
    uint32_t max = conn->tcp->cx->limits.rcv_ring_max;
    uint64_t wanted = 2 * (uint64_t)conn->rcv_copied + LATE * conn->rcv_mss;

    if (conn->rtt.srtt > 0 && conn->rtt.srtt < RTT_LEAST && wanted > NEAR_MAX)
        wanted = NEAR_MAX;
    if (wanted <= conn->rcv_max || conn->rcv_ring || under_pressure(conn->tcp))
        return;
    conn->rcv_max = wanted < max ? (uint32_t)wanted : max;
}

void buffers_consumed(struct tlsyn_conn *conn, uint32_t n)
{
    uint32_t now = (uint32_t)conn->tcp->cx->now;
    uint32_t rtt = conn->rtt.srtt ? (uint32_t)conn->rtt.srtt : RTT_UNKNOWN;

    rtt = rtt > RTT_LEAST ? rtt : RTT_LEAST;
    if (conn->rcv.used == 0 && conn->ooo.count == 0 && under_pressure(conn->tcp))
        give_back(conn, &conn->rcv);
    if (now - conn->rcv_copied_since >= rtt) {
        conn->rcv_copied = 0;
        conn->rcv_copied_since = now;
    }
    conn->rcv_copied += n;
    tune_rcv(conn);
}
