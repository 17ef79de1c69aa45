/* Names the TLS records and handshake messages in a byte stream. Read first: RFC 5246 6.2, 7;
 * RFC 8446 4, 5.
 *
 * A handshake message may span records and a record may hold several messages, so messages are
 * followed by a small state that outlives the record. After ChangeCipherSpec the handshake of
 * TLS 1.2 is encrypted; in TLS 1.3 encrypted records call themselves application data.
 */
#include "report/ladder_tls.h"

#include <stdio.h>
#include <string.h>

enum { RECORD_HEADER = 5, MESSAGE_HEADER = 4, RECORD_MAX = 16384 + 2048 };
enum { RECORD_CCS = 20, RECORD_ALERT, RECORD_HANDSHAKE, RECORD_DATA, RECORD_HEARTBEAT };
enum { SERVER_HELLO = 2, EXTENSION_VERSIONS = 43 };

/* The message being followed. */
struct message {
    size_t start;
    uint8_t header[MESSAGE_HEADER];
    size_t header_have; /* bytes of the header that were seen; 0: between messages */
    size_t body_left;
};

struct walk {
    struct ladder_tls *tls;
    const uint8_t *bytes;
    size_t n;
    bool encrypted;
    struct message message;
};

static void add_span(struct ladder_tls *tls, size_t start, size_t end, const char *name)
{
    if (tls->count == LADDER_SPANS_MAX) {
        return;
    }
    struct ladder_span *span = &tls->spans[tls->count++];
    span->start = start;
    span->end = end;
    snprintf(span->name, sizeof span->name, "%s", name);
}

static const char *message_name(uint8_t type, char unknown[LADDER_SPAN_NAME_MAX])
{
    static const char *const names[] = {
        [0] = "HelloRequest",     [1] = "ClientHello",        [2] = "ServerHello",
        [4] = "NewSessionTicket", [5] = "EndOfEarlyData",     [8] = "EncryptedExtensions",
        [11] = "Certificate",     [12] = "ServerKeyExchange", [13] = "CertificateRequest",
        [14] = "ServerHelloDone", [15] = "CertificateVerify", [16] = "ClientKeyExchange",
        [20] = "Finished",        [22] = "CertificateStatus", [24] = "KeyUpdate",
    };
    if (type < sizeof names / sizeof names[0] && names[type] != NULL) {
        return names[type];
    }
    snprintf(unknown, LADDER_SPAN_NAME_MAX, "handshake message %u", type);
    return unknown;
}

static size_t read16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* Whether the extensions (n bytes) of a ServerHello choose TLS 1.3: RFC 8446 4.2.1. */
static bool chooses_tls13(const uint8_t *p, size_t n)
{
    while (n >= 4) {
        size_t type = read16(p);
        size_t length = read16(p + 2);
        p += 4;
        n -= 4;
        if (length > n) {
            return false;
        }
        if (type == EXTENSION_VERSIONS) {
            return length == 2 && read16(p) == 0x0304;
        }
        p += length;
        n -= length;
    }
    return false;
}

/* The name of a ServerHello whose body (n bytes) lies in one piece; notes the version chosen. */
static const char *server_hello_name(struct ladder_tls *tls, const uint8_t *body, size_t n)
{
    /* RFC 8446 4.1.3: this random, SHA-256 of "HelloRetryRequest", makes it one. */
    static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                      0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                      0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                      0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    enum { SESSION_ID = 34 }; /* after version and random */

    if (n < SESSION_ID + 1) {
        return "ServerHello";
    }
    size_t extensions = SESSION_ID + 1 + (size_t)body[SESSION_ID] + 3; /* suite, compression */
    if (n >= extensions + 2 && chooses_tls13(body + extensions + 2, n - extensions - 2)) {
        tls->tls13 = true;
        bool again = memcmp(body + 2, retry, sizeof retry) == 0;
        return again ? "HelloRetryRequest" : "ServerHello (TLS 1.3)";
    }
    return read16(body) == 0x0303 ? "ServerHello (TLS 1.2)" : "ServerHello";
}

/* The message that is being followed ended just before `end`, in the record that began at `record`.
 */
static void message_done(struct walk *walk, size_t record, size_t end)
{
    struct message *message = &walk->message;
    const uint8_t *header = message->header;
    size_t length = (size_t)header[1] << 16 | read16(header + 2);
    char unknown[LADDER_SPAN_NAME_MAX];
    const char *name = message_name(header[0], unknown);

    if (header[0] == SERVER_HELLO && end - record >= length + MESSAGE_HEADER) {
        name = server_hello_name(walk->tls, walk->bytes + end - length, length);
    }
    add_span(walk->tls, message->start, end, name);
    message->header_have = 0;
}

/* Follow handshake messages through one record's body [p, end). The first message of a record owns
 * the record's header too. */
static void walk_messages(struct walk *walk, size_t record, size_t p, size_t end)
{
    struct message *message = &walk->message;
    size_t start = record;

    while (p < end) {
        if (message->header_have == 0) {
            message->start = start;
        }
        if (message->header_have < MESSAGE_HEADER) {
            message->header[message->header_have++] = walk->bytes[p++];
            message->body_left = (size_t)message->header[1] << 16 | read16(message->header + 2);
        } else {
            size_t taken = message->body_left < end - p ? message->body_left : end - p;
            p += taken;
            message->body_left -= taken;
        }
        if (message->header_have == MESSAGE_HEADER && message->body_left == 0) {
            message_done(walk, record + RECORD_HEADER, p);
            start = p;
        }
    }
}

static void name_alert(char *out, size_t size, const uint8_t *body)
{
    static const struct {
        uint8_t code;
        const char *name;
    } alerts[] = {
        {0, "close_notify"},
        {10, "unexpected_message"},
        {20, "bad_record_mac"},
        {40, "handshake_failure"},
        {42, "bad_certificate"},
        {45, "certificate_expired"},
        {46, "certificate_unknown"},
        {47, "illegal_parameter"},
        {48, "unknown_ca"},
        {50, "decode_error"},
        {51, "decrypt_error"},
        {70, "protocol_version"},
        {80, "internal_error"},
        {109, "missing_extension"},
        {112, "unrecognized_name"},
        {116, "certificate_required"},
        {120, "no_application_protocol"},
    };
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].code == body[1]) {
            snprintf(out, size, "alert %s", alerts[i].name);
            return;
        }
    }
    snprintf(out, size, "alert %u", body[1]);
}

/* One record at `record` with its body [p, end), of which walk->n bytes may cut the end. */
static void walk_record(struct walk *walk, size_t record, size_t end)
{
    char name[LADDER_SPAN_NAME_MAX];
    size_t body = record + RECORD_HEADER;
    size_t at_hand = end < walk->n ? end : walk->n;

    switch (walk->bytes[record]) {
    case RECORD_CCS:
        add_span(walk->tls, record, end, "ChangeCipherSpec");
        walk->encrypted = !walk->tls->tls13;
        break;
    case RECORD_ALERT:
        snprintf(name, sizeof name, "encrypted alert");
        if (!walk->encrypted && end - body == 2 && at_hand == end) {
            name_alert(name, sizeof name, walk->bytes + body);
        }
        add_span(walk->tls, record, end, name);
        break;
    case RECORD_HANDSHAKE:
        if (walk->encrypted) {
            add_span(walk->tls, record, end, "encrypted handshake");
        } else {
            walk_messages(walk, record, body, at_hand);
        }
        break;
    case RECORD_DATA:
        add_span(walk->tls, record, end, "Application Data");
        break;
    default:
        add_span(walk->tls, record, end, "heartbeat");
    }
}

/* The end of a run of zeros that starts here: no record begins with one, so it is padding. */
static size_t padding_end(const uint8_t *bytes, size_t p, size_t n)
{
    while (p < n && bytes[p] == 0) {
        p++;
    }
    return p;
}

static bool is_record(const uint8_t *p)
{
    return p[0] >= RECORD_CCS && p[0] <= RECORD_HEARTBEAT && p[1] == 3 && read16(p + 3) > 0 &&
           read16(p + 3) <= RECORD_MAX;
}

void ladder_tls_parse(struct ladder_tls *tls, const uint8_t *bytes, size_t n)
{
    struct walk walk = {.tls = tls, .bytes = bytes, .n = n};
    size_t p = 0;

    tls->count = 0;
    while (p < n && tls->count < LADDER_SPANS_MAX) {
        size_t pad = padding_end(bytes, p, n);
        if (pad > p) {
            add_span(tls, p, pad, "padding");
            p = pad;
            continue;
        }
        if (n - p < RECORD_HEADER) {
            add_span(tls, p, p + RECORD_HEADER, "record");
            break;
        }
        if (!is_record(bytes + p)) {
            add_span(tls, p, n, "data that is not TLS");
            break;
        }
        size_t end = p + RECORD_HEADER + read16(bytes + p + 3);
        walk_record(&walk, p, end);
        p = end;
    }
    if (walk.message.header_have > 0) {
        char unknown[LADDER_SPAN_NAME_MAX];
        add_span(tls, walk.message.start, SIZE_MAX, message_name(walk.message.header[0], unknown));
    }
}

static void append(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s", text);
}

void ladder_tls_print(const struct ladder_tls *tls, size_t start, size_t end, char *out,
                      size_t size)
{
    char item[LADDER_SPAN_NAME_MAX + 32];
    size_t equal = 1;

    out[0] = '\0';
    for (size_t i = 0; i < tls->count; i += equal) {
        const struct ladder_span *span = &tls->spans[i];
        equal = 1;
        if (span->end <= start || span->start >= end) {
            continue;
        }
        bool whole = span->start >= start && span->end <= end;
        while (whole && i + equal < tls->count && tls->spans[i + equal].end <= end &&
               strcmp(tls->spans[i + equal].name, span->name) == 0) {
            equal++;
        }
        append(out, size, out[0] != '\0' ? ", " : "");
        if (equal > 1) {
            snprintf(item, sizeof item, "%zu x %s", equal, span->name);
        } else {
            snprintf(item, sizeof item, "%s%s%s", span->start < start ? "..." : "", span->name,
                     span->end > end ? "..." : "");
        }
        append(out, size, item);
    }
}
