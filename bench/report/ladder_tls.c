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
enum { RECORD_HEARTBEAT = LADDER_DATA + 1 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };

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

/* The next span, of a record type or 0. When there is no room for more, a spare one. */
static struct ladder_span *add_span(struct ladder_tls *tls, size_t start, size_t end,
                                    uint8_t record, const char *name)
{
    struct ladder_span *span = &tls->spans[tls->count];

    if (tls->count < LADDER_SPANS_MAX) {
        tls->count++;
    }
    *span = (struct ladder_span){
        .start = start, .end = end, .record = record, .message = LADDER_ENCRYPTED};
    snprintf(span->name, sizeof span->name, "%s", name);
    return span;
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

static const char *server_hello_name(const struct ladder_hello *hello)
{
    if (hello->retry) {
        return "HelloRetryRequest";
    }
    if (hello->tls13) {
        return "ServerHello (TLS 1.3)";
    }
    return hello->version == 0x0303 ? "ServerHello (TLS 1.2)" : "ServerHello";
}

/* A hello whose body (n bytes) lies in one piece: keeps what it says, and the first of its kind.
 * Returns its name. */
static const char *take_hello(struct ladder_tls *tls, bool server, const uint8_t *body, size_t n)
{
    struct ladder_hello hello;

    if (ladder_hello_parse(&hello, server, body, n) < 0) {
        return server ? "ServerHello" : "ClientHello";
    }
    tls->tls13 |= server && hello.tls13;
    if (hello.retry) {
        tls->retry = true;
    } else if (!tls->hello.there) {
        tls->hello = hello;
    }
    return server ? server_hello_name(&hello) : "ClientHello";
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

    if ((header[0] == CLIENT_HELLO || header[0] == SERVER_HELLO) &&
        end - record >= length + MESSAGE_HEADER) {
        name = take_hello(walk->tls, header[0] == SERVER_HELLO, walk->bytes + end - length, length);
    }
    add_span(walk->tls, message->start, end, LADDER_HANDSHAKE, name)->message = header[0];
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
    case LADDER_CCS:
        add_span(walk->tls, record, end, LADDER_CCS, "ChangeCipherSpec");
        walk->encrypted = !walk->tls->tls13;
        break;
    case LADDER_ALERT:
        snprintf(name, sizeof name, "encrypted alert");
        if (!walk->encrypted && end - body == 2 && at_hand == end) {
            name_alert(name, sizeof name, walk->bytes + body);
        }
        add_span(walk->tls, record, end, LADDER_ALERT, name);
        break;
    case LADDER_HANDSHAKE:
        if (walk->encrypted) {
            add_span(walk->tls, record, end, LADDER_HANDSHAKE, "encrypted handshake");
        } else {
            walk_messages(walk, record, body, at_hand);
        }
        break;
    case LADDER_DATA:
        add_span(walk->tls, record, end, LADDER_DATA, "Application Data");
        break;
    default:
        add_span(walk->tls, record, end, RECORD_HEARTBEAT, "heartbeat");
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
    return p[0] >= LADDER_CCS && p[0] <= RECORD_HEARTBEAT && p[1] == 3 && read16(p + 3) > 0 &&
           read16(p + 3) <= RECORD_MAX;
}

void ladder_tls_parse(struct ladder_tls *tls, const uint8_t *bytes, size_t n)
{
    struct walk walk = {.tls = tls, .bytes = bytes, .n = n};
    bool tls13 = tls->tls13;
    size_t p = 0;

    memset(tls, 0, sizeof *tls);
    tls->tls13 = tls13;
    while (p < n && tls->count < LADDER_SPANS_MAX) {
        size_t pad = padding_end(bytes, p, n);
        if (pad > p) {
            add_span(tls, p, pad, 0, "padding");
            p = pad;
            continue;
        }
        if (n - p < RECORD_HEADER) {
            add_span(tls, p, p + RECORD_HEADER, 0, "record");
            break;
        }
        if (!is_record(bytes + p)) {
            add_span(tls, p, n, 0, "data that is not TLS");
            break;
        }
        size_t end = p + RECORD_HEADER + read16(bytes + p + 3);
        walk_record(&walk, p, end);
        p = end;
    }
    if (walk.message.header_have > 0) {
        char unknown[LADDER_SPAN_NAME_MAX];
        const char *name = message_name(walk.message.header[0], unknown);
        add_span(tls, walk.message.start, SIZE_MAX, LADDER_HANDSHAKE, name)->message =
            walk.message.header[0];
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
