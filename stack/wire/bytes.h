/*
 * wire/bytes.h: cursors that read and write octets in network byte order and cannot
 * leave their memory.
 *
 * A cursor that is asked for more than there is reads zeros (or writes nothing) from then on and
 * remembers it, so that a parser states its fields one after the other, like a schema, and asks
 * once at the end (or before it trusts a length).
 */
#ifndef TLSYN_WIRE_BYTES_H
#define TLSYN_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const uint8_t *at;
    size_t left;  /* octets from `at` on */
    bool overrun; /* more was asked for than there was; sticky */
};

struct writer {
    uint8_t *at;
    size_t room;  /* octets from `at` on */
    bool overrun; /* more was written than there was room for; sticky */
};

static inline struct reader reader_of(const uint8_t *bytes, size_t len)
{
    return (struct reader){.at = bytes, .left = len};
}

/** The next n octets, or NULL. */
static inline const uint8_t *get_span(struct reader *r, size_t n)
{
    const uint8_t *span = r->at;

    if (r->left < n) {
        r->left = 0;
        r->overrun = true;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return span;
}

static inline uint8_t get_u8(struct reader *r)
{
    const uint8_t *at = get_span(r, 1);

    return at ? *at : 0;
}

static inline uint16_t get_u16(struct reader *r)
{
    const uint8_t *at = get_span(r, 2);

    return at ? (uint16_t)((unsigned)at[0] << 8 | at[1]) : 0;
}

static inline uint32_t get_u32(struct reader *r)
{
    const uint8_t *at = get_span(r, 4);

    return at ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3] : 0;
}

/** Copies the next n octets; zeros if there are fewer. */
static inline void get_bytes(struct reader *r, uint8_t *bytes, size_t n)
{
    const uint8_t *at = get_span(r, n);

    if (at)
        memcpy(bytes, at, n);
    else
        memset(bytes, 0, n);
}

static inline void get_skip(struct reader *r, size_t n)
{
    get_span(r, n);
}

static inline struct writer writer_of(uint8_t *bytes, size_t room)
{
    return (struct writer){.at = bytes, .room = room};
}

/** Room for the next n octets, or NULL. */
static inline uint8_t *put_span(struct writer *w, size_t n)
{
    uint8_t *span = w->at;

    if (w->room < n) {
        w->room = 0;
        w->overrun = true;
        return NULL;
    }
    w->at += n;
    w->room -= n;
    return span;
}

static inline void put_u8(struct writer *w, uint8_t value)
{
    uint8_t *at = put_span(w, 1);

    if (at)
        *at = value;
}

static inline void put_u16(struct writer *w, uint16_t value)
{
    uint8_t *at = put_span(w, 2);

    if (at) {
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
    }
}

static inline void put_u32(struct writer *w, uint32_t value)
{
    uint8_t *at = put_span(w, 4);

    if (at) {
        at[0] = (uint8_t)(value >> 24);
        at[1] = (uint8_t)(value >> 16);
        at[2] = (uint8_t)(value >> 8);
        at[3] = (uint8_t)value;
    }
}

static inline void put_bytes(struct writer *w, const uint8_t *bytes, size_t n)
{
    uint8_t *at = put_span(w, n);

    if (at && n)
        memcpy(at, bytes, n);
}

#endif
