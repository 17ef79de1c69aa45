/*
 * ip/frag.h: bounded reassembly of fragments, one for both families. Read first: RFC 791 3.2,
 * RFC 8200 4.5, RFC 5722.
 *
 * Theory. A datagram that is being put together is a sorted array of pieces, each a copy of one
 * fragment. Pieces never overlap: a fragment that does, and is no exact copy of one that is there,
 * ends its datagram (RFC 5722, here for IPv4 too). So it is complete when as many octets have
 * arrived as the last fragment says there are. Then they are copied into one piece of memory, which
 * belongs to this room until frags_done(), at the end of the input that completed it.
 *
 *     first fragment --> collecting --> complete: handed on
 *                          |   |
 *                          |   +------> dead: an overlap, a lie about the length, too many
 *                          |              fragments; what still comes is thrown away until its time
 *                          |              is over
 *                          +----------> gone: its time is over, or others needed the memory
 *
 * What it may cost. Datagrams, their memory and the fragments of one are bounded (tlsyn_limits);
 * one source holds a quarter at most. Who came first leaves first. A fragment costs a keyed lookup
 * and a binary search in the pieces of its datagram: the pieces looked at are counted
 * (IpReasmSteps). Beside the bound there is one completed datagram.
 */
#ifndef TLSYN_IP_FRAG_H
#define TLSYN_IP_FRAG_H

#include "core/context.h"
#include "core/siphash.h"
#include "core/table.h"

struct ip;
struct ip_datagram;

struct frags {
    struct ip *ip;
    struct siphash_key key;
    struct table datagrams; /* by source, destination, identification, and IPv4's protocol */
    struct table sources;
    struct list oldest; /* datagrams, in the order they began */
    size_t bytes;       /* of memory, all datagrams together */
    uint8_t *whole;     /* completed by the frame in hand; NULL: none */
};

/** A fragment that has arrived. */
struct fragment {
    /* Of the frame. `header` begins the IP header, and up to `payload` all of it is headers; for
     * IPv6 the fragment header comes last, and `protocol` is what that names next. */
    const struct ip_datagram *datagram;
    uint32_t id;
    uint32_t offset; /* octets; a multiple of 8 */
    bool more;
};

void frags_init(struct frags *frags, struct ip *ip);
void frags_release(struct frags *frags);

/** What the fragment says of itself is possible. 0; -EINVAL: nothing in it, or not the last one and
 * no multiple of 8 octets; -EMSGSIZE: it reaches beyond the longest datagram there is. */
int fragment_check(const struct fragment *fragment);

/** True if the payload of a first fragment begins with the whole header of this protocol: what is
 * to be judged by its header must show it in one piece (RFC 7112 5, RFC 1858). */
bool fragment_holds_header(uint8_t protocol, const uint8_t *payload, size_t len);

/** Takes a fragment that passed both. NULL: kept, or dropped and counted. Else it completed *whole,
 * and this is the memory of the headers before its payload, those of the first fragment as they
 * came: the caller's to make right. Good until frags_done(). */
uint8_t *frags_take(struct frags *frags, const struct fragment *fragment,
                    struct ip_datagram *whole);

/** Frees what frags_take() completed, if anything. */
void frags_done(struct frags *frags);

#endif
