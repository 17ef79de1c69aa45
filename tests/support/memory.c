/*
 * support/memory.c: an allocator that counts what is out, and fails when it is told to.
 */
#include "support/memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "core/list.h"
#include "core/random.h"

static void *resize(struct tlsyn_alloc *alloc, void *memory, size_t size)
{
    struct test_memory *m = container_of(alloc, struct test_memory, base);
    size_t before = memory ? malloc_usable_size(memory) : 0;
    void *moved;

    if (size == 0) {
        m->blocks -= memory != NULL;
        m->bytes -= before;
        free(memory);
        return NULL;
    }
    m->calls++;
    if (m->fail_from && m->calls >= m->fail_from && m->calls <= m->fail_to)
        return NULL;
    if (m->fail_chance && random_below(m->random, 1000000) < m->fail_chance)
        return NULL;
    moved = realloc(memory, size);
    m->blocks += moved && !memory;
    m->bytes += moved ? malloc_usable_size(moved) - before : 0;
    return moved;
}

void test_memory_init(struct test_memory *m)
{
    *m = (struct test_memory){.base = {.resize = resize}};
}

void test_memory_fail(struct test_memory *m, uint64_t n)
{
    m->fail_from = m->fail_to = m->calls + n;
}

void test_memory_fail_all(struct test_memory *m, bool fail)
{
    m->fail_from = fail ? m->calls + 1 : 0;
    m->fail_to = UINT64_MAX;
}
