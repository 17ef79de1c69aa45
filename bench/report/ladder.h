/* Ladder diagrams: one TCP connection of a capture, drawn as the messages that its ends exchanged.
 *
 *   capture file --ladder_read--> struct ladder (a list of events) --ladder_text / ladder_svg-->
 * out
 *
 * Reading takes any pcap or pcapng file of Ethernet (with VLAN tags), Linux cooked, BSD loopback or
 * raw IP, and trusts nothing in it: lengths are checked against what was captured, memory is
 * bounded by the limits below whatever the file says. Drawing sees events only.
 *
 * Connections are numbered from 1 by their first SYN (without ACK). TLS records and handshake
 * messages are found by putting the first LADDER_STREAM_MAX bytes of each direction in order, so a
 * message that spans segments is named on each of them ("Certificate..." where it begins,
 * "...Certificate" where it goes on). What is encrypted is called so; keys in the capture are not
 * used.
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
    LADDER_TAIL = 8, /* of a connection with more segments than asked for, the last ones */
    LADDER_FRAMES_MAX = 1000000,   /* frames that are looked at; what follows is ignored */
    LADDER_CONNECTIONS_MAX = 1000, /* connections that are told apart, likewise */
    LADDER_NAME_MAX = 64,
    LADDER_OPTIONS_MAX = 192,
    LADDER_TLS_MAX = 256,
    LADDER_ERROR_MAX = 320,
    LADDER_SENTENCE_MAX = 320
};

/* The flags of a segment, as on the wire (RFC 9293 3.1). */
enum {
    LADDER_FIN = 0x01,
    LADDER_SYN = 0x02,
    LADDER_RST = 0x04,
    LADDER_PSH = 0x08,
    LADDER_ACK = 0x10,
    LADDER_ECE = 0x40,
    LADDER_CWR = 0x80
};

struct ladder_event {
    int64_t time_us; /* since the first event */
    bool from_client;
    uint8_t flags;
    uint32_t seq, ack;   /* relative to the initial sequence numbers; ack only with LADDER_ACK */
    uint32_t length;     /* of the text */
    bool retransmission; /* text, SYN or FIN that was in the capture before */
    int cookie;          /* of a SYN: length of its Fast Open cookie; 0: a request; -1: neither */
    char options[LADDER_OPTIONS_MAX]; /* of a SYN: "MSS 1460, window scale 7, ..." */
    char tls[LADDER_TLS_MAX];         /* "ServerHello (TLS 1.3), ChangeCipherSpec, ..." */
};

/* What was in the capture. */
struct ladder_seen {
    uint64_t frames, segments;
    uint64_t cut;                  /* segments of which only a part was captured */
    char broken[LADDER_ERROR_MAX]; /* why the file ends before its time; "": it doesn't */
};

/* How the session came to be, as far as a hello in the clear tells. */
enum ladder_session {
    LADDER_SESSION_UNKNOWN,
    LADDER_SESSION_NEW,
    LADDER_SESSION_ID,
    LADDER_SESSION_TICKET, /* of TLS 1.2 */
    LADDER_SESSION_PSK
};

/* What the connection was. */
struct ladder_story {
    uint32_t syn_text, syn_acked, synack_text; /* bytes of text */
    bool answered;                             /* there is a SYN-ACK */
    int cookie_sent, cookie_given;             /* as ladder_event.cookie */
    bool tls, tls13, retry, psk_offered;
    enum ladder_session session;
    uint32_t early; /* bytes of records that the client sent before a ServerHello was there */
    bool early_taken;
    int round_trips; /* until the client could send; -1: it never could, or nobody can tell */
    int64_t ready_us;
    uint32_t sent_again;
};

struct ladder {
    char client[LADDER_NAME_MAX], server[LADDER_NAME_MAX]; /* "10.0.0.1:443", "[::1]:443" */
    struct ladder_event *events;
    size_t count;
    size_t left_out, gap; /* segments that are not in the list; they come before events[gap] */
    size_t connections;   /* that the capture holds */
    struct ladder_seen seen;
    struct ladder_story story;
};

/* Which connection to follow; zeros and empty strings fit any. */
struct ladder_flow {
    char client[46], server[46]; /* addresses as inet_ntop() prints them */
    uint16_t client_port, server_port;
    size_t number; /* from 1 */
};

/* Read at most `limit` segments (1 .. LADDER_EVENTS_MAX) of a connection from the file at `path`:
 * of more than that the first and the last. flow NULL: the first connection in the file. -ENOENT:
 * no such connection in it; -EINVAL: limit, or not a capture we can read; -ENOMEM; or why the file
 * cannot be opened. `error` then holds a sentence for people. A file that breaks off in the middle
 * gives what came before. */
int ladder_read(struct ladder *ladder, const char *path, const struct ladder_flow *flow,
                size_t limit, char error[LADDER_ERROR_MAX]);

/* The same from an open stream, which is closed in any case. */
int ladder_read_stream(struct ladder *ladder, FILE *capture, const struct ladder_flow *flow,
                       size_t limit, char error[LADDER_ERROR_MAX]);

void ladder_free(struct ladder *ladder);

/* How to draw for a terminal. */
struct ladder_style {
    unsigned width; /* columns, at least 40; 0: 100 */
    bool colour;    /* by the escape sequences of ECMA-48 */
};

/* Draw for a terminal. 0 or -EIO. */
int ladder_text(FILE *out, const struct ladder *ladder, const struct ladder_style *style);

/* Draw as an <svg> element for html_svg(), in the page's colours; a file by itself, too. *svg is to
 * be freed. -ENOMEM. */
int ladder_svg(const struct ladder *ladder, char **svg);

/* What the connection was, in sentences: the i-th, or NULL when there are no more. `text` holds
 * it. */
const char *ladder_sentence(const struct ladder *ladder, size_t i, char text[LADDER_SENTENCE_MAX]);

/* "SYN ACK", "FIN ACK", "-" for none. Returns out. */
const char *ladder_flags(uint8_t flags, char out[32]);

/* A connection in the list of them. */
struct ladder_connection {
    char client[LADDER_NAME_MAX], server[LADDER_NAME_MAX];
    int64_t time_us; /* since the first connection began */
    uint64_t segments;
    uint64_t bytes_sent, bytes_received; /* of text, by the client */
    const char *ending; /* "closed", "reset", "open" at the end of the capture, "no answer" */
};

struct ladder_list {
    struct ladder_connection *connections;
    size_t count, left_out;
    struct ladder_seen seen;
};

/* List the connections of a capture; the stream is closed in any case. Errors as ladder_read(). */
int ladder_list(struct ladder_list *list, FILE *capture, char error[LADDER_ERROR_MAX]);
void ladder_list_free(struct ladder_list *list);

#endif
