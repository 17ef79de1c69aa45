/*
 * tcp/rack.h: RFC 8985: loss is detected by time, not by counting: what was sent sufficiently
 * before something that has arrived is lost; and the state of the tail loss probe.
 */
#ifndef TLSYN_TCP_RACK_H
#define TLSYN_TCP_RACK_H

#include "tcp/sack.h"

struct rack {
    /* RACK.xmit_ts and RACK.end_seq: of all segments that have arrived, the one that was sent most
     * recently (RFC 8985 5) */
    tlsyn_time xmit_at;
    tcp_seq end_seq;
    tlsyn_time timed_from; /* what left until then waited for ARP or NDP: measures no round trip */
    int32_t rtt;           /* RACK.rtt, of what arrived last; 0: nothing has yet */
    int32_t min_rtt;       /* 0: none yet */
    uint32_t min_rtt_at;   /* seconds */
    tcp_seq fack;          /* the highest that has arrived */
    tcp_seq dsack_round;   /* while in_dsack_round: snd_nxt at the D-SACK that widened the window */
    uint8_t reo_wnd_mult;  /* quarters of min_rtt */
    uint8_t reo_wnd_persist;
    bool reordering_seen;
    bool in_dsack_round;

    /* Tail loss probe (RFC 8985 7.1) */
    tcp_seq tlp_end_seq;
    bool tlp_outstanding, tlp_is_retrans;
};

void rack_init(struct rack *r, tcp_seq iss);

/** A round trip of the connection; min_rtt is the smallest of the last minutes (RFC 8985 6.2 step
 * 1). */
void rack_min_rtt(struct rack *r, tlsyn_time sample, tlsyn_time now);

/** A piece has arrived (RFC 8985 6.2 steps 2 and 3). `echo`: the ACK's timestamp in milliseconds of
 * our clock; NULL: it has none. Returns the round trip that it measures, or 0 for none: it was sent
 * more than once (Karn's algorithm). */
tlsyn_time rack_update(struct rack *r, const struct piece *p, tlsyn_time now, const uint32_t *echo);

/** Once per ACK; `dsack`: it reports a duplicate that no tail loss probe explains: the reordering
 * window widens or, 16 recoveries later, narrows (6.2 step 4). */
void rack_adapt(struct rack *r, tcp_seq una, tcp_seq nxt, bool dsack, bool recovered);

/** RACK.reo_wnd; `impatient`: in recovery, or so much is sacked that a detector by counting would
 * have seen a loss. */
tlsyn_time rack_reo_wnd(const struct rack *r, tlsyn_time srtt, bool impatient);

/** 6.2 step 5: marks pieces lost; true if there were any. *wait: when to look again, 0: no need. */
bool rack_detect_loss(struct rack *r, struct board *b, tlsyn_time reo_wnd, tlsyn_time now,
                      tlsyn_time *wait);

/** 6.3: the retransmission timer expired: the first piece is lost, and all that were sent a
 * round trip ago. */
void rack_timeout(struct rack *r, struct board *b, tlsyn_time reo_wnd, tlsyn_time now);

/** 7.2: PTO, for a flight of one segment or more; srtt 0: not measured. */
tlsyn_time rack_pto(tlsyn_time srtt, bool one_segment, tlsyn_time max_ack_delay);

/** 7.4.2. `ack` is snd_una by now; `advanced`: it moved; `empty`: without SACK block, text or
 * window update. True: the probe repaired a loss that nothing else will report. */
bool rack_tlp_on_ack(struct rack *r, tcp_seq ack, bool advanced, const struct sack_view *view,
                     bool empty);

#endif
