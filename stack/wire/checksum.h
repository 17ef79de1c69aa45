/*
 * wire/checksum.h: the Internet checksum (RFC 1071, update by RFC 1624) over data in any number of
 * pieces of any length.
 *
 *     struct checksum sum = {0};
 *     checksum_pseudo(&sum, &src, &dst, protocol, len);
 *     checksum_add(&sum, header, header_len);
 *     checksum_add(&sum, text, text_len);
 *     field = checksum_finish(&sum);
 */
#ifndef TLSYN_WIRE_CHECKSUM_H
#define TLSYN_WIRE_CHECKSUM_H

#include <tlsyn/types.h>

#include <endian.h>

/** A sum on its way. Zero is its beginning. */
struct checksum {
    /* of 16-bit words in the machine's byte order (RFC 1071 2 (B)), carries not folded in */
    uint64_t sum;
    bool odd; /* an odd number of octets has gone in: the next one is a low-order octet */
};

/** The sum goes on behind what was added before, as if the pieces lay side by side. */
void checksum_add(struct checksum *c, const void *bytes, size_t n);

/** The same for a word in host order; not behind an odd number of octets. */
static inline void checksum_add_word(struct checksum *c, uint16_t word)
{
    uint64_t before = c->sum;

    c->sum += htobe16(word);
    c->sum += c->sum < before;
}

/** The pseudo-header: RFC 9293 3.1 for IPv4, RFC 8200 8.1 for IPv6; `len` octets of transport
 * header and text. Both addresses are of one family. Goes first. */
void checksum_pseudo(struct checksum *c, const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
                     uint8_t protocol, uint32_t len);

/** The folded sum in host order, not complemented: what the checksum field of a
 * TLSYN_FRAME_CSUM_PARTIAL frame holds, when only the pseudo-header has been added. */
uint16_t checksum_fold(const struct checksum *c);

/** The value for the checksum field, in host order. */
static inline uint16_t checksum_finish(const struct checksum *c)
{
    return (uint16_t)~checksum_fold(c);
}

/** True if a sum over data that includes its checksum field finds no error. */
static inline bool checksum_good(const struct checksum *c)
{
    return checksum_fold(c) == 0xffff;
}

/** A checksum field after a 16-bit word that it covers has changed (RFC 1624 3, equation 3). All
 * in host order. */
uint16_t checksum_update(uint16_t field, uint16_t before, uint16_t after);

#endif
