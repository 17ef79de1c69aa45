/* From a captured frame to a TCP segment. Read first: RFC 791 3.1, RFC 8200 4, RFC 9293 3.1.
 *
 * Every byte is taken through a cursor that knows how many are left; a read beyond the end makes
 * the cursor bad and gives zeros, and the result is thrown away at the end.
 */
#include "report/ladder_frame.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ETHER_IP4 = 0x0800, ETHER_IP6 = 0x86dd, ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88a8 };
enum { PROTOCOL_TCP = 6, EXTENSION_HEADERS_MAX = 8 };

struct cursor {
    const uint8_t *bytes;
    size_t left;
    bool bad;
};

static const uint8_t *take(struct cursor *cursor, size_t n)
{
    static const uint8_t nothing[16];

    if (cursor->bad || n > cursor->left) {
        cursor->bad = true;
        return nothing;
    }
    const uint8_t *bytes = cursor->bytes;
    cursor->bytes += n;
    cursor->left -= n;
    return bytes;
}

static uint8_t take8(struct cursor *cursor)
{
    return take(cursor, 1)[0];
}

static uint16_t take16(struct cursor *cursor)
{
    const uint8_t *p = take(cursor, 2);
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t take32(struct cursor *cursor)
{
    uint32_t high = take16(cursor);
    return high << 16 | take16(cursor);
}

static void skip(struct cursor *cursor, size_t n)
{
    if (n > cursor->left) {
        cursor->bad = true;
    } else {
        cursor->bytes += n;
        cursor->left -= n;
    }
}

/* Step over the link header. Returns the Ethertype, or 0 if the link type is not ours. */
static uint16_t link_header(int link_type, struct cursor *cursor)
{
    uint16_t type = 0;

    switch (link_type) {
    case DLT_EN10MB:
        skip(cursor, 12);
        type = take16(cursor);
        for (int tags = 0; tags < 2 && (type == ETHER_VLAN || type == ETHER_QINQ); tags++) {
            skip(cursor, 2);
            type = take16(cursor);
        }
        return type;
    case DLT_LINUX_SLL:
        skip(cursor, 14);
        return take16(cursor);
    case DLT_LINUX_SLL2:
        type = take16(cursor);
        skip(cursor, 18);
        return type;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return cursor->left > 0 && cursor->bytes[0] >> 4 == 6 ? ETHER_IP6 : ETHER_IP4;
    default:
        return 0;
    }
}

/* Cut what follows the datagram (Ethernet padding) off; returns its length past the header as the
 * header says, which may be more than was captured. */
static uint32_t trim(struct cursor *cursor, uint32_t length)
{
    if (cursor->left > length) {
        cursor->left = length;
    }
    return length;
}

/* Returns how many bytes follow the IP header by its own word; the cursor goes bad on what is no
 * whole TCP datagram. */
static uint32_t ip4_header(struct cursor *cursor, struct ladder_segment *segment)
{
    size_t whole = cursor->left;
    uint8_t version = take8(cursor);
    size_t header = (size_t)(version & 0x0f) * 4;

    skip(cursor, 1);
    uint32_t total = take16(cursor);
    skip(cursor, 2);
    uint16_t fragment = take16(cursor);
    skip(cursor, 1);
    uint8_t protocol = take8(cursor);
    skip(cursor, 2);
    memcpy(segment->from.address, take(cursor, 4), 4);
    memcpy(segment->to.address, take(cursor, 4), 4);
    segment->from.family = segment->to.family = AF_INET;
    if (total == 0) {
        total = (uint32_t)whole; /* a captured super-frame beyond 64 KiB */
    }
    /* 0x3fff: more fragments, or an offset. */
    if (version >> 4 != 4 || header < 20 || total < header || protocol != PROTOCOL_TCP ||
        (fragment & 0x3fff) != 0) {
        cursor->bad = true;
        return 0;
    }
    skip(cursor, header - 20);
    return trim(cursor, total - (uint32_t)header);
}

static bool is_extension(uint8_t next)
{
    return next == 0 || next == 43 || next == 60; /* hop-by-hop, routing, destination options */
}

static uint32_t ip6_header(struct cursor *cursor, struct ladder_segment *segment)
{
    uint8_t version = take8(cursor);

    skip(cursor, 3);
    uint32_t length = take16(cursor);
    uint8_t next = take8(cursor);
    skip(cursor, 1);
    memcpy(segment->from.address, take(cursor, 16), 16);
    memcpy(segment->to.address, take(cursor, 16), 16);
    segment->from.family = segment->to.family = AF_INET6;
    if (length == 0) {
        length = (uint32_t)cursor->left;
    }
    trim(cursor, length);
    for (int i = 0; i < EXTENSION_HEADERS_MAX && is_extension(next); i++) {
        next = take8(cursor);
        uint32_t size = ((uint32_t)take8(cursor) + 1) * 8;
        skip(cursor, size - 2);
        length = length > size ? length - size : 0;
    }
    if (version >> 4 != 6 || next != PROTOCOL_TCP) {
        cursor->bad = true;
    }
    return length;
}

static void tcp_header(struct cursor *cursor, uint32_t length, struct ladder_segment *segment)
{
    segment->from.port = take16(cursor);
    segment->to.port = take16(cursor);
    segment->seq = take32(cursor);
    segment->ack = take32(cursor);
    size_t header = (size_t)(take8(cursor) >> 4) * 4;
    segment->flags = take8(cursor);
    skip(cursor, 6); /* window, checksum (may be unfinished by offload), urgent pointer */
    if (header < 20 || length < header || cursor->left < header - 20) {
        cursor->bad = true;
        return;
    }
    segment->options = cursor->bytes;
    segment->options_length = header - 20;
    skip(cursor, header - 20);
    segment->text = cursor->bytes;
    segment->captured = cursor->left;
    segment->length = length - (uint32_t)header;
}

int ladder_frame_parse(int link_type, const uint8_t *bytes, size_t n,
                       struct ladder_segment *segment)
{
    struct cursor cursor = {bytes, n, false};
    uint32_t length = 0;

    *segment = (struct ladder_segment){0};
    uint16_t type = link_header(link_type, &cursor);
    if (type == ETHER_IP4) {
        length = ip4_header(&cursor, segment);
    } else if (type == ETHER_IP6) {
        length = ip6_header(&cursor, segment);
    } else {
        return -EINVAL;
    }
    tcp_header(&cursor, length, segment);
    return cursor.bad ? -EINVAL : 0;
}

/* Append to a string of `size` bytes, with a comma if it is not the first. */
static void append(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t n = strlen(out);

    if (n > 0 && n + 2 < size) {
        memcpy(out + n, ", ", 3);
        n += 2;
    }
    va_start(arguments, format);
    vsnprintf(out + n, size - n, format, arguments);
    va_end(arguments);
}

static void print_fast_open(size_t cookie, char *out, size_t size)
{
    if (cookie == 0) {
        append(out, size, "Fast Open (asks for a cookie)");
    } else {
        append(out, size, "Fast Open (cookie of %zu bytes)", cookie);
    }
}

/* One option of kind > 1; `value` has n bytes. Lengths that the kind does not have are printed as
 * an unknown option. */
static void print_option(uint8_t kind, const uint8_t *value, size_t n, char *out, size_t size)
{
    struct cursor cursor = {value, n, false};

    if (kind == 2 && n == 2) {
        append(out, size, "MSS %u", take16(&cursor));
    } else if (kind == 3 && n == 1) {
        append(out, size, "window scale %u", value[0]);
    } else if (kind == 4 && n == 0) {
        append(out, size, "SACK permitted");
    } else if (kind == 5 && n > 0 && n % 8 == 0) {
        append(out, size, "SACK of %zu blocks", n / 8);
    } else if (kind == 8 && n == 8) {
        append(out, size, "timestamps");
    } else if (kind == 34) {
        print_fast_open(n, out, size);
    } else if (kind == 254 && n >= 2 && take16(&cursor) == 0xf989) {
        /* RFC 7413 4.1.1 and its appendix: the experimental form. */
        print_fast_open(n - 2, out, size);
    } else {
        append(out, size, "option %u of %zu bytes", kind, n + 2);
    }
}

void ladder_options_print(const uint8_t *options, size_t n, char *out, size_t size)
{
    size_t i = 0;

    out[0] = '\0';
    while (i < n && options[i] != 0) {
        if (options[i] == 1) {
            i++;
            continue;
        }
        if (n - i < 2 || options[i + 1] < 2 || options[i + 1] > n - i) {
            append(out, size, "malformed options");
            return;
        }
        print_option(options[i], options + i + 2, (size_t)options[i + 1] - 2, out, size);
        i += options[i + 1];
    }
}
