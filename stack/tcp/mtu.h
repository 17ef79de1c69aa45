/*
 * tcp/mtu.h: how large the datagrams of a connection may be: by ICMP's word, by their
 * silent disappearance, by probing upward. Read first: RFC 4821 5 to 7, RFC 5927 7,
 * RFC 1191 6, RFC 8201 5.
 *
 *              path                     high               limit
 *     ----------|------------------------|------------------|----> octets
 *         what we send now      nothing above it passed   link, and the peer's MSS
 *
 * Down. A router's "too big" is believed about what is outstanding. If it denies what has passed
 * before, then only when the segment does not get through (RFC 5927 7.2). A path that swallows
 * large segments without a word shows itself by the third timeout in a row of a full-sized one:
 * `path` falls in steps.
 *
 * Up. While path < limit, a segment of new text is now and then made larger: the probe. If it is
 * the only one that is lost, the path is the reason, not congestion (RFC 4821 7.4), and its text
 * goes again in smaller pieces. The first probe tries the whole limit, the next ones what a router
 * has said of it, or else halve what remains. Ten minutes after the search has ended it begins
 * anew. Only with SACK: without, one loss can't be told from several.
 */
#ifndef TLSYN_TCP_MTU_H
#define TLSYN_TCP_MTU_H

#include <tlsyn/types.h>

#include "wire/seq.h"

struct ip_path;
struct tlsyn_conn;

/* What one sequence number is kept for. */
enum mtu_pending {
    MTU_NOTHING = 0,
    MTU_PROBE, /* begins there, and is on its way */
    MTU_CLAIM, /* a too-big that speaks of it waits for it to time out */
};

struct mtu {
    uint32_t search_at; /* milliseconds of the clock: no probe before */
    tcp_seq seq;
    uint16_t asked; /* octets of the probe, or of the claim */
    uint16_t path, high;
    enum mtu_pending pending : 8;
    bool proved : 1;  /* segments of this size were acknowledged */
    bool told : 1;    /* by a router: a probe of `high` will pass */
    bool guessed : 1; /* path fell by timeouts; nothing was acknowledged since */
};

/** Nothing is known but the route's MTU; before the options are settled. */
void tcp_mtu_init(struct tlsyn_conn *conn, const struct ip_path *path);

/** The peer's MSS is known: so is the limit, and the MSS follows. */
void tcp_mtu_settle(struct tlsyn_conn *conn);

/** A router says that the segment with this number, which is outstanding, was longer than `mtu`. */
void tcp_mtu_too_big(struct tlsyn_conn *conn, tcp_seq seq, uint16_t mtu);

/** The retransmission timer expired for text, and was backed off. Before anything is marked
 * lost. */
void tcp_mtu_timeout(struct tlsyn_conn *conn);

/** So many bytes of text were acknowledged, up to snd_una. */
void tcp_mtu_acked(struct tlsyn_conn *conn, uint32_t text);

/** Something was just found lost. True: only the probe, which is no sign of congestion. */
bool tcp_mtu_probe_lost(struct tlsyn_conn *conn);

/** Text bytes of the probe that should leave next, at snd_nxt, as soon as cwnd has room for it: it
 * is worth waiting for. `window`: bytes that the peer's window allows, `rest`: committed from there
 * on. 0: none is due. */
uint32_t tcp_mtu_probe_due(const struct tlsyn_conn *conn, uint32_t window, uint32_t rest);

/** It leaves, with `from` as its first byte. */
void tcp_mtu_probe_sent(struct tlsyn_conn *conn, tcp_seq from);

/** True of the probe that has just been announced by tcp_mtu_probe_sent(): one segment, however
 * long. */
bool tcp_mtu_is_probe(const struct tlsyn_conn *conn, tcp_seq seq, uint32_t len);

#endif
