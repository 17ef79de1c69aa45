/*
 * differential/stacks.h: the two stacks.
 */
#ifndef DIFFERENTIAL_STACKS_H
#define DIFFERENTIAL_STACKS_H

#include "differential/subject.h"

/* Of both receivers: less than an MSS, for of more the kernel announces whole MSS alone. */
#define DIFFERENTIAL_WINDOW 1400

struct subject *ours_new(void);
void ours_free(struct subject *s);

/** In a network namespace that this makes, and the process stays in. NULL: it can't be made; the
 * reason is printed. */
struct subject *kernel_new(void);
void kernel_free(struct subject *s);

#endif
