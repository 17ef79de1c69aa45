/*
 * tcp/sack.c: the scoreboard. Read first: RFC 2018 3 and 8, RFC 2883 4, RFC 6675 3 and
 * 4, RFC 8985 5.
 *
 * The pieces are an array; its front moves up as they are acknowledged, and it slides back when
 * its end is reached. An operation costs at most a walk over the array, whose length a hostile
 * peer can't choose.
 */
#include "tcp/sack.h"

#include <errno.h>

#define ROOM_FIRST 16

void board_init(struct board *b, uint32_t max)
{
    *b = (struct board){.max = max};
}

void board_release(struct board *b, struct tlsyn_alloc *alloc)
{
    if (b->memory)
        alloc->resize(alloc, b->memory, 0);
    board_init(b, b->max);
}

void board_idle(struct board *b, struct tlsyn_alloc *alloc)
{
    if (b->count == 0)
        board_release(b, alloc);
}

static uint32_t length(const struct piece *p)
{
    return (uint32_t)seq_diff(p->to, p->from);
}

/* --- room ------------------------------------------------------------------------------------- */

static int make_room(struct board *b, struct tlsyn_alloc *alloc, uint32_t n)
{
    uint32_t room = b->room ? b->room : ROOM_FIRST;

    if (b->first + b->count + n <= b->room)
        return 0;
    if (b->first > 0) {
        memmove(b->memory->piece, b->memory->piece + b->first, b->count * sizeof(struct piece));
        b->first = 0;
    }
    if (b->count + n <= b->room - b->room / 4) /* else it would slide again too soon */
        return 0;
    while (room - room / 4 < b->count + n)
        room *= 2;
    struct board_memory *memory =
        alloc->resize(alloc, b->memory, sizeof(*memory) + room * sizeof(struct piece));
    if (!memory)
        return b->count + n <= b->room ? 0 : -ENOMEM;
    if (!b->memory)
        memory->rate = (struct rate){0};
    b->memory = memory;
    b->room = room;
    return 0;
}

static void take_out(struct board *b, uint32_t index, uint32_t n)
{
    struct piece *at = board_at(b, index);

    b->count -= n;
    memmove(at, at + n, (b->count - index) * sizeof(*at));
}

/* --- places ----------------------------------------------------------------------------------- */

/* The index of the piece with `seq` in it, or count. */
static uint32_t find(const struct board *b, tcp_seq seq)
{
    uint32_t low = 0, high = b->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (seq_leq(board_at(b, middle)->to, seq))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A piece begins at `seq`, which lies on the board; there is room. Its index. */
static uint32_t cut(struct board *b, tcp_seq seq)
{
    uint32_t i = find(b, seq);

    if (i == b->count || board_at(b, i)->from == seq)
        return i;
    struct piece *p = board_at(b, i);
    memmove(p + 1, p, (b->count - i) * sizeof(*p));
    b->count++;
    p[0].to = p[1].from = seq;
    return i + 1;
}

static bool alike(const struct piece *a, const struct piece *b)
{
    return a->flags == b->flags && (a->flags & PIECE_SACKED || a->at == b->at);
}

/* Makes one of the pieces with indices [from, to) and their neighbours where nothing tells them
 * apart. */
static void join(struct board *b, uint32_t from, uint32_t to)
{
    uint32_t i = from > 0 ? from - 1 : 0, end = to < b->count ? to + 1 : b->count, kept = i;

    while (++i < end) {
        if (alike(board_at(b, kept), board_at(b, i)))
            board_at(b, kept)->to = board_at(b, i)->to;
        else
            *board_at(b, ++kept) = *board_at(b, i);
    }
    if (kept + 1 < end)
        take_out(b, kept + 1, end - kept - 1);
}

/* --- sent ------------------------------------------------------------------------------------- */

int board_append(struct board *b, struct tlsyn_alloc *alloc, tcp_seq from, tcp_seq to,
                 tlsyn_time now)
{
    struct piece *last = b->count ? board_at(b, b->count - 1) : NULL;

    /* When there are too many pieces, one stands for several transmissions. It has the time of the
     * last of them, with which it will be held lost rather too late than too early. */
    if (last && last->flags == 0 && (last->at == now || b->count >= b->max)) {
        last->to = to;
        last->at = now;
        return 0;
    }
    if (b->count >= 2 * b->max)
        return -ENOSPC;
    int error = make_room(b, alloc, 1);
    if (error < 0)
        return error;
    if (b->count == 0)
        b->resent_end = from;
    *board_at(b, b->count++) = (struct piece){.from = from, .to = to, .at = now};
    return 0;
}

int board_resent(struct board *b, struct tlsyn_alloc *alloc, tcp_seq from, tcp_seq to,
                 tlsyn_time now)
{
    if (b->count >= 2 * b->max)
        return -ENOSPC;
    int error = make_room(b, alloc, 2);
    if (error < 0)
        return error;
    uint32_t i = cut(b, from), end = cut(b, to);
    for (uint32_t k = i; k < end; k++) {
        struct piece *p = board_at(b, k);

        if (p->flags & PIECE_SACKED)
            continue;
        if (p->flags & PIECE_LOST)
            b->lost -= length(p);
        p->flags = PIECE_RESENT;
        p->at = now;
    }
    join(b, i, end);
    b->resent_end = seq_max(b->resent_end, to);
    return 0;
}

void board_mark(struct board *b, tcp_seq from, tcp_seq to, const struct rate_mark *mark)
{
    for (uint32_t i = find(b, from); i < b->count && seq_lt(board_at(b, i)->from, to); i++) {
        struct piece *p = board_at(b, i);

        if (p->flags & PIECE_SACKED)
            continue;
        if (seq_lt(p->from, from)) /* what was noted has joined an older piece */
            p->mark.in_flight = mark->in_flight;
        else
            p->mark = *mark;
    }
}

/* --- arrived ---------------------------------------------------------------------------------- */

/* Counts a piece, or part of one, as arrived, unless it was before. */
static uint32_t arrive(struct board *b, const struct piece *p, struct board_news *news)
{
    if (p->flags & PIECE_SACKED)
        return 0;
    if (p->flags & PIECE_LOST)
        b->lost -= length(p);
    if (news)
        news->arrived(news, p);
    return length(p);
}

/* Nothing is on its way: a board of the first size is kept for what is sent next. */
static void clear(struct board *b, struct tlsyn_alloc *alloc)
{
    if (b->room > ROOM_FIRST)
        board_release(b, alloc);
    b->first = 0;
    b->resent_end = 0;
}

uint32_t board_ack(struct board *b, struct tlsyn_alloc *alloc, tcp_seq una, struct board_news *news)
{
    uint32_t arrived = 0;

    while (b->count && seq_lt(board_at(b, 0)->from, una)) {
        struct piece *p = board_at(b, 0), part = *p;

        part.to = seq_min(p->to, una);
        if (p->flags & PIECE_SACKED)
            b->sacked -= length(&part);
        arrived += arrive(b, &part, news);
        p->from = part.to;
        if (p->from == p->to) {
            b->first++;
            b->count--;
        }
    }
    b->resent_end = seq_max(b->resent_end, una);
    if (b->count == 0)
        clear(b, alloc);
    return arrived;
}

/* How many pieces the block would cut in two. */
static uint32_t cuts(const struct board *b, const struct tcp_sack_block *block)
{
    uint32_t i = find(b, block->left), k = find(b, block->right);
    bool left = i < b->count && board_at(b, i)->from != block->left;
    bool right = k < b->count && board_at(b, k)->from != block->right;

    return (uint32_t)left + (uint32_t)right;
}

static bool known(const struct board *b, const struct tcp_sack_block *block)
{
    uint32_t i = find(b, block->left);

    return i == b->count ||
           (board_at(b, i)->flags & PIECE_SACKED && seq_geq(board_at(b, i)->to, block->right));
}

/* R6675-1 */
uint32_t board_sack(struct board *b, struct tlsyn_alloc *alloc, const struct tcp_sack_block *block,
                    uint32_t pieces, struct board_news *news)
{
    uint32_t arrived = 0;

    if (known(b, block)) /* most blocks come several times */
        return 0;
    uint32_t more = cuts(b, block);
    if (more && (b->count + more > pieces || make_room(b, alloc, more) < 0))
        return 0;
    uint32_t i = cut(b, block->left), end = cut(b, block->right);
    for (uint32_t k = i; k < end; k++) {
        struct piece *p = board_at(b, k);
        uint32_t n = arrive(b, p, news);

        b->sacked += n;
        arrived += n;
        p->flags = PIECE_SACKED;
    }
    join(b, i, end);
    return arrived;
}

/* --- lost ------------------------------------------------------------------------------------- */

void board_lose(struct board *b, struct piece *p)
{
    p->flags |= PIECE_LOST;
    b->lost += length(p);
    rate_lost(&b->memory->rate, &p->mark, length(p));
}

void board_find_all(struct board *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        board_at(b, i)->flags &= (uint8_t)~PIECE_LOST;
    b->lost = 0;
}

bool board_any_resent(const struct board *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (board_at(b, i)->flags == PIECE_RESENT)
            return true;
    return false;
}

void board_renege(struct board *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (board_at(b, i)->flags & PIECE_SACKED)
            board_at(b, i)->flags = PIECE_RESENT;
    if (b->count)
        b->resent_end = board_at(b, b->count - 1)->to;
    b->sacked = 0;
}

const struct piece *board_first_lost(const struct board *b, uint32_t *len)
{
    const struct piece *first = NULL;

    *len = 0;
    if (b->lost == 0)
        return NULL;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct piece *p = board_at(b, i);

        if (p->flags & PIECE_LOST) {
            first = first ? first : p;
            *len += length(p);
        } else if (first) {
            break;
        }
    }
    return first;
}

/* --- what the peer says ----------------------------------------------------------------------- */

static bool proper(const struct tcp_sack_block *block)
{
    return seq_lt(block->left, block->right);
}

static bool inside(const struct tcp_sack_block *block, const struct tcp_sack_block *around)
{
    return seq_geq(block->left, around->left) && seq_leq(block->right, around->right);
}

/* RFC 2883 4: the first block, if it lies below the cumulative ACK or in the second block,
 * reports a duplicate. */
static bool is_dsack(const struct tcp_options *o, const struct sack_bounds *bounds)
{
    const struct tcp_sack_block *first = &o->sack[0];

    if (o->sack_count == 0 || !proper(first) || seq_gt(first->right, bounds->nxt) ||
        seq_diff(bounds->ack, first->left) > (int32_t)bounds->window)
        return false;
    if (seq_leq(first->right, bounds->ack))
        return true;
    return o->sack_count > 1 && proper(&o->sack[1]) && inside(first, &o->sack[1]);
}

/* The lowest first: the blocks of one ACK don't tell in which order their segments arrived, and
 * must not look like reordering (RFC 8985 6.2 step 3). */
static void add_in_order(struct sack_view *view, const struct tcp_sack_block *block)
{
    int i = view->count++;

    for (; i > 0 && seq_gt(view->block[i - 1].left, block->left); i--)
        view->block[i] = view->block[i - 1];
    view->block[i] = *block;
}

/* R2018-10 */
void sack_read(const struct tcp_options *options, const struct sack_bounds *bounds,
               struct sack_view *view)
{
    int i = 0;

    *view = (struct sack_view){.dsack = is_dsack(options, bounds)};
    if (view->dsack)
        view->twice = options->sack[i++];
    for (; i < options->sack_count; i++) {
        const struct tcp_sack_block *block = &options->sack[i];

        /* An honest receiver has no block that begins at una: it would have acknowledged it. */
        if (proper(block) && seq_gt(block->left, bounds->una) && seq_leq(block->right, bounds->nxt))
            add_in_order(view, block);
    }
}
