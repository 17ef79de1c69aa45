/*
 * tcp/rate.h: delivery rate samples: how many bytes per second the network delivered between the
 * sending of a segment and its ACK.
 *
 * The state stands with the board (tcp/sack.h) and lives as long: once nothing is on its way, none
 * of it is needed.
 */
#ifndef TLSYN_TCP_RATE_H
#define TLSYN_TCP_RATE_H

#include <tlsyn/types.h>

/** What a transmission remembers of the moment at which it left (P.* of the draft). Counts and
 * times wrap: differences are what counts. */
struct rate_mark {
    uint32_t delivered;    /* bytes that had arrived */
    uint32_t lost;         /* bytes that had been lost */
    uint32_t delivered_at; /* microseconds */
    uint32_t first_at;     /* microseconds: where the interval of sending begins */
    uint32_t in_flight;    /* bytes, with this */
    bool app_limited;
};

/** The connection's side (C.*). */
struct rate {
    uint32_t delivered_at, first_at;
    uint32_t lost;
    uint32_t app_limited_to; /* delivered, until when samples speak of the application */
    bool app_limited;
    struct rate_mark mark; /* of what leaves now */
    struct rate_mark loss; /* of what was lost last */
    uint32_t loss_size;    /* bytes of that; 0: no news */
};

/** One ACK's sample (RS.*). */
struct rate_sample {
    bool has_data;
    bool app_limited;
    uint32_t prior_delivered;
    uint32_t delivered;  /* bytes over the interval */
    tlsyn_time interval; /* microseconds; 0: no reliable sample */
    uint64_t rate;       /* bytes per second; 0: no reliable sample */
    uint32_t in_flight;  /* bytes, when the newest arrival was sent */
    uint32_t lost;       /* bytes lost since then */
    uint32_t newest;     /* when that was, microseconds */
    struct rate_mark mark;
};

/** Something is about to leave while nothing is on its way. */
void rate_start(struct rate *r, uint32_t delivered, tlsyn_time now);

/** The next transmission, with `in_flight` bytes then on their way. */
void rate_sent(struct rate *r, uint32_t delivered, uint32_t in_flight);

/** There is room in cwnd and nothing to send: what is on its way shows how fast the application is,
 * and not the network. */
void rate_app_limited(struct rate *r, uint32_t delivered, uint32_t in_flight);

/** A transmission of `sent_at` has arrived. */
void rate_arrived(struct rate_sample *s, const struct rate_mark *mark, tlsyn_time sent_at);

/** A transmission of `size` bytes is lost. */
void rate_lost(struct rate *r, const struct rate_mark *mark, uint32_t size);

/** All of an ACK's arrivals are known. */
void rate_sample(struct rate *r, struct rate_sample *s, uint32_t delivered, tlsyn_time min_rtt,
                 tlsyn_time now);

#endif
