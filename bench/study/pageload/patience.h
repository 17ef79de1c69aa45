/*
 * study/pageload/patience.h: who begins TLS on a connection, and knows no session of its server,
 * while another connection's tickets are due, waits for them: as long as a request waits for a
 * connection (web/carrier.h).
 *
 * What is one instant to a model comes one after the other here. Connections are opened side by
 * side as soon as the first one is up; of the tickets that its server sends with its Finished those
 * that fit into that segment are known then, the others in a moment (our stack); or they come when
 * the kernel has already answered the SYNs of the connections that were opened beside (OpenSSL's).
 *
 *     patience_join -> { patience_waits -> go_on } -> patience_up -> patience_heard
 *     patience_leave, at any time
 *
 * Pure: its carrier has the sessions and the clock. Times are microseconds.
 */
#ifndef STUDY_PAGELOAD_PATIENCE_H
#define STUDY_PAGELOAD_PATIENCE_H

#include <stdbool.h>

struct patience;

/** A connection, as it is seen here. */
struct patient {
    struct patience *patience;
    struct patient *next, **link; /* in the patience's */
    const char *name;             /* of the server; the connection's */
    bool up;                      /* its tickets are due, */
    bool heard;                   /* until it hears something else: what a server sends first */
    bool waits;
    double until;
};

struct patience_ops {
    /** How many sessions of this server there are for who begins now. */
    int (*known)(const struct patience *, const char *name);
    /** patience_expired() is to come in so long, in place of what was asked for before; 0: soon,
     * but from no event of a connection. 0 or -errno. */
    int (*alarm)(struct patience *, double us);
    /** Who waited begins. It may free any of them. */
    void (*go_on)(struct patient *);
};

/** One per carrier. */
struct patience {
    const struct patience_ops *ops;
    struct patient *all;
    bool rings;      /* the alarm does, or is about to */
    double us;       /* how long is waited; 0: as web/carrier.h says */
    double shortest; /* round trip that was seen; 0: none */
};

void patience_join(struct patience *patience, struct patient *patient, const char *name);

/** Harmless for one that has not joined. */
void patience_leave(struct patient *patient);

/** A server has answered after so long. */
void patience_answered(struct patience *patience, double us);

/** Asked when it could begin. True: it waits, and go_on comes. */
bool patience_waits(struct patient *patient, double now);

/** It begins in any case from the alarm: soon, or when it need not wait any more. 0 or -errno. */
int patience_queue(struct patient *patient, double now);

/** Its handshake is over; it has heard something behind the tickets. */
void patience_up(struct patient *patient);
void patience_heard(struct patient *patient);

/** Sessions may have come, or are due no more: at the end of each event of a connection. */
void patience_look(struct patience *patience);

/** The alarm. */
void patience_expired(struct patience *patience, double now);

#endif
