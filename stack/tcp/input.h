/*
 * tcp/input.h: what a step of SEGMENT ARRIVES says about going on.
 */
#ifndef TLSYN_TCP_INPUT_H
#define TLSYN_TCP_INPUT_H

/** tcp_input() acts on it, in one place. */
enum tcp_verdict {
    TCP_NEXT = 0, /* the next step */
    TCP_DROP,     /* no more with this segment */
    TCP_DROP_ACK, /* ... and answer it with a (rate-limited) ACK */
    TCP_DROP_RST, /* ... and answer it with a RST taken from it */
    TCP_GONE,     /* the connection is over */
};

#endif
