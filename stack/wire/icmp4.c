/*
 * wire/icmp4.c: ICMP for IPv4. Read first: RFC 792, RFC 1122 3.2.2, RFC 1191 4.
 */
#include "wire/icmp4.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ip4.h"

#define CHECKSUM_OFFSET 2

static bool is_frag_needed(const struct wire_icmp4 *icmp)
{
    return icmp->type == ICMP4_UNREACHABLE && icmp->code == ICMP4_FRAGMENTATION_NEEDED;
}

static int check_quoted(const struct wire_icmp4 *icmp)
{
    struct wire_ip4 quoted;
    int error = wire_ip4_parse_quoted(icmp->payload, icmp->payload_len, &quoted);

    if (error)
        return error == -EMSGSIZE ? -EMSGSIZE : -EBADMSG;
    return quoted.payload_len < ICMP4_QUOTED_MIN ? -EMSGSIZE : 0;
}

/* MUST-55 */
int wire_icmp4_parse(const uint8_t *bytes, size_t len, struct wire_icmp4 *icmp)
{
    struct reader r = reader_of(bytes, len);
    uint16_t high, low;

    *icmp = (struct wire_icmp4){0};
    icmp->type = get_u8(&r);
    icmp->code = get_u8(&r);
    get_skip(&r, 2); /* checksum */
    high = get_u16(&r);
    low = get_u16(&r);
    icmp->payload = r.at;
    icmp->payload_len = r.left;
    if (r.overrun)
        return -EMSGSIZE;
    if (icmp->type == ICMP4_ECHO || icmp->type == ICMP4_ECHO_REPLY) {
        icmp->id = high;
        icmp->sequence = low;
        return 0;
    }
    if (!icmp4_is_error(icmp->type))
        return -EPROTONOSUPPORT;
    if (is_frag_needed(icmp))
        icmp->mtu = low;
    if (icmp->type == ICMP4_PARAMETER_PROBLEM)
        icmp->pointer = (uint8_t)(high >> 8);
    return check_quoted(icmp);
}

bool wire_icmp4_checksum_good(const uint8_t *bytes, size_t len)
{
    struct checksum sum = {0};

    checksum_add(&sum, bytes, len);
    return checksum_good(&sum);
}

int wire_icmp4_emit(const struct wire_icmp4 *icmp, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);
    struct checksum sum = {0};
    uint16_t high = 0, low = 0;
    size_t len;

    if (!icmp4_is_error(icmp->type)) {
        high = icmp->id;
        low = icmp->sequence;
    } else if (is_frag_needed(icmp)) {
        low = icmp->mtu;
    } else if (icmp->type == ICMP4_PARAMETER_PROBLEM) {
        high = (uint16_t)(icmp->pointer << 8);
    }
    put_u8(&w, icmp->type);
    put_u8(&w, icmp->code);
    put_u16(&w, 0);
    put_u16(&w, high);
    put_u16(&w, low);
    put_bytes(&w, icmp->payload, icmp->payload_len);
    if (w.overrun)
        return -ENOSPC;
    len = (size_t)(w.at - bytes);
    checksum_add(&sum, bytes, len);
    w = writer_of(bytes + CHECKSUM_OFFSET, 2);
    put_u16(&w, checksum_finish(&sum));
    return (int)len;
}
