/*
 * core/alloc.c: libc's allocator behind the stack's interface: the only place that calls it.
 */
#include <tlsyn/stack.h>

#include <stdlib.h>

static void *libc_resize(struct tlsyn_alloc *alloc, void *memory, size_t size)
{
    (void)alloc;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size);
}

struct tlsyn_alloc *tlsyn_alloc_libc(void)
{
    /* Holds no state: one for everybody. */
    static struct tlsyn_alloc libc = {.resize = libc_resize};

    return &libc;
}
