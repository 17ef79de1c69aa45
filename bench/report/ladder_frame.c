/* From a captured frame to a TCP segment. Read first: RFC 791 3.1, RFC 8200 4, RFC 9293 3.1.
 *
 * Every byte is taken through a cursor that knows how many are left; a read beyond the end makes
 * the cursor bad and gives zeros, and the result is thrown away at the end.
 */
#include "report/ladder_frame.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
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

/* Ethertypes by the first nibble of the datagram. */
static uint16_t by_version(const struct cursor *cursor)
{
    return cursor->left > 0 && cursor->bytes[0] >> 4 == 6 ? ETHER_IP6 : ETHER_IP4;
}

bool ladder_frame_knows(int link_type)
{
    static const int known[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW,
                                DLT_IPV4,   DLT_IPV6,      DLT_NULL,       DLT_LOOP};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i] == link_type) {
            return true;
        }
    }
    return false;
}

/* Step over the link header. Returns the Ethertype, or 0 if the link type is not ours. */
static uint16_t link_header(int link_type, struct cursor *cursor)
{
    uint16_t type = 0;

    switch (link_type) {
    case DLT_EN10MB:
        skip(cursor, 12);
        type = take16(cursor);
        break;
    case DLT_LINUX_SLL:
        skip(cursor, 14);
        type = take16(cursor);
        break;
    case DLT_LINUX_SLL2:
        type = take16(cursor);
        skip(cursor, 18);
        break;
    case DLT_NULL: /* the family, in the byte order and with the number of whoever captured */
    case DLT_LOOP:
        skip(cursor, 4);
        return by_version(cursor);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return by_version(cursor);
    default:
        return 0;
    }
    for (int tags = 0; tags < 2 && (type == ETHER_VLAN || type == ETHER_QINQ); tags++) {
        skip(cursor, 2);
        type = take16(cursor);
    }
    return type;
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
