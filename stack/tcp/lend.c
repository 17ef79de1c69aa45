/*
 * tcp/lend.c: text that leaves from where its user keeps it. See lend.h.
 *
 * Pieces stand in the order of the stream. They are few, so that a search is a walk: what a user
 * lends in small pieces, or in too many, is copied.
 */
#include "tcp/lend.h"

#include <string.h>

#include "tcp/buffers.h"

#define PIECES_MAX 32
#define PIECE_MIN  (16u << 10) /* copying less is cheaper, unless a lent piece ends right there */

struct lent {
    tcp_seq from;
    uint32_t len;
    const uint8_t *bytes;
};

struct lending {
    uint32_t count;
    struct lent piece[PIECES_MAX];
};

static tcp_seq end_of(const struct lent *p)
{
    return p->from + p->len;
}

static void remove_pieces(struct lending *l, uint32_t at, uint32_t n)
{
    l->count -= n;
    memmove(l->piece + at, l->piece + at + n, (l->count - at) * sizeof(*l->piece));
}

/* --- what is sent ----------------------------------------------------------------------------- */

static bool add_part(struct tlsyn_view *view, int *parts, const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return true;
    if (*parts == 2)
        return false;
    view->part[(*parts)++] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    return true;
}

/* From the ring: one part, or two where it wraps around. */
static bool add_copied(const struct tlsyn_conn *conn, tcp_seq seq, uint32_t len,
                       struct tlsyn_view *view, int *parts)
{
    struct tlsyn_view copied;

    ring_view(&conn->snd, (uint32_t)seq_diff(seq, tcp_snd_base(conn)), len, &copied);
    return add_part(view, parts, copied.part[0].iov_base, copied.part[0].iov_len) &&
           add_part(view, parts, copied.part[1].iov_base, copied.part[1].iov_len);
}

/* False: it has more parts than a view. */
static bool view_of(const struct tlsyn_conn *conn, tcp_seq seq, uint32_t len,
                    struct tlsyn_view *view)
{
    const struct lending *l = conn->lending;
    tcp_seq end = seq + len;
    int parts = 0;

    *view = (struct tlsyn_view){0};
    for (uint32_t i = 0; i < l->count && seq_lt(seq, end); i++) {
        const struct lent *p = &l->piece[i];
        tcp_seq from = seq_max(seq, p->from), to = seq_min(end, end_of(p));

        if (seq_geq(from, to))
            continue;
        if (!add_copied(conn, seq, (uint32_t)seq_diff(from, seq), view, &parts) ||
            !add_part(view, &parts, p->bytes + seq_diff(from, p->from), (size_t)seq_diff(to, from)))
            return false;
        seq = to;
    }
    return add_copied(conn, seq, (uint32_t)seq_diff(end, seq), view, &parts);
}

/* Copies in the pieces that touch [seq, end). */
static void copy_in(struct tlsyn_conn *conn, tcp_seq seq, tcp_seq end)
{
    struct lending *l = conn->lending;
    uint32_t first = 0, after;

    while (first < l->count && seq_leq(end_of(&l->piece[first]), seq))
        first++;
    for (after = first; after < l->count && seq_lt(l->piece[after].from, end); after++) {
        const struct lent *p = &l->piece[after];
        uint32_t place = (uint32_t)seq_diff(p->from, tcp_snd_base(conn));

        ring_write_at(&conn->snd, place, p->bytes, p->len);
    }
    remove_pieces(l, first, after - first);
}

void lend_view(struct tlsyn_conn *conn, tcp_seq seq, uint32_t len, struct tlsyn_view *view)
{
    if (!conn->lending) {
        ring_view(&conn->snd, (uint32_t)seq_diff(seq, tcp_snd_base(conn)), len, view);
    } else if (!view_of(conn, seq, len, view)) {
        copy_in(conn, seq, seq + len);
        (void)view_of(conn, seq, len, view);
    }
}

/* --- how long it is lent ---------------------------------------------------------------------- */

void lend_acked(struct tlsyn_conn *conn)
{
    struct lending *l = conn->lending;
    tcp_seq base = tcp_snd_base(conn);
    uint32_t gone = 0;

    if (!l)
        return;
    while (gone < l->count && seq_leq(end_of(&l->piece[gone]), base))
        gone++;
    remove_pieces(l, 0, gone);
    if (l->count > 0 && seq_lt(l->piece[0].from, base)) {
        uint32_t acked = (uint32_t)seq_diff(base, l->piece[0].from);

        l->piece[0].from = base;
        l->piece[0].len -= acked;
        l->piece[0].bytes += acked;
    }
}

void lend_end(struct tlsyn_conn *conn)
{
    if (!conn->lending)
        return;
    copy_in(conn, tcp_snd_base(conn), tcp_snd_end(conn));
    lend_release(conn);
}

void lend_release(struct tlsyn_conn *conn)
{
    if (conn->lending)
        context_free(conn->tcp->cx, conn->lending);
    conn->lending = NULL;
}

/* --- the user's side -------------------------------------------------------------------------- */

/* One more piece, or the last one becomes longer; false: no room for it. */
static bool keep(struct tlsyn_conn *conn, const uint8_t *bytes, uint32_t len)
{
    struct lending *l = conn->lending;
    tcp_seq from = tcp_snd_end(conn);
    struct lent *last;

    if (!l)
        l = conn->lending = context_alloc(conn->tcp->cx, sizeof(*l));
    if (!l)
        return false;
    last = l->count > 0 && end_of(&l->piece[l->count - 1]) == from ? &l->piece[l->count - 1] : NULL;
    if (last && last->bytes + last->len == bytes) {
        last->len += len;
        return true;
    }
    if (l->count == PIECES_MAX || (!last && len < PIECE_MIN))
        return false;
    l->piece[l->count++] = (struct lent){from, len, bytes};
    return true;
}

ssize_t tlsyn_conn_lend(struct tlsyn_conn *conn, const void *bytes, size_t n)
{
    struct tlsyn_view view;
    ssize_t room;

    if (!tcp_synchronized(conn))
        return tlsyn_conn_write(conn, bytes, n);
    room = tlsyn_conn_reserve(conn, n, &view);
    if (room <= 0)
        return room;
    if (!keep(conn, bytes, (uint32_t)room))
        return tlsyn_conn_write(conn, bytes, (size_t)room);
    tlsyn_conn_commit(conn, (size_t)room);
    return room;
}
