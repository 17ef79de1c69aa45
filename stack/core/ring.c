/*
 * core/ring.c: a byte ring whose size is a power of two, so that a position is one mask away.
 */
#include "core/ring.h"

#include <assert.h>
#include <errno.h>

#define SIZE_MAX_LOG2 30

uint32_t ring_rounded(uint32_t size)
{
    uint32_t rounded = 1;

    while (rounded < size && rounded < UINT32_C(1) << SIZE_MAX_LOG2)
        rounded <<= 1;
    return rounded;
}

void ring_init(struct ring *r, uint32_t size)
{
    *r = (struct ring){.size = ring_rounded(size)};
}

int ring_ensure(struct ring *r, struct tlsyn_alloc *alloc)
{
    if (r->memory)
        return 0;
    r->memory = alloc->resize(alloc, NULL, r->size);
    return r->memory ? 0 : -ENOMEM;
}

void ring_release(struct ring *r, struct tlsyn_alloc *alloc)
{
    if (r->memory)
        alloc->resize(alloc, r->memory, 0);
    ring_init(r, r->size);
}

int ring_grow(struct ring *r, struct tlsyn_alloc *alloc, uint32_t size)
{
    uint8_t *memory = NULL;

    size = ring_rounded(size);
    if (size <= r->size)
        return 0;
    if (r->memory) {
        memory = alloc->resize(alloc, NULL, size);
        if (!memory)
            return -ENOMEM;
        ring_read_at(r, 0, memory, r->size);
        alloc->resize(alloc, r->memory, 0);
    }
    r->memory = memory;
    r->size = size;
    r->front = 0;
    return 0;
}

void ring_view(const struct ring *r, uint32_t offset, uint32_t len, struct tlsyn_view *view)
{
    uint32_t position = (r->front + offset) & (r->size - 1);
    uint32_t before_wrap = r->size - position;

    *view = (struct tlsyn_view){0};
    if (len == 0)
        return;
    assert(r->memory && len <= r->size && offset <= r->size - len);
    view->part[0].iov_base = r->memory + position;
    view->part[0].iov_len = len < before_wrap ? len : before_wrap;
    if (len > before_wrap) {
        view->part[1].iov_base = r->memory;
        view->part[1].iov_len = len - before_wrap;
    }
}

void ring_write_at(struct ring *r, uint32_t offset, const void *bytes, uint32_t len)
{
    struct tlsyn_view view;

    ring_view(r, offset, len, &view);
    if (view.part[0].iov_len)
        memcpy(view.part[0].iov_base, bytes, view.part[0].iov_len);
    if (view.part[1].iov_len)
        memcpy(view.part[1].iov_base, (const uint8_t *)bytes + view.part[0].iov_len,
               view.part[1].iov_len);
}

void ring_read_at(const struct ring *r, uint32_t offset, void *bytes, uint32_t len)
{
    struct tlsyn_view view;

    ring_view(r, offset, len, &view);
    if (view.part[0].iov_len)
        memcpy(bytes, view.part[0].iov_base, view.part[0].iov_len);
    if (view.part[1].iov_len)
        memcpy((uint8_t *)bytes + view.part[0].iov_len, view.part[1].iov_base,
               view.part[1].iov_len);
}

void ring_commit(struct ring *r, uint32_t n)
{
    assert(n <= ring_room(r));
    r->used += n;
}

void ring_consume(struct ring *r, uint32_t n)
{
    assert(n <= r->used);
    r->front = (r->front + n) & (r->size - 1);
    r->used -= n;
}
