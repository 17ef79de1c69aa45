/*
 * core/ring.h: a byte ring, addressed by offsets from the oldest byte that it holds.
 *
 *        0            used                      size
 *        |#############|...........................|   offsets; where in memory is its affair
 *        front         end
 *
 * The sender's ring holds bytes from snd_una on; the receiver's holds them from the first byte that
 * the user has not consumed, and out-of-order text is written beyond `used` at its place
 * (ring_write_at), to be counted in later by ring_commit(). Memory is taken at the first byte and
 * given back by ring_release(): an idle connection holds none.
 */
#ifndef TLSYN_CORE_RING_H
#define TLSYN_CORE_RING_H

#include <tlsyn/stack.h>

struct ring {
    uint8_t *memory; /* NULL: no memory held */
    uint32_t size;   /* bytes the ring may hold; a power of two */
    uint32_t front;  /* position in memory of offset 0 */
    uint32_t used;   /* bytes from offset 0 that are counted in */
};

/** An empty ring of at least `size` bytes (rounded up to a power of two, at most 1 GiB);
 * takes no memory. */
void ring_init(struct ring *r, uint32_t size);

/** The size that a ring of at least `size` bytes gets. */
uint32_t ring_rounded(uint32_t size);

/** Takes the memory if the ring has none. 0 or -ENOMEM. */
int ring_ensure(struct ring *r, struct tlsyn_alloc *alloc);

/** Gives the memory back; what the ring held is gone. */
void ring_release(struct ring *r, struct tlsyn_alloc *alloc);

/** A larger ring with the same contents, those beyond `used` included. 0 or -ENOMEM (then
 * nothing changed). */
int ring_grow(struct ring *r, struct tlsyn_alloc *alloc, uint32_t size);

static inline uint32_t ring_room(const struct ring *r)
{
    return r->size - r->used;
}

/** `len` bytes from `offset` on, as a view. The caller keeps offset + len <= size, and
 * ring_ensure() before. */
void ring_view(const struct ring *r, uint32_t offset, uint32_t len, struct tlsyn_view *view);

/** Copies bytes to `offset`; the caller keeps offset + len <= size. Does not count them in. */
void ring_write_at(struct ring *r, uint32_t offset, const void *bytes, uint32_t len);

/** Copies `len` bytes from `offset` out. */
void ring_read_at(const struct ring *r, uint32_t offset, void *bytes, uint32_t len);

/** Counts the next n bytes in; n <= room. */
void ring_commit(struct ring *r, uint32_t n);

/** Forgets the first n bytes; n <= used. */
void ring_consume(struct ring *r, uint32_t n);

/** An empty ring, beyond whose end nothing lies either, begins anew at the front of its memory:
 * what is read as fast as it comes needs no more of it than the processor's cache holds. */
static inline void ring_rewind(struct ring *r)
{
    r->front = 0;
}

#endif
