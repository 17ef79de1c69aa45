/*
 * support/memory.h: an allocator that counts what is out, and fails when it is told to.
 */
#ifndef TEST_SUPPORT_MEMORY_H
#define TEST_SUPPORT_MEMORY_H

#include <tlsyn/stack.h>

struct test_memory {
    struct tlsyn_alloc base;
    size_t blocks;        /* blocks that were taken and not given back */
    size_t bytes;         /* in these */
    uint64_t calls;       /* that asked for memory */
    uint64_t fail_from;   /* asking fails from this call on, counted from 1; 0: never */
    uint64_t fail_to;     /* the last call that fails */
    uint32_t fail_chance; /* parts per million of the others, by lot: */
    struct tlsyn_random *random;
};

void test_memory_init(struct test_memory *m);

/** The nth request from now on fails, and only it; n counts from 1. */
void test_memory_fail(struct test_memory *m, uint64_t n);

/** Every request from now on fails; `false` ends that. */
void test_memory_fail_all(struct test_memory *m, bool fail);

#endif
