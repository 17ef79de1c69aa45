/*
 * study/pageload/carrier_parts.h: what the files of our stack's carrier share. Private to them.
 *
 *     carrier_stack.c   the carrier's calls: connections are opened, written to and closed
 *     carrier_events.c  what TCP and the engine tell of a connection
 *     carrier_stream.c  a connection's life, which both of them move on
 *     carrier_clock.c   time and names
 */
#ifndef STUDY_PAGELOAD_CARRIER_PARTS_H
#define STUDY_PAGELOAD_CARRIER_PARTS_H

#include "study/pageload/carrier_stack.h"
#include "study/pageload/patience.h"

#define CARRIER_EARLY_MAX 4096 /* bytes of a first flight's data: a request */

struct carrier_alarm {
    struct tlsyn_loop_watch watch;
    int timer; /* timerfd; -1: not open */
};

struct carrier_stack {
    struct carrier base; /* first member */
    struct carrier_stack_options options;
    struct tlsyn_resolver *resolver;
    struct carrier_alarm due, patient; /* for the reminder, for who waits for a session */
    struct carrier_reminder *reminder;
    struct patience patience;
    struct carrier_name *names; /* that are being looked up */
};

/* Each is TCP's handler, and passes the events on to the engine once there is one. */
struct stack_stream {
    struct carrier_stream base; /* first member */
    struct tlsyn_handler tcp;   /* what TCP calls */
    struct tlsyn_handler app;   /* what the engine calls */
    struct carrier_user *user;
    struct tlsyn_endpoint remote;
    char name[256];
    struct patient patient;  /* before TLS begins */
    tlsyn_time opened;       /* when its SYN was made */
    struct tlsyn_conn *conn; /* while it lives */
    struct tlsyn_tls *tls;
    bool lazy;        /* the engine waits for the first write */
    bool up;          /* the user was told, or knows */
    bool established; /* the engine's handshake is over */
    int busy;         /* events that are being delivered */
    bool closed;      /* by the user, while busy */
    char first[CARRIER_EARLY_MAX];
    size_t first_len, first_early; /* early: so much of it left as early data */
};

static inline struct carrier_stack *carrier_stack_of(struct carrier *carrier)
{
    return (struct carrier_stack *)carrier;
}

static inline const struct carrier_stack_options *stack_stream_options(const struct stack_stream *s)
{
    return &carrier_stack_of(s->base.carrier)->options;
}

/** The handlers of a new stream. */
void stack_stream_init(struct stack_stream *s);

/** An event begins, or a call that leads to some; and is over: what the user closed meanwhile goes
 * with the last of them. */
void stack_stream_enter(struct stack_stream *s);
void stack_stream_leave(struct stack_stream *s);

/** With its connection. */
void stack_stream_free(struct stack_stream *s);

/** Whether TLS begins with the first write, for there is a session that allows early data. */
bool stack_stream_is_lazy(const struct stack_stream *s);

/** 0 or -errno. */
int stack_stream_connect(struct stack_stream *s);

/** The engine begins on the connection. 0 or -errno. */
int stack_stream_begin_tls(struct stack_stream *s, struct tlsyn_conn *conn);

/** The same behind TCP's handshake: the engine hears that it is over. */
int stack_stream_begin_late(struct stack_stream *s);

/** The events of the engine, once it has begun, and the handler that they are told to. */
const struct tlsyn_conn_events *stack_stream_engine(const struct stack_stream *s,
                                                    struct tlsyn_handler **tls);

/** Whom patience lets go on. */
void stack_stream_go_on(struct patient *patient);

/* The carrier's. */
int carrier_clock_open(struct carrier_stack *c);
void carrier_clock_close(struct carrier_stack *c);
double carrier_clock_now(struct carrier *carrier);
int carrier_clock_remind(struct carrier *carrier, double us, struct carrier_reminder *reminder);
int carrier_clock_resolve(struct carrier *carrier, const char *name, struct carrier_lookup *lookup);

#endif
