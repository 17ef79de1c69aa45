/*
 * tcp/early.c: a short queue of copies.
 */
#include "tcp/early.h"

static bool has_room(const struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    uint32_t count = 0, bytes = segment->text_len;

    for (const struct early_segment *e = conn->opening->early; e; e = e->next) {
        if (e->segment.seq == segment->seq)
            return false; /* the same once more */
        count++;
        bytes += e->segment.text_len;
    }
    return count < EARLY_SEGMENTS_MAX && bytes <= EARLY_BYTES_MAX;
}

void early_keep(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    struct context *cx = conn->tcp->cx;
    struct early_segment **end = &conn->opening->early;

    if (!has_room(conn, segment)) {
        drop(cx, TLSYN_DROP_tcp_ooo_full);
        return;
    }
    struct early_segment *e = context_alloc(cx, sizeof(*e) + segment->text_len);
    if (!e) {
        drop(cx, TLSYN_DROP_no_memory);
        return;
    }
    e->segment = *segment;
    e->segment.text = e->text;
    if (segment->text_len)
        memcpy(e->text, segment->text, segment->text_len);
    while (*end)
        end = &(*end)->next;
    *end = e;
}

struct early_segment *early_take(struct tlsyn_conn *conn)
{
    struct early_segment *first = conn->opening ? conn->opening->early : NULL;

    if (first)
        conn->opening->early = first->next;
    return first;
}

void early_release(struct tlsyn_conn *conn)
{
    struct early_segment *e;

    while ((e = early_take(conn)))
        context_free(conn->tcp->cx, e);
}
