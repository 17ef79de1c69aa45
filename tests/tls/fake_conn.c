/*
 * fake_conn.c: two joined connections without a TCP.
 */
#include "fake_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- rings ------------------------------------------------------------------------------------ */

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct tlsyn_view ring_view(const struct wire_ring *r, size_t at, size_t n)
{
    size_t from = (r->start + at) % r->size;
    size_t first = min_size(n, r->size - from);
    struct tlsyn_view v = {{{r->bytes + from, first}, {r->bytes, n - first}}};

    return v;
}

static void ring_drop(struct wire_ring *r, size_t n)
{
    r->start = (r->start + n) % r->size;
    r->len -= n;
}

static void ring_put(struct wire_ring *r, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        r->bytes[(r->start + r->len + i) % r->size] = bytes[i];
    r->len += n;
}

/* --- the calls of tlsyn/conn.h and tlsyn/stack.h that an engine makes ------------------------- */

tlsyn_time tlsyn_stack_now(const struct tlsyn_stack *stack)
{
    return stack->now;
}

struct tlsyn_trace *tlsyn_stack_trace(struct tlsyn_stack *stack)
{
    (void)stack;
    return NULL;
}

void tlsyn_count(struct tlsyn_stack *stack, enum tlsyn_counter counter)
{
    stack->counter[counter]++;
}

uint32_t tlsyn_conn_syn_room(const struct tlsyn_conn *c)
{
    return (uint32_t)min_size(c->wire->syn_room, UINT32_MAX);
}

void tlsyn_conn_info(const struct tlsyn_conn *c, struct tlsyn_conn_info *info)
{
    (void)c;
    *info = (struct tlsyn_conn_info){.number = 1};
}

bool tlsyn_conn_validated(const struct tlsyn_conn *c)
{
    return c->established || !c->wire->strangers;
}

void tlsyn_conn_wake(struct tlsyn_conn *c, tlsyn_time when)
{
    c->wake = when;
}

struct tlsyn_stack *tlsyn_conn_stack(struct tlsyn_conn *c)
{
    return &c->wire->stack;
}

void tlsyn_conn_set_handler(struct tlsyn_conn *c, struct tlsyn_handler *handler)
{
    c->handler = handler;
}

size_t tlsyn_conn_peek(struct tlsyn_conn *c, struct tlsyn_view *view)
{
    *view = ring_view(&c->rcv, 0, c->rcv.len);
    return c->rcv.len;
}

void tlsyn_conn_consume(struct tlsyn_conn *c, size_t n)
{
    if (n > c->rcv.len)
        abort();
    ring_drop(&c->rcv, n);
}

bool tlsyn_conn_ended(const struct tlsyn_conn *c)
{
    return c->fin_arrived && c->rcv.len == 0;
}

ssize_t tlsyn_conn_reserve(struct tlsyn_conn *c, size_t want, struct tlsyn_view *view)
{
    size_t room = min_size(want, c->snd.size - c->snd.len);

    if (c->fin_wanted || c->gone)
        return -EPIPE;
    *view = ring_view(&c->snd, c->snd.len, room);
    return (ssize_t)room;
}

void tlsyn_conn_commit(struct tlsyn_conn *c, size_t n)
{
    if (n > c->snd.size - c->snd.len)
        abort();
    c->snd.len += n;
}

void tlsyn_conn_close(struct tlsyn_conn *c)
{
    c->fin_wanted = true;
}

static void raise_closed(struct tlsyn_conn *c, int error)
{
    struct tlsyn_handler *h = c->handler;

    if (c->gone)
        return;
    c->gone = true;
    c->closed_events++;
    if (h != NULL && h->events->on_closed != NULL)
        h->events->on_closed(h, c, error);
}

static void send_reset(struct tlsyn_conn *c)
{
    c->resets_sent++;
    c->peer->reset_arrived = true;
}

void tlsyn_conn_abort(struct tlsyn_conn *c, int error)
{
    if (c->gone || c->aborted != 0)
        return;
    send_reset(c);
    if (error == 0)
        error = -ECONNABORTED;
    if (c->in_event > 0)
        c->aborted = error;
    else
        raise_closed(c, error);
}

void tlsyn_conn_release(struct tlsyn_conn *c)
{
    c->handler = NULL;
    c->released = true;
    c->fin_wanted = true;
    /* RFC 2525 2.17: what was committed is lost, too. */
    if (c->rcv.len > 0)
        tlsyn_conn_abort(c, -ECONNABORTED);
}

/* --- events ----------------------------------------------------------------------------------- */

enum event { OPEN, SYN, SYNACK, ESTABLISHED, DATA, ACKED };

static int call(struct tlsyn_conn *c, enum event event, size_t n)
{
    struct tlsyn_handler *h = c->handler;
    const struct tlsyn_conn_events *e = h->events;

    switch (event) {
    case OPEN:
        return e->on_open != NULL ? e->on_open(h, c) : 0;
    case SYN:
        return e->on_syn != NULL ? e->on_syn(h, c) : 0;
    case SYNACK:
        return e->on_synack != NULL ? e->on_synack(h, c) : 0;
    case ESTABLISHED:
        c->established = true;
        if (e->on_established != NULL)
            e->on_established(h, c);
        return 0;
    case DATA:
        if (e->on_data != NULL)
            e->on_data(h, c);
        return 0;
    case ACKED:
        if (e->on_acked != NULL)
            e->on_acked(h, c, n);
        return 0;
    }
    return 0;
}

static int event(struct tlsyn_conn *c, enum event event, size_t n)
{
    int r;

    if (c->handler == NULL || c->gone)
        return 0;
    c->in_event++;
    r = call(c, event, n);
    c->in_event--;
    if (c->aborted != 0)
        raise_closed(c, c->aborted);
    return r;
}

/* A handshake event that may refuse. */
static void ask(struct tlsyn_conn *c, enum event kind)
{
    int r = event(c, kind, 0);

    if (r >= 0)
        return;
    c->refused = true;
    raise_closed(c, r);
}

/* --- the wire --------------------------------------------------------------------------------- */

void wire_init(struct wire *w, size_t ring, size_t chunk)
{
    *w = (struct wire){
        .stack = {.now = TLSYN_SECONDS(1000)},
        .chunk = chunk,
        .syn_room = SIZE_MAX,
        .synack_room = SIZE_MAX,
    };
    for (int i = 0; i < 2; i++) {
        struct tlsyn_conn *c = &w->end[i];

        c->wire = w;
        c->peer = &w->end[1 - i];
        c->snd.bytes = malloc(ring);
        c->rcv.bytes = malloc(ring);
        w->heard[i] = malloc(WIRE_HEARD);
        c->snd.size = c->rcv.size = ring;
        /* So that views come in two parts soon. */
        c->snd.start = c->rcv.start = ring * 2 / 3;
    }
}

void wire_fini(struct wire *w)
{
    for (int i = 0; i < 2; i++) {
        raise_closed(&w->end[i], -ECONNABORTED);
        free(w->end[i].snd.bytes);
        free(w->end[i].rcv.bytes);
        free(w->heard[i]);
    }
}

static void listen_in(struct wire *w, int from, const uint8_t *bytes, size_t n)
{
    n = min_size(n, WIRE_HEARD - w->heard_len[from]);
    if (n > 0)
        memcpy(w->heard[from] + w->heard_len[from], bytes, n);
    w->heard_len[from] += n;
}

static void damage(struct wire *w, int from, uint8_t *bytes, size_t n)
{
    uint64_t at = w->moved[from];

    if (w->flip && w->flip_from == from && w->flip_at >= at && w->flip_at < at + n)
        bytes[w->flip_at - at] ^= w->flip_bits;
}

static void arrive(struct tlsyn_conn *c, const uint8_t *bytes, size_t n)
{
    /* RFC 2525 2.17: text for a user who has gone is answered with RST. */
    if (c->released || c->gone)
        send_reset(c);
    else
        ring_put(&c->rcv, bytes, n);
}

/* Moves at most n bytes out of c's send ring into the peer's receive ring. */
static size_t move(struct tlsyn_conn *c, size_t n)
{
    size_t room = c->peer->released ? SIZE_MAX : c->peer->rcv.size - c->peer->rcv.len;
    int from = (int)(c - c->wire->end);
    size_t done = 0;

    n = min_size(min_size(n, c->snd.len), room);
    while (done < n) {
        struct tlsyn_view v = ring_view(&c->snd, 0, n - done);
        uint8_t *bytes = v.part[0].iov_base;
        size_t run = v.part[0].iov_len;

        damage(c->wire, from, bytes, run);
        listen_in(c->wire, from, bytes, run);
        arrive(c->peer, bytes, run);
        ring_drop(&c->snd, run);
        c->wire->moved[from] += run;
        done += run;
    }
    return n;
}

/* The text of a SYN or SYN-ACK, with the padding of the level "paper". */
static size_t move_flight(struct tlsyn_conn *c, size_t room)
{
    static const uint8_t zeros[TLSYN_PAPER_PAYLOAD];
    size_t n;

    if (c->wire->pad && c->snd.len < sizeof(zeros))
        ring_put(&c->snd, zeros, sizeof(zeros) - c->snd.len);
    n = move(c, room);
    event(c, ACKED, n);
    return n;
}

static int accept_server(struct wire *w, struct tlsyn_acceptor *acceptor)
{
    struct tlsyn_conn *s = &w->end[1];

    s->handler = acceptor->accept(acceptor, s);
    return s->handler != NULL ? 0 : -ECONNREFUSED;
}

int wire_open(struct wire *w, struct tlsyn_handler *client, struct tlsyn_acceptor *acceptor)
{
    struct tlsyn_conn *c = &w->end[0], *s = &w->end[1];
    int r;

    c->handler = client;
    r = event(c, OPEN, 0);
    if (r < 0) {
        c->gone = s->gone = true;
        return r;
    }
    if (w->syn_room > 0) {
        w->syn_text = move_flight(c, w->syn_room);
        if (accept_server(w, acceptor) == 0)
            ask(s, SYN);
        w->stack.now += TLSYN_MS(10);
        w->synack_text = move_flight(s, w->synack_room);
    }
    w->stack.now += TLSYN_MS(10);
    ask(c, SYNACK);
    event(c, ESTABLISHED, 0);
    w->ack_text = c->snd.len;
    if (w->syn_room == 0)
        accept_server(w, acceptor);
    w->stack.now += TLSYN_MS(10);
    event(s, ESTABLISHED, 0);
    return 0;
}

static bool move_fin(struct tlsyn_conn *c)
{
    if (!c->fin_wanted || c->fin_sent || c->snd.len > 0 || c->gone)
        return false;
    c->fin_sent = true;
    c->peer->fin_arrived = true;
    return true;
}

static bool step(struct tlsyn_conn *c)
{
    size_t n = c->gone && !c->refused ? 0 : move(c, c->wire->chunk);
    bool progress = n > 0 || move_fin(c);

    if (c->refused && c->snd.len == 0 && c->resets_sent == 0)
        send_reset(c);

    if (progress)
        event(c->peer, DATA, 0);
    if (n > 0)
        event(c, ACKED, n);
    return progress;
}

static void end_if_over(struct tlsyn_conn *c)
{
    if (c->reset_arrived)
        raise_closed(c, -ECONNRESET);
    else if (c->fin_sent && c->fin_arrived && c->rcv.len == 0)
        raise_closed(c, 0);
}

bool wire_step(struct wire *w)
{
    bool progress = false;

    for (int i = 0; i < 2; i++)
        progress |= step(&w->end[i]);
    for (int i = 0; i < 2; i++)
        end_if_over(&w->end[i]);
    w->stack.now += 100;
    return progress;
}

void wire_run(struct wire *w)
{
    while (wire_step(w))
        ;
}

void wire_inject(struct wire *w, int to, const void *bytes, size_t n)
{
    arrive(&w->end[to], bytes, n);
    event(&w->end[to], DATA, 0);
}

void wire_acked(struct tlsyn_conn *c, size_t n)
{
    if (n > 0)
        event(c, ACKED, n);
}

void wire_inject_fin(struct wire *w, int to)
{
    w->end[to].fin_arrived = true;
    event(&w->end[to], DATA, 0);
}
