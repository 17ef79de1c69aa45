/*
 * core/list.h: a doubly linked list whose nodes live inside the objects that are listed.
 */
#ifndef TLSYN_CORE_LIST_H
#define TLSYN_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** A node, or the head of a list (then it points to itself when empty). A node that is in no list
 * points to itself too. */
struct list {
    struct list *next, *prev;
};

/** The object of `type` whose `member` is at `ptr`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define list_each(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)

/** As list_each, and the body may remove (or free) `it`. */
#define list_each_safe(it, after, head)                                                            \
    for (struct list *it = (head)->next, *after = it->next; it != (head);                          \
         it = after, after = it->next)

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/** True if the node is in some list. */
static inline bool list_linked(const struct list *node)
{
    return node->next != node;
}

static inline void list_insert_before(struct list *at, struct list *node)
{
    node->prev = at->prev;
    node->next = at;
    at->prev->next = node;
    at->prev = node;
}

static inline void list_append(struct list *head, struct list *node)
{
    list_insert_before(head, node);
}

/** Harmless for a node in no list. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/** The first node, or NULL. */
static inline struct list *list_first(struct list *head)
{
    return list_empty(head) ? NULL : head->next;
}

#endif
