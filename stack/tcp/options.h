/*
 * tcp/options.h: which options a connection offers, which it accepts, and what follows
 * for its segments.
 */
#ifndef TLSYN_TCP_OPTIONS_H
#define TLSYN_TCP_OPTIONS_H

#include "tcp/conn.h"

/** The MSS and the window scale that a SYN or SYN-ACK announces. */
uint16_t tcp_mss_to_announce(const struct tlsyn_conn_options *options, const struct ip_path *path);
uint8_t tcp_wscale_to_announce(const struct tlsyn_limits *limits);

/** The MSS that a peer's SYN asks for, or the default of its address's family. */
uint16_t tcp_peer_mss(const struct tcp_options *theirs, const struct tlsyn_addr *peer);

/** What we announce: MSS from the path, window scale from the receive ring's bound. */
void tcp_options_offer(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options,
                       const struct ip_path *path);

/** Takes the options of the peer's SYN or SYN-ACK: what both ends have is in force from now on
 * (RFC 7323 2.2, 3.2; RFC 2018 2). */
void tcp_options_accept(struct tlsyn_conn *conn, const struct tcp_options *theirs);

/** The options of a segment that is about to leave; `flags` tells SYN and SYN-ACK from the
 * others. */
void tcp_options_fill(const struct tlsyn_conn *conn, uint8_t flags, struct tcp_options *ours);

/** Text bytes that fit a segment sent now, beside the SACK blocks that it must carry (RFC 9293
 * 3.7.1, RFC 6691). */
uint16_t tcp_send_mss(const struct tlsyn_conn *conn);

/** Text bytes of a full-sized segment of the peer's: what we announced, timestamps counted off. */
uint16_t tcp_rcv_full(const struct tlsyn_conn *conn);

/** Our timestamp clock: milliseconds (RFC 7323 5.4), with an offset per connection. */
uint32_t tcp_ts_now(const struct tlsyn_conn *conn);

/** Milliseconds: the echo of an older timestamp can't be one of ours. */
#define TCP_ECHO_AGE_MAX 120000

/** Datagrams have no more than `mtu` octets from now on: the MSS follows (tcp/mtu.h decides). */
void tcp_set_path_mtu(struct tlsyn_conn *conn, uint16_t mtu);

#endif
