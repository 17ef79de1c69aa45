/*
 * tcp/rate.c: delivery rate samples. Read first: draft-ietf-ccwg-bbr 4.1 (before it
 * draft-cheng-iccrg-delivery-rate-estimation).
 *
 *     sent      first_at ......... at               what arrived between, over the longer interval:
 *                    |              \               ACKs may come bunched, but nothing arrives
 *                    |               \              faster than it was sent
 *     delivered   delivered_at ...... now
 */
#include "tcp/rate.h"

void rate_start(struct rate *r, uint32_t delivered, tlsyn_time now)
{
    *r = (struct rate){
        .delivered_at = (uint32_t)now,
        .first_at = (uint32_t)now,
        .app_limited = true, /* up to now there was nothing to send */
        .app_limited_to = delivered,
    };
}

void rate_sent(struct rate *r, uint32_t delivered, uint32_t in_flight)
{
    r->mark = (struct rate_mark){
        .delivered = delivered,
        .lost = r->lost,
        .delivered_at = r->delivered_at,
        .first_at = r->first_at,
        .in_flight = in_flight,
        .app_limited = r->app_limited,
    };
}

void rate_app_limited(struct rate *r, uint32_t delivered, uint32_t in_flight)
{
    r->app_limited = true;
    r->app_limited_to = delivered + in_flight;
}

void rate_arrived(struct rate_sample *s, const struct rate_mark *mark, tlsyn_time sent_at)
{
    if (s->has_data && (int32_t)((uint32_t)sent_at - s->newest) < 0)
        return;
    s->has_data = true;
    s->newest = (uint32_t)sent_at;
    s->mark = *mark;
}

void rate_lost(struct rate *r, const struct rate_mark *mark, uint32_t size)
{
    r->lost += size;
    r->loss = *mark;
    r->loss_size = size;
}

void rate_sample(struct rate *r, struct rate_sample *s, uint32_t delivered, tlsyn_time min_rtt,
                 tlsyn_time now)
{
    if (r->app_limited && (int32_t)(delivered - r->app_limited_to) > 0)
        r->app_limited = false;
    if (!s->has_data)
        return;
    uint32_t sending = s->newest - s->mark.first_at,
             arriving = (uint32_t)now - s->mark.delivered_at;
    uint32_t interval = sending > arriving ? sending : arriving;
    r->first_at = s->newest;
    r->delivered_at = (uint32_t)now;
    s->app_limited = s->mark.app_limited;
    s->prior_delivered = s->mark.delivered;
    s->delivered = delivered - s->mark.delivered;
    s->in_flight = s->mark.in_flight;
    s->lost = r->lost - s->mark.lost;
    /* Shorter than any round trip: what arrived had been sent before too. */
    if (interval == 0 || interval < min_rtt || (int32_t)s->delivered < 0)
        return;
    s->interval = interval;
    s->rate = (uint64_t)s->delivered * TLSYN_SECONDS(1) / interval;
}
