/*
 * loop/resolver_sort.h: the order in which the addresses of a name are worth a try. Read first:
 * RFC 6724 3.1, 6.
 */
#ifndef TLSYN_LOOP_RESOLVER_SORT_H
#define TLSYN_LOOP_RESOLVER_SORT_H

#include <tlsyn/stack.h>

/** Sorts by rules 1 (avoid what there is no route to), 2 (a source of the same scope), 6
 * (precedence) and 8 (smaller scope); else the order stays. More than 32 are left as they are. */
void resolver_sort(struct tlsyn_stack *stack, struct tlsyn_addr *addrs, size_t n);

#endif
