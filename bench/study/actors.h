/*
 * study/actors.h: the processes in the laboratory's hosts, and how the harness speaks with them.
 *
 *     harness --request--> client actor --packets--> server actor
 *             <--reply----
 *
 * Each actor has one end of a socket pair that keeps messages apart (SOCK_SEQPACKET); messages are
 * the structures below, as both ends are the same program. An actor says READY once it can work (or
 * why it can't), then answers one request at a time; servers get none. When the harness hangs up,
 * the actor ends; if the harness is gone, the laboratory ends it. Ctrl-C is the harness's business:
 * actors ignore SIGINT, for the terminal sends it to them, too.
 */
#ifndef STUDY_ACTORS_H
#define STUDY_ACTORS_H

#include "study/testbed.h"

enum actor_role {
    ACTOR_STACK_CLIENT,
    ACTOR_STACK_SERVER,
    ACTOR_KERNEL_CLIENT,
    ACTOR_KERNEL_SERVER,
    ACTOR_QUIC_CLIENT, /* these two only if they are asked for */
    ACTOR_QUIC_SERVER,
    ACTORS
};

/** What an actor is given; lives in the harness's memory, of which the child has a copy. */
struct actor_part {
    enum actor_role role;
    int control; /* the actor's end */
    const struct testbed_options *options;
};

enum actor_request_kind { ACTOR_EXCHANGE, ACTOR_PROBE };

struct actor_request {
    enum actor_request_kind kind;
    enum study_probe probe;   /* of ACTOR_PROBE */
    struct study_order order; /* of ACTOR_EXCHANGE */
};

struct actor_reply {
    int error;                         /* READY and ACTOR_PROBE: 0 or -errno */
    double probe_us;                   /* of ACTOR_PROBE */
    struct study_outcome outcome;      /* of ACTOR_EXCHANGE */
    char message[TESTBED_MESSAGE_MAX]; /* READY with an error */
};

/** For lab_spawn(): plays the struct actor_part that `argument` points to; the exit status. */
int actor_main(void *argument);

/** Sends one whole message. 0 or -errno. */
int actor_send(int fd, const void *message, size_t size);

/** Receives one whole message, waiting at most timeout_ms (negative: for ever). 0, -ETIMEDOUT,
 * -EPIPE (the other end is gone), -EPROTO (a message of another size), or another -errno. */
int actor_receive(int fd, void *message, size_t size, int timeout_ms);

/** Closes the harness's end of a pair, so that the other end reads that it has: actors were forked
 * with copies of this one, their own pair's too, and to close it alone tells nobody. */
void actor_hang_up(int fd);

#endif
