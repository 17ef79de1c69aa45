/*
 * tcp/buffers.h: how large a connection's two rings may be, and how large they are.
 *
 *     snd_max, rcv_max: bytes that may be held. What the user asked for, or tuned: 64 KiB at first,
 *                       more as the path turns out to take more, up to limits.snd_ring_max and
 *                       rcv_ring_max. The window that is announced follows rcv_max.
 *     snd.size, rcv.size: bytes of memory. They double as the rings fill; after a second of silence
 *         an empty ring has none.
 *
 * So a wide window costs memory only while something waits in it. All rings together keep to
 * limits.ring_bytes. Once three quarters of that are used, no buffer grows, no more text is taken
 * from users or out of order, and empty rings are freed at once. The last quarter is for text that
 * arrives in order: without it two ends with full send buffers would wait for each other for ever.
 * When all is used, arriving text is dropped, and the peer sends it again.
 */
#ifndef TLSYN_TCP_BUFFERS_H
#define TLSYN_TCP_BUFFERS_H

#include "tcp/conn.h"

/** Bytes of receive buffer that a connection with these options begins with. */
uint32_t buffers_rcv_first(const struct tlsyn_limits *limits,
                           const struct tlsyn_conn_options *options);

/** Both rings, without memory. */
void buffers_init(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options);

/** Other sizes. What is held, or was promised, stays. */
void buffers_resize(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options);

/** Sees to memory for `bytes` from offset 0 on; `vital`: it may be of the last quarter. 0 or
 * -ENOMEM. Views of the ring are no longer valid. */
int buffers_hold(struct tlsyn_conn *conn, struct ring *ring, uint32_t bytes, bool vital);

/** The connection holds memory (a ring's, or the board's) that TCP_IDLE shall give back. */
void buffers_used(struct tlsyn_conn *conn);

/** Bytes that the user may commit now, of `want`, with the memory for them; or -ENOMEM. Tunes
 * the send buffer. */
ssize_t buffers_snd_room(struct tlsyn_conn *conn, size_t want);

/** The user has consumed n bytes: tunes the receive buffer. */
void buffers_consumed(struct tlsyn_conn *conn, uint32_t n);

/** TCP_IDLE has passed: frees the memory of empty rings and of an empty board, and lets a user whom
 * memory was refused try again. */
void buffers_idle_timeout(struct tlsyn_conn *conn);

/** All memory goes, with what it held. */
void buffers_release(struct tlsyn_conn *conn);

#endif
