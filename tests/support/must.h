/*
 * support/must.h: an assertion for fuzz targets, there in every kind of build.
 */
#ifndef TEST_SUPPORT_MUST_H
#define TEST_SUPPORT_MUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline void must(bool held)
{
    if (!held)
        abort();
}

/** True if the part lies inside the whole. */
static inline bool inside(const uint8_t *part, size_t part_len, const uint8_t *whole, size_t len)
{
    return part >= whole && part <= whole + len && part_len <= (size_t)(whole + len - part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
