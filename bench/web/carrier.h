/*
 * web/carrier.h: what a page loader needs of a network: names, TLS connections, a clock. Our
 * stack carries it with its engine: study/pageload/carrier_stack.h.
 *
 *     carrier_resolve -> on_resolved
 *     carrier_open -> on_begun, on_up, { carrier_write, on_bytes }* -> on_end, or carrier_close
 *
 * Events come while the carrier is turned by its owner, never from within the calls here; the calls
 * may be made within events. Times are microseconds of one clock.
 */
#ifndef WEB_CARRIER_H
#define WEB_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <tlsyn/types.h>

#define CARRIER_SENTENCE_MAX 200

/** What happens at one instant of a model happens one after the other here: how long is waited, in
 * microseconds, for what is due where round trips take so long. */
static inline double carrier_patience(double round_trip)
{
    double least = 2000, share = 0.05 * round_trip;

    return share > least ? share : least;
}

struct carrier;
struct carrier_stream;

/** Who asked for a name. */
struct carrier_lookup {
    /** Once. `error` 0: the address; else -errno, and why. */
    void (*on_resolved)(struct carrier_lookup *, const struct tlsyn_addr *address, int error,
                        const char *sentence);
};

/** Who wants to hear in a while. */
struct carrier_reminder {
    void (*on_time)(struct carrier_reminder *);
};

/** How a connection came to be; known when it is up. */
struct carrier_facts {
    bool resumed, early; /* a session was; what was written first left as early data */
    bool h2;             /* agreed on by ALPN */
};

/** Who uses a connection. */
struct carrier_user {
    const struct carrier_events *events;
};

struct carrier_events {
    /** TCP's handshake is over, where it comes first, and TLS's begins. */
    void (*on_begun)(struct carrier_user *);
    /** What is written leaves. */
    void (*on_up)(struct carrier_user *);
    /** There is room to write again. */
    void (*on_room)(struct carrier_user *);
    void (*on_bytes)(struct carrier_user *, const char *bytes, size_t n);
    /** The last event: the server's end (0), or why it failed (-errno, and a sentence). */
    void (*on_end)(struct carrier_user *, int error, const char *sentence);
};

struct carrier_target {
    struct tlsyn_endpoint remote;
    const char *name; /* of the server; copied */
};

struct carrier_ops {
    double (*now)(struct carrier *);
    int (*resolve)(struct carrier *, const char *name, struct carrier_lookup *lookup);
    int (*remind)(struct carrier *, double us, struct carrier_reminder *reminder);
    int (*open)(struct carrier *, const struct carrier_target *, struct carrier_user *,
                struct carrier_stream **);
    ssize_t (*write)(struct carrier_stream *, const char *bytes, size_t n);
    void (*facts)(const struct carrier_stream *, struct carrier_facts *);
    void (*close)(struct carrier_stream *);
};

/** First member of a carrier, and of its streams. */
struct carrier {
    const struct carrier_ops *ops;
};

struct carrier_stream {
    struct carrier *carrier;
};

static inline double carrier_now(struct carrier *carrier)
{
    return carrier->ops->now(carrier);
}

/** 0, or -errno: then on_resolved does not come. */
static inline int carrier_resolve(struct carrier *carrier, const char *name,
                                  struct carrier_lookup *lookup)
{
    return carrier->ops->resolve(carrier, name, lookup);
}

/** on_time comes once, after so long; in place of one that was asked for before, and has not come.
 * NULL: none any more. 0 or -errno. */
static inline int carrier_remind(struct carrier *carrier, double us,
                                 struct carrier_reminder *reminder)
{
    return carrier->ops->remind(carrier, us, reminder);
}

/** 1: it is begun, and up at once, for its session allows early data: the handshake waits for the
 * first bytes that are written. 0: events will tell. -errno: there is no stream. */
static inline int carrier_open(struct carrier *carrier, const struct carrier_target *target,
                               struct carrier_user *user, struct carrier_stream **stream)
{
    return carrier->ops->open(carrier, target, user, stream);
}

/** As much as there is room for: the count, 0: on_room comes. -errno: on_end comes. */
static inline ssize_t carrier_write(struct carrier_stream *stream, const char *bytes, size_t n)
{
    return stream->carrier->ops->write(stream, bytes, n);
}

static inline void carrier_facts(const struct carrier_stream *stream, struct carrier_facts *facts)
{
    stream->carrier->ops->facts(stream, facts);
}

/** Ends and frees it, whatever its state; no event will come. */
static inline void carrier_close(struct carrier_stream *stream)
{
    stream->carrier->ops->close(stream);
}

#endif
