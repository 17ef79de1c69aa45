/*
 * study/testbed.h: something to measure on: two ends and a link between them.
 *
 *     lab     processes in the laboratory's two hosts, each with our stack over AF_PACKET and the
 *             kernel's with OpenSSL; real packets through real interfaces
 *     memory  both ends of our stack in this process, over a pipe that delays in real time; no
 *             kernel's stack
 *
 * All calls block, and none longer than the timeout and a little. A negative result says that the
 * testbed itself is broken (a process died); what goes wrong in a handshake is in its outcome.
 */
#ifndef STUDY_TESTBED_H
#define STUDY_TESTBED_H

#include "study/link.h"
#include "study/opener.h"

struct testbed;

/** What to build. */
struct testbed_options {
    const struct credentials *credentials;
    enum tlsyn_level level;
    unsigned sessions;  /* a bit per enum study_session that will be asked for */
    bool fast_open;     /* so will the kernel's Fast Open */
    bool quic;          /* and QUIC, where testbed_has_quic() */
    tlsyn_time pad;     /* see responder.h; for all servers */
    tlsyn_time timeout; /* of every wait for the other end */
};

/** How well the link kept its delay, where somebody can tell: since the testbed was opened, and
 * since somebody asked last. */
struct testbed_precision {
    bool known;
    uint64_t frames;
    double p50_us, p99_us, max_us;
    bool realtime;
    struct study_link_seen lately;
};

struct testbed_ops {
    int (*set_link)(struct testbed *, const struct tlsyn_impairment path[2]);
    int (*exchange)(struct testbed *, const struct study_order *, struct study_outcome *);
    /* *error: 0, or why there was no answer */
    int (*probe)(struct testbed *, enum study_stack, enum study_probe, double *us, int *error);
    int (*precision)(struct testbed *, struct testbed_precision *);
    void (*close)(struct testbed *);
};

struct testbed {
    const struct testbed_ops *ops;
    const char *name; /* "lab", "memory" */
    bool has_kernel;
};

enum { TESTBED_MESSAGE_MAX = 640 };

/** Whether the laboratory has QUIC, which tlsyn may have been built without. */
bool testbed_has_quic(void);

/** -EPERM: namespaces are forbidden here; the message has the remedy. */
int testbed_open_lab(const struct testbed_options *options, struct testbed **testbed,
                     char message[TESTBED_MESSAGE_MAX]);
int testbed_open_memory(const struct testbed_options *options, struct testbed **testbed,
                        char message[TESTBED_MESSAGE_MAX]);

/** path[0]: what happens to frames on their way to the server; path[1]: to the client. */
static inline int testbed_set_link(struct testbed *t, const struct tlsyn_impairment path[2])
{
    return t->ops->set_link(t, path);
}

static inline int testbed_exchange(struct testbed *t, const struct study_order *order,
                                   struct study_outcome *outcome)
{
    return t->ops->exchange(t, order, outcome);
}

static inline int testbed_ping(struct testbed *t, enum study_stack stack, double *rtt_us,
                               int *error)
{
    return t->ops->probe(t, stack, STUDY_ECHO, rtt_us, error);
}

/** Until the connection is there for who opened it. */
static inline int testbed_connect(struct testbed *t, enum study_stack stack, double *us, int *error)
{
    return t->ops->probe(t, stack, STUDY_CONNECT, us, error);
}

static inline int testbed_precision(struct testbed *t, struct testbed_precision *precision)
{
    return t->ops->precision(t, precision);
}

static inline void testbed_close(struct testbed *t)
{
    if (t)
        t->ops->close(t);
}

#endif
