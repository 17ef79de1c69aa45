/*
 * wire/icmp6.c: ICMPv6's errors and echo. Read first: RFC 4443 2 to 4.
 */
#include "wire/icmp6.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ip6.h"

static bool is_echo(uint8_t type)
{
    return type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY;
}

int wire_icmp6_parse(const uint8_t *bytes, size_t len, struct wire_icmp6 *icmp)
{
    struct reader r = reader_of(bytes, len);
    uint32_t word;

    *icmp = (struct wire_icmp6){0};
    icmp->type = get_u8(&r);
    icmp->code = get_u8(&r);
    get_skip(&r, 2); /* checksum */
    word = get_u32(&r);
    icmp->payload = r.at;
    icmp->payload_len = r.left;
    if (r.overrun)
        return -EMSGSIZE;
    if (is_echo(icmp->type)) {
        icmp->id = (uint16_t)(word >> 16);
        icmp->sequence = (uint16_t)word;
        return 0;
    }
    if (icmp->type < ICMP6_UNREACHABLE || icmp->type > ICMP6_PARAMETER_PROBLEM)
        return -EPROTONOSUPPORT;
    if (icmp->type == ICMP6_PACKET_TOO_BIG)
        icmp->mtu = word;
    if (icmp->type == ICMP6_PARAMETER_PROBLEM)
        icmp->pointer = word;
    return 0;
}

int wire_icmp6_emit(const struct wire_icmp6 *icmp, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);
    uint32_t word = 0;

    if (is_echo(icmp->type))
        word = (uint32_t)icmp->id << 16 | icmp->sequence;
    else if (icmp->type == ICMP6_PACKET_TOO_BIG)
        word = icmp->mtu;
    else if (icmp->type == ICMP6_PARAMETER_PROBLEM)
        word = icmp->pointer;
    put_u8(&w, icmp->type);
    put_u8(&w, icmp->code);
    put_u16(&w, 0);
    put_u32(&w, word);
    put_bytes(&w, icmp->payload, icmp->payload_len);
    return w.overrun ? -ENOSPC : (int)(w.at - bytes);
}

static struct checksum sum_of(const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                              const uint8_t *bytes, size_t len)
{
    struct checksum sum = {0};

    checksum_pseudo(&sum, src, dst, IP6_ICMP, (uint32_t)len);
    checksum_add(&sum, bytes, len);
    return sum;
}

void wire_icmp6_checksum(const struct tlsyn_addr *src, const struct tlsyn_addr *dst, uint8_t *bytes,
                         size_t len)
{
    struct writer field = writer_of(bytes + ICMP6_CHECKSUM_OFFSET, 2);
    struct checksum sum;

    put_u16(&field, 0);
    sum = sum_of(src, dst, bytes, len);
    field = writer_of(bytes + ICMP6_CHECKSUM_OFFSET, 2);
    put_u16(&field, checksum_finish(&sum));
}

bool wire_icmp6_checksum_good(const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                              const uint8_t *bytes, size_t len)
{
    struct checksum sum = sum_of(src, dst, bytes, len);

    return checksum_good(&sum);
}
