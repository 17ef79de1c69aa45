/* Ladder diagrams: one TCP connection of a capture, drawn as the messages that its ends exchanged.
 *
 *   capture file --ladder_read--> struct ladder (a list of events) --ladder_text / ladder_svg-->
 * out
 *
 * Reading takes any pcap or pcapng file of Ethernet (with VLAN tags), Linux cooked or raw IP, and
 * trusts nothing in it: lengths are checked against what was captured, memory is bounded by the
 * limits below whatever the file says. Drawing sees events only.
 *
 * The first SYN (without ACK) that fits chooses the connection. TLS records and handshake messages
 * are found by putting the first LADDER_STREAM_MAX bytes of each direction in order, so a message
 * that spans segments is named on each of them ("Certificate..." where it begins, "...Certificate"
 * where it goes on). What is encrypted is called so; keys in the capture are not used.
 */
#ifndef TLSYN_REPORT_LADDER_H
#define TLSYN_REPORT_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    LADDER_STREAM_MAX = 65536, /* bytes per direction that are searched for TLS */
    LADDER_EVENTS_MAX = 4096,
    LADDER_FRAMES_MAX = 1000000, /* frames that are looked at; what follows is ignored */
    LADDER_NAME_MAX = 64,
    LADDER_OPTIONS_MAX = 192,
    LADDER_TLS_MAX = 256,
    LADDER_ERROR_MAX = 320
};

/* The flags of a segment, as on the wire (RFC 9293 3.1). */
enum {
    LADDER_FIN = 0x01,
    LADDER_SYN = 0x02,
    LADDER_RST = 0x04,
    LADDER_PSH = 0x08,
    LADDER_ACK = 0x10,
};

struct ladder_event {
    int64_t time_us; /* since the first event */
    bool from_client;
    uint8_t flags;
    uint32_t seq, ack;   /* relative to the initial sequence numbers; ack only with LADDER_ACK */
    uint32_t length;     /* of the text */
    bool retransmission; /* text or SYN that was in the capture before */
    char options[LADDER_OPTIONS_MAX]; /* of a SYN: "MSS 1460, window scale 7, ..." */
    char tls[LADDER_TLS_MAX];         /* "ServerHello (TLS 1.3), ChangeCipherSpec, ..." */
};

struct ladder {
    char client[LADDER_NAME_MAX], server[LADDER_NAME_MAX]; /* "10.0.0.1:443", "[::1]:443" */
    struct ladder_event *events;
    size_t count;
    size_t left_out; /* later segments of the connection, beyond the limit asked for */
};

/* Which connection to follow; empty strings and zeros fit any. */
struct ladder_flow {
    char client[46], server[46]; /* addresses as inet_ntop() prints them */
    uint16_t client_port, server_port;
};

/* Read a connection's first `limit` segments (1 .. LADDER_EVENTS_MAX) from the file at `path`.
 * flow NULL: the first connection in the file. -ENOENT: no such connection in it; -EINVAL: limit,
 * or not a capture we can read; -ENOMEM; or why the file cannot be opened. `error` then holds a
 * sentence for people. A file that breaks off in the middle gives what came before. */
int ladder_read(struct ladder *ladder, const char *path, const struct ladder_flow *flow,
                size_t limit, char error[LADDER_ERROR_MAX]);

/* The same from an open stream, which is closed in any case. */
int ladder_read_stream(struct ladder *ladder, FILE *capture, const struct ladder_flow *flow,
                       size_t limit, char error[LADDER_ERROR_MAX]);

void ladder_free(struct ladder *ladder);

/* Draw for a terminal of `width` columns (at least 60; 0: 100). 0 or -EIO. */
int ladder_text(FILE *out, const struct ladder *ladder, unsigned width);

/* Draw as an <svg> element for html_svg(), in the page's colours. *svg is to be freed. -ENOMEM. */
int ladder_svg(const struct ladder *ladder, char **svg);

/* "SYN ACK", "FIN ACK", "-" for none. Returns out. */
const char *ladder_flags(uint8_t flags, char out[32]);

#endif
