/*
 * fuzz_frag: reassembly under any sequence of fragments of both families, time and failing memory.
 *
 * The input is a list of operations of six octets:
 *
 *     what       bits 0-1: 0 to 2 a fragment, 3 something else; bit 2: more; bit 3: IPv6;
 *                bit 4: tiny steps; bit 5: other octets than the pattern's; bits 6-7: congestion
 *                codepoint
 *     who        low nibble: source; high nibble: identification
 *     where      16 bits: offset
 *     how much   16 bits: length; of something else: time in units of 4 ms, or the
 *                request for memory that fails
 *
 * Invariants: what is completed has the octets of its fragments, and begins with the headers of the
 * first; memory stays within its bound and comes back; no fragment makes us look at more pieces
 * than a binary search does.
 */
#include <stdlib.h>

#include "support/ip_bed.h"
#include "support/must.h"
#include "wire/bytes.h"

#define LEN_MAX 3000

struct part {
    uint8_t what, who;
    uint16_t where, size;
};

/* What stands at this place of a datagram, and behind it, as long as nobody lies. A table, for what
 * is computed octet by octet in here takes libFuzzer's instruments more time than the code below
 * test. */
static const uint8_t *pattern(uint8_t who, size_t at)
{
    static uint8_t table[65536 + LEN_MAX + 256 * 256];

    for (size_t i = 0; table[sizeof(table) - 1] == 0 && i < sizeof(table); i++)
        table[i] = (uint8_t)(i * 11u + i / 256u);
    return table + who * 255u + at;
}

static struct ip_datagram datagram_of(struct tlsyn_iface *iface, const struct part *p,
                                      const uint8_t *bytes, size_t header, size_t len)
{
    uint8_t last = p->who & 15;
    uint8_t ip6[16] = {0xfe, 0x80, [15] = last};
    struct ip_datagram d = {.iface = iface,
                            .protocol = IP_PROTOCOL_UDP,
                            .tos = p->what >> 6,
                            .header = bytes,
                            .payload = bytes + header,
                            .len = len,
                            .dst = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 1}),
                            .src = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, last})};

    if (p->what & 8)
        memcpy(d.src.byte, ip6, sizeof(ip6));
    return d;
}

static void look_at(const struct ip_datagram *whole, uint8_t who, size_t header, bool honest)
{
    must((size_t)(whole->payload - whole->header) == header && whole->len <= 65535);
    must(whole->header[0] == 0x45);
    must(!honest || memcmp(whole->payload, pattern(who, 0), whole->len) == 0);
}

static void fragment_arrives(struct ip_bed *bed, const struct part *p, bool honest)
{
    size_t header = p->what & 8 ? 48 : 20, len = p->size % LEN_MAX;
    uint32_t offset = p->what & 16 ? (uint32_t)p->where % 64 * 8 : (uint32_t)(p->where & ~7u);
    uint8_t *bytes;
    struct ip_datagram d, whole;

    len = p->what & 16 ? len % 64 : len;
    len = p->what & 4 ? len & ~(size_t)7 : len;
    bytes = malloc(header + len);
    must(bytes != NULL);
    memset(bytes, 0x45, header);
    memcpy(bytes + header, pattern(p->who, offset + (p->what & 32 ? 1 : 0)), len);
    d = datagram_of(bed->iface, p, bytes, header, len);
    struct fragment f = {&d, p->who >> 4, offset, p->what & 4};
    if (fragment_check(&f) == 0 && frags_take(&bed->ip.frags, &f, &whole))
        look_at(&whole, p->who, header, honest);
    free(bytes);
    frags_done(&bed->ip.frags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ip_bed bed;
    struct reader r = reader_of(data, size);
    uint64_t fragments = 0;
    bool honest = true;

    ip_bed_open(&bed, 1);
    bed.cx.limits.reassembly_bytes = 100000;
    while (r.left > 0) {
        struct part p = {get_u8(&r), get_u8(&r), get_u16(&r), get_u16(&r)};

        if ((p.what & 3) < 3) {
            honest = honest && !(p.what & 32);
            fragment_arrives(&bed, &p, honest);
            fragments++;
        } else if (p.what & 4) {
            ip_bed_advance(&bed, TLSYN_MS(4) * p.size);
            ip_bed_flush(&bed);
            fake_link_clear(&bed.link);
        } else {
            test_memory_fail(&bed.memory, p.size % 8u + 1);
        }
        must(bed.ip.frags.bytes <= bed.cx.limits.reassembly_bytes);
        must(bed.ip.frags.datagrams.count <= 16 && bed.ip.frags.sources.count <= 16);
        must(bed.cx.counter[TLSYN_COUNT_ip_reasm_steps] <= fragments * 8);
    }
    test_memory_fail_all(&bed.memory, false);
    ip_bed_advance(&bed, TLSYN_SECONDS(61));
    must(bed.ip.frags.bytes == 0 && bed.ip.frags.sources.count == 0);
    ip_bed_close(&bed);
    return 0;
}
