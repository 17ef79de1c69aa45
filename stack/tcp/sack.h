/*
 * tcp/sack.h: the sender's scoreboard (RFC 6675 3): what of [snd_una, snd_nxt) was sent when, has
 * arrived, or is lost; and the reading of the SACK blocks that say so.
 *
 *     snd_una                                                        snd_nxt
 *        |  lost  |  sacked  |   sent at t3, again   |  sent at t1  |  t2  |
 *
 * A piece is a run of sequence numbers with one fate: sent at one time (RFC 8985 5: per-segment
 * state), as often, and arrived or lost together. Pieces lie without gap in the order of sequence
 * numbers. There is no queue of segments: text is in the send ring, and a train that left at once
 * is one piece until a SACK block cuts it.
 *
 * The number of pieces is bounded. A block that would make too many is ignored, which RFC 2018 8
 * allows: SACK is advice.
 */
#ifndef TLSYN_TCP_SACK_H
#define TLSYN_TCP_SACK_H

#include <tlsyn/stack.h>

#include "tcp/rate.h"
#include "wire/tcp_options.h"

enum piece_flags {
    PIECE_SACKED = 1, /* has arrived, out of order */
    PIECE_LOST = 2,   /* to be sent again; not in the network */
    PIECE_RESENT = 4, /* was sent more than once: measures no round trip */
};

struct piece {
    tcp_seq from, to;
    tlsyn_time at; /* the last transmission (R8985-2) */
    struct rate_mark mark;
    uint8_t flags;
};

struct board_memory {
    struct rate rate;
    struct piece piece[];
};

struct board {
    struct board_memory *memory; /* may be NULL while nothing is on its way */
    uint32_t first, count, room, max;
    uint32_t sacked, lost; /* sequence numbers in such pieces */
    tcp_seq resent_end; /* nothing from here on was sent twice: times rise with sequence numbers */
};

/** Told of each piece, or part of one, that is found to have arrived. */
struct board_news {
    void (*arrived)(struct board_news *, const struct piece *);
};

static inline struct piece *board_at(const struct board *b, uint32_t i)
{
    return &b->memory->piece[b->first + i];
}

/** `max`: pieces; 0: there is never a board. */
void board_init(struct board *b, uint32_t max);
void board_release(struct board *b, struct tlsyn_alloc *alloc);

/** Nothing was sent for a while: an empty board gives its memory back. */
void board_idle(struct board *b, struct tlsyn_alloc *alloc);

/** [from, to) leaves for the first time. -ENOMEM, -ENOSPC: nothing changed, and the board does not
 * cover the flight any more. */
int board_append(struct board *b, struct tlsyn_alloc *alloc, tcp_seq from, tcp_seq to,
                 tlsyn_time now);

/** [from, to) leaves again: it is not lost any more. What is sacked of it stays so. As
 * board_append(). */
int board_resent(struct board *b, struct tlsyn_alloc *alloc, tcp_seq from, tcp_seq to,
                 tlsyn_time now);

/** Everything below `una` has arrived. Returns how many sequence numbers of it are news. */
uint32_t board_ack(struct board *b, struct tlsyn_alloc *alloc, tcp_seq una,
                   struct board_news *news);

/** The block's sequence numbers, which lie on the board, have arrived. Returns how many of them are
 * news; 0 also if the block is ignored, because it would make more than `pieces` pieces. */
uint32_t board_sack(struct board *b, struct tlsyn_alloc *alloc, const struct tcp_sack_block *block,
                    uint32_t pieces, struct board_news *news);

/** [from, to), which the board has noted last, left with this mark. */
void board_mark(struct board *b, tcp_seq from, tcp_seq to, const struct rate_mark *mark);

/** A piece that is neither sacked nor lost is lost. */
void board_lose(struct board *b, struct piece *p);

/** Nothing is lost any more: what was held lost is on its way after all. */
void board_find_all(struct board *b);

/** Something is on its way for the second time. */
bool board_any_resent(const struct board *b);

/** The peer did not keep what it had reported (RFC 2018 8): no piece is sacked any more. */
void board_renege(struct board *b);

/** The first lost piece, or NULL; *len: sequence numbers that are lost from its beginning on. */
const struct piece *board_first_lost(const struct board *b, uint32_t *len);

/** What the blocks of one segment say. */
struct sack_view {
    struct tcp_sack_block block[TCP_SACK_BLOCKS_MAX]; /* inside (una, nxt], by `left` */
    int count;
    bool dsack; /* RFC 2883: something arrived twice */
    struct tcp_sack_block twice;
};

/** What we hold a segment's blocks against. */
struct sack_bounds {
    tcp_seq ack;      /* the segment's ACK field; below una if ACKs were reordered */
    tcp_seq una, nxt; /* snd_una, after this ACK, and snd_nxt */
    uint32_t window;  /* a block further below `ack` is no D-SACK */
};

/** Reads the blocks of a segment: those that are empty, inverted, or speak of what is acknowledged
 * or was never sent are left out (RFC 2018 3, RFC 2883 4). */
void sack_read(const struct tcp_options *options, const struct sack_bounds *bounds,
               struct sack_view *view);

#endif
