/*
 * support/holds.h: an assertion for inner loops. Each ck_assert() reports to Check's parent
 * process, whether it holds or not, which takes longer than most of what is asserted; this one
 * reports failures only.
 */
#ifndef TEST_SUPPORT_HOLDS_H
#define TEST_SUPPORT_HOLDS_H

#include <check.h>

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", "does not hold: " #condition);                                      \
    } while (0)

#endif
