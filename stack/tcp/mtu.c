/*
 * tcp/mtu.c: path MTU discovery of a connection. The theory: mtu.h. Read first: RFC 4821
 * 7, RFC 5927 7.2.
 */
#include "tcp/mtu.h"

#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/segment.h"

#define SEARCH_END 16 /* octets: the search ends that close to the truth (RFC 4821 7.3) */
#define TIMEOUTS   3  /* in a row: two may be an outage (RFC 4821 7.7 leaves it open) */
#define PAUSE      TLSYN_MS(500) /* between probes */
#define BEHIND     3             /* segments behind a probe, so that its loss is noticed */

/* The sizes tried on a path that swallows larger ones: what IPv6 demands of every link, then what
 * every IPv4 host takes. */
static const uint16_t step[] = {1280, 576};

enum tcp_mtu_event { TOO_BIG, BLACK_HOLE, PROBE, PROBE_PASSED, PROBE_FAILED };

static void trace(const struct tlsyn_conn *conn, uint16_t mtu, enum tcp_mtu_event what)
{
    TRACE(conn->tcp->cx, tcp_mtu, conn->number, mtu, what);
}

/* --- the size --------------------------------------------------------------------------------- */

static uint32_t milliseconds(const struct tlsyn_conn *conn)
{
    return (uint32_t)(conn->tcp->cx->now / 1000);
}

static void search_in(struct tlsyn_conn *conn, tlsyn_time wait)
{
    conn->mtu.search_at = milliseconds(conn) + (uint32_t)(wait / 1000);
}

/* MUST-16: IP's options come out of the segment. */
static uint16_t limit_of(const struct tlsyn_conn *conn)
{
    uint16_t mss = conn->peer_mss < conn->rcv_mss ? conn->peer_mss : conn->rcv_mss;
    uint32_t limit = (uint32_t)mss + ip_header_len(&conn->remote.addr) + TCP_HEADER_LEN;

    return limit < UINT16_MAX ? (uint16_t)limit : UINT16_MAX;
}

void tcp_mtu_init(struct tlsyn_conn *conn, const struct ip_path *path)
{
    conn->mtu = (struct mtu){.path = path->mtu, .high = path->mtu};
}

void tcp_mtu_settle(struct tlsyn_conn *conn)
{
    struct mtu *m = &conn->mtu;
    uint16_t limit = limit_of(conn);

    m->path = m->path < limit ? m->path : limit;
    m->high = m->path;
    search_in(conn, PMTU_AGE); /* the cache, if it knew of this path, was right just now */
    tcp_set_path_mtu(conn, m->path);
}

/* When segments grow, cwnd stays what it is in bytes: what were added would leave as a burst. */
static void set_path(struct tlsyn_conn *conn, uint16_t mtu)
{
    uint32_t cwnd = conn->cc.cwnd;

    conn->mtu.path = mtu;
    tcp_set_path_mtu(conn, mtu);
    if (conn->cc.cwnd > cwnd)
        conn->cc.cwnd = cwnd > conn->cc.smss ? cwnd : conn->cc.smss;
}

static void learn(const struct tlsyn_conn *conn)
{
    ip_learn_mtu(conn->tcp->ip, &conn->remote.addr, conn->mtu.path);
}

static bool searching(const struct mtu *m)
{
    return m->high >= m->path + SEARCH_END;
}

/* One past the probe: its text is as much longer as its datagram is. */
static tcp_seq probe_end(const struct tlsyn_conn *conn)
{
    const struct mtu *m = &conn->mtu;

    return m->seq + conn->mss + (uint32_t)(m->asked - m->path);
}

/* --- down ------------------------------------------------------------------------------------- */

/* A router's word is the end of any search for ten minutes. (R5927-2) */
static void believe(struct tlsyn_conn *conn, uint16_t mtu)
{
    struct mtu *m = &conn->mtu;

    trace(conn, mtu, TOO_BIG);
    m->high = mtu;
    m->told = false;
    m->pending = MTU_NOTHING;
    m->proved = false;
    search_in(conn, PMTU_AGE);
    set_path(conn, mtu);
    learn(conn);
}

static void probe_failed(struct tlsyn_conn *conn)
{
    struct mtu *m = &conn->mtu;

    count(conn->tcp->cx, TLSYN_COUNT_tcp_mtup_fail);
    trace(conn, m->asked, PROBE_FAILED);
    m->high = (uint16_t)(m->asked - 1);
    m->pending = MTU_NOTHING;
    search_in(conn, searching(m) ? PAUSE : PMTU_AGE);
}

/* RFC 5927 7.2: the message contradicts what was acknowledged before. It is believed once the first
 * segment that it speaks of has timed out. */
static void defer(struct mtu *m, tcp_seq seq, uint16_t mtu)
{
    if (m->pending != MTU_CLAIM || seq_lt(seq, m->seq))
        m->seq = seq;
    m->asked = mtu;
    m->pending = MTU_CLAIM;
}

void tcp_mtu_too_big(struct tlsyn_conn *conn, tcp_seq seq, uint16_t mtu)
{
    struct mtu *m = &conn->mtu;
    uint16_t least = pmtu_least(&conn->remote.addr);

    mtu = mtu > least ? mtu : least;
    if (m->pending == MTU_PROBE && seq == m->seq && mtu < m->asked && mtu >= m->path) {
        probe_failed(conn); /* its text goes again when RACK finds it lost */
        m->high = mtu;
        m->told = searching(m); /* RFC 4821 7.6.2: the next one tries what the router says */
        search_in(conn, m->told ? 0 : PMTU_AGE);
        return;
    }
    if (mtu >= m->path)
        return; /* our segments fit that: the message is forged, or late */
    if (m->proved) {
        defer(m, seq, mtu);
        return;
    }
    believe(conn, mtu);
    if (!tcp_synchronized(conn))
        return;
    tcp_send_all_again(conn); /* RFC 1191 6.4: at once, in smaller pieces */
    tcp_set_ready(conn);
}

static void fall(struct tlsyn_conn *conn)
{
    struct mtu *m = &conn->mtu;
    uint32_t flight = tcp_flight_size(conn);
    uint32_t room = conn->mss > flight ? conn->mss - flight : 0; /* left in the lost segment */
    uint16_t least = pmtu_least(&conn->remote.addr);

    for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
        if (step[i] + room >= m->path || step[i] < least)
            continue; /* what got lost was not longer than that */
        count(conn->tcp->cx, TLSYN_COUNT_tcp_mtu_black_hole);
        trace(conn, step[i], BLACK_HOLE);
        m->high = limit_of(conn);
        m->told = false;
        m->guessed = true;
        m->proved = false;
        set_path(conn, step[i]);
        return;
    }
}

void tcp_mtu_timeout(struct tlsyn_conn *conn)
{
    struct mtu *m = &conn->mtu;

    if (m->pending == MTU_PROBE) { /* nothing is learnt of a probe among other losses */
        m->pending = MTU_NOTHING;
        search_in(conn, PMTU_AGE);
    }
    if (m->pending == MTU_CLAIM && m->seq == conn->snd_una)
        believe(conn, m->asked);
    else if (conn->rtt.backoffs >= TIMEOUTS)
        fall(conn);
}

/* --- up --------------------------------------------------------------------------------------- */

static void probe_passed(struct tlsyn_conn *conn)
{
    struct mtu *m = &conn->mtu;

    count(conn->tcp->cx, TLSYN_COUNT_tcp_mtup_success);
    trace(conn, m->asked, PROBE_PASSED);
    m->pending = MTU_NOTHING;
    m->proved = true;
    set_path(conn, m->asked);
    search_in(conn, searching(m) ? PAUSE : PMTU_AGE);
    learn(conn);
}

void tcp_mtu_acked(struct tlsyn_conn *conn, uint32_t text)
{
    struct mtu *m = &conn->mtu;

    if (m->pending == MTU_CLAIM && seq_gt(conn->snd_una, m->seq))
        m->pending = MTU_NOTHING; /* it passed: the claim was wrong */
    if (m->pending == MTU_PROBE && seq_geq(conn->snd_una, probe_end(conn)))
        probe_passed(conn);
    if (text < conn->mss)
        return;
    m->proved = true;
    if (!m->guessed)
        return;
    m->guessed = false; /* the smaller size does pass */
    search_in(conn, 0);
    learn(conn);
}

bool tcp_mtu_probe_lost(struct tlsyn_conn *conn)
{
    struct mtu *m = &conn->mtu;
    tcp_seq end = probe_end(conn);
    uint32_t len;

    if (m->pending != MTU_PROBE)
        return false;
    const struct piece *lost = board_first_lost(&conn->board, &len);
    if (!lost || seq_geq(lost->from, end))
        return false;
    if (lost->from == m->seq && lost->from + len == end && conn->board.lost == len) {
        probe_failed(conn);
        return true;
    }
    m->pending = MTU_NOTHING; /* RFC 4821 7.4: with others lost beside it, it tells nothing */
    search_in(conn, PAUSE);
    return false;
}

/* Octets of the next probe. */
static uint16_t next_size(const struct tlsyn_conn *conn)
{
    const struct mtu *m = &conn->mtu;
    uint16_t limit = limit_of(conn);

    if (m->told)
        return m->high;
    if (!searching(m) || m->high >= limit) /* it begins, or is over and was long ago */
        return limit;
    return (uint16_t)(m->path + (m->high - m->path + 1) / 2);
}

static bool probe_is_useful(const struct tlsyn_conn *conn)
{
    const struct mtu *m = &conn->mtu;

    return limit_of(conn) >= m->path + SEARCH_END && m->pending == MTU_NOTHING && !m->guessed &&
           (int32_t)(milliseconds(conn) - m->search_at) >= 0 && conn->sack_ok &&
           tcp_synchronized(conn);
}

/* RFC 4821 7.2 and 7.4: no loss goes on that could be confused with that of the probe. */
static bool all_is_quiet(const struct tlsyn_conn *conn)
{
    return !conn->in_recovery && !conn->after_timeout && conn->board.lost == 0 &&
           conn->board.sacked == 0 && !conn->rack.tlp_outstanding &&
           tcp_send_mss(conn) == conn->mss;
}

uint32_t tcp_mtu_probe_due(const struct tlsyn_conn *conn, uint32_t window, uint32_t rest)
{
    if (!probe_is_useful(conn) || !all_is_quiet(conn))
        return 0;
    uint32_t len = conn->mss + (uint32_t)(next_size(conn) - conn->mtu.path);
    uint32_t needed = len + BEHIND * (uint32_t)conn->mss;

    return window >= needed && rest >= needed && conn->cc.cwnd >= needed ? len : 0;
}

void tcp_mtu_probe_sent(struct tlsyn_conn *conn, tcp_seq from)
{
    struct mtu *m = &conn->mtu;

    m->asked = next_size(conn);
    m->told = false;
    m->high = m->high > m->asked ? m->high : m->asked;
    m->pending = MTU_PROBE;
    m->seq = from;
    trace(conn, m->asked, PROBE);
}

bool tcp_mtu_is_probe(const struct tlsyn_conn *conn, tcp_seq seq, uint32_t len)
{
    return conn->mtu.pending == MTU_PROBE && seq == conn->mtu.seq && seq + len == probe_end(conn);
}
