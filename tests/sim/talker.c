/*
 * sim/talker.c: one end's user.
 */
#include "sim/talker.h"

#include "core/list.h"
#include "support/bulk.h"

#define CHUNK 4096

uint64_t talker_says(const struct talker *t)
{
    return t->server ? t->script->down : t->script->up;
}

/* Bytes that it is to hear, altogether. */
static uint64_t hears(const struct talker *t)
{
    return t->server ? t->script->up : t->script->down;
}

static uint8_t pattern(const struct talker *t, bool from_server, uint64_t i)
{
    return bulk_pattern(i + t->script->salt + (from_server ? 77777 : 0));
}

/* --- TCP and TLS alike ------------------------------------------------------------------------ */

static ssize_t raw_read(struct talker *t, uint8_t *bytes, size_t most)
{
    struct tlsyn_view view;
    size_t n = tlsyn_conn_peek(t->conn, &view);
    size_t first = view.part[0].iov_len;

    if (n == 0)
        return tlsyn_conn_ended(t->conn) ? 0 : -EAGAIN;
    n = n < most ? n : most;
    first = first < n ? first : n;
    memcpy(bytes, view.part[0].iov_base, first);
    if (n > first)
        memcpy(bytes + first, view.part[1].iov_base, n - first);
    tlsyn_conn_consume(t->conn, n);
    return (ssize_t)n;
}

static ssize_t take(struct talker *t, uint8_t *bytes, size_t most)
{
    return t->tls ? tlsyn_tls_read(t->tls, bytes, most) : raw_read(t, bytes, most);
}

static ssize_t give(struct talker *t, const uint8_t *bytes, size_t n)
{
    return t->tls ? tlsyn_tls_write(t->tls, bytes, n) : tlsyn_conn_write(t->conn, bytes, n);
}

static void shut(struct talker *t)
{
    t->closing = true;
    if (t->tls)
        tlsyn_tls_close(t->tls);
    else
        tlsyn_conn_close(t->conn);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void compare(struct talker *t, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        t->wrong = t->wrong || bytes[i] != pattern(t, !t->server, t->received + i);
    t->received += n;
    t->wrong = t->wrong || t->received > hears(t);
}

static void hear(struct talker *t, size_t most)
{
    uint8_t bytes[CHUNK];

    while (most > 0 && !t->over && !t->ended) {
        ssize_t n = take(t, bytes, most < CHUNK ? most : CHUNK);

        if (n > 0) {
            compare(t, bytes, (size_t)n);
            most -= (size_t)n;
            continue;
        }
        t->ended = n == 0;
        t->misled = t->misled || (n < 0 && n != -EAGAIN); /* on_closed tells the same */
        return;
    }
}

/* --- speaking --------------------------------------------------------------------------------- */

/* Bytes that it may have said by now. */
static uint64_t allowed(const struct talker *t)
{
    const struct script *s = t->script;

    switch (s->manner) {
    case MANNER_BOTH:
        return talker_says(t);
    case MANNER_HALF_CLOSE:
        return !t->server || t->ended ? talker_says(t) : 0;
    case MANNER_SERVER_FIRST:
        return t->server || t->ended ? talker_says(t) : 0;
    case MANNER_REQUEST:
        break;
    }
    uint64_t part = hears(t) / s->rounds;
    uint64_t done = part ? t->received / part : s->rounds;
    uint64_t round = done + !t->server < s->rounds ? done + !t->server : s->rounds;

    return talker_says(t) / s->rounds * round;
}

static void speak(struct talker *t, uint64_t most)
{
    uint64_t end = allowed(t);
    uint8_t bytes[CHUNK];

    end = end - t->sent < most ? end : t->sent + most;
    while (t->sent < end && !t->over) {
        size_t n = end - t->sent < CHUNK ? (size_t)(end - t->sent) : CHUNK;

        for (size_t i = 0; i < n; i++)
            bytes[i] = pattern(t, t->server, t->sent + i);
        ssize_t taken = give(t, bytes, n);
        if (taken <= 0)
            return;
        t->sent += (uint64_t)taken;
    }
}

/* --- ending ----------------------------------------------------------------------------------- */

static bool all_said(const struct talker *t)
{
    bool said = t->sent == talker_says(t);

    switch (t->script->manner) {
    case MANNER_BOTH:
        return said;
    case MANNER_REQUEST:
        return t->server ? t->ended : said && t->received == hears(t);
    case MANNER_HALF_CLOSE:
        return said && (!t->server || t->ended);
    case MANNER_SERVER_FIRST:
        return said && (t->server || t->ended);
    }
    return false;
}

static void leave(struct talker *t)
{
    t->over = true;
    t->tick = TLSYN_NEVER;
    if (t->tls)
        tlsyn_tls_release(t->tls);
    else
        tlsyn_conn_release(t->conn);
    t->tls = NULL;
    t->conn = NULL;
}

/* Who leaves hears of nothing that still comes: behind TLS the peer's close_notify would be text
 * for nobody. */
static bool may_leave(const struct talker *t)
{
    return t->releases && t->sent == talker_says(t) && t->received == hears(t) &&
           (t->ended || (!t->tls && t->established));
}

/* Behind TLS a client may try, and a server may when there is early data. */
static bool may_talk(const struct talker *t)
{
    if (t->established)
        return true;
    return t->tls && t->server ? tlsyn_tls_is_early(t->tls) : t->early;
}

static void talk(struct talker *t, bool ticking)
{
    bool reads = ticking || t->read_limit == 0, writes = ticking || t->write_limit == 0;

    if (!t->conn || t->over || t->busy || !may_talk(t))
        return;
    t->busy = true;
    if (reads)
        hear(t, t->read_limit ? t->read_limit : SIZE_MAX);
    if (writes && !t->over)
        speak(t, t->write_limit ? t->write_limit : UINT64_MAX);
    if (!t->over && may_leave(t))
        leave(t);
    else if (!t->over && !t->closing && all_said(t) && t->established)
        shut(t);
    t->busy = false;
}

void talker_tick(struct talker *t)
{
    t->tick = t->over || t->read_every == 0 ? TLSYN_NEVER : *t->now + t->read_every;
    talk(t, true);
}

void talker_abort(struct talker *t)
{
    if (t->over || !t->conn)
        return;
    if (!t->tls) {
        tlsyn_conn_abort(t->conn, -ECANCELED);
        return;
    }
    t->over = true;
    t->error = -ECANCELED;
    t->tick = TLSYN_NEVER;
    tlsyn_tls_free(t->tls);
    t->tls = NULL;
    t->conn = NULL;
}

/* --- events ----------------------------------------------------------------------------------- */

static struct talker *of(struct tlsyn_handler *handler)
{
    struct talker *t = container_of(handler, struct talker, handler);

    t->haunted = t->haunted || t->over;
    return t;
}

/* Who refuses may have written something before; who defers must not have. */
static int shake(struct talker *t, struct tlsyn_conn *conn, enum refusal refusal)
{
    t->conn = conn;
    if (refusal == REFUSAL_SYN && t->refusal == REFUSAL_LATER)
        return -EAGAIN;
    talk(t, false);
    if (t->refusal != refusal || t->over)
        return 0;
    t->refused = true;
    return TALKER_REFUSES;
}

static int on_open(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    return shake(of(handler), conn, REFUSAL_OPEN);
}

static int on_syn(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    return shake(of(handler), conn, REFUSAL_SYN);
}

static int on_synack(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    return shake(of(handler), conn, REFUSAL_SYNACK);
}

/* What was rejected was not said. */
static void speak_again(struct talker *t)
{
    struct tlsyn_tls_info info;

    tlsyn_tls_info(t->tls, &info);
    if (!t->server && info.early == TLSYN_TLS_EARLY_REJECTED)
        t->sent = 0;
}

static void begin_ticking(struct talker *t)
{
    if (t->read_every && t->tick == TLSYN_NEVER)
        t->tick = *t->now + t->read_every;
}

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct talker *t = of(handler);

    t->conn = conn;
    t->established = true;
    if (t->tls)
        speak_again(t);
    begin_ticking(t);
    talk(t, false);
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)conn;
    begin_ticking(of(handler)); /* early data comes before on_established */
    talk(of(handler), false);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    (void)conn, (void)n;
    talk(of(handler), false);
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct talker *t = of(handler);

    (void)conn;
    t->ends++;
    t->error = error;
    t->over = true;
    t->over_at = *t->now;
    t->tick = TLSYN_NEVER;
    if (t->tls)
        tlsyn_tls_free(t->tls);
    t->tls = NULL;
    t->conn = NULL;
}

void talker_init(struct talker *t, const struct script *script, const tlsyn_time *now, bool server)
{
    static const struct tlsyn_conn_events events = {
        .on_open = on_open,
        .on_syn = on_syn,
        .on_synack = on_synack,
        .on_established = on_established,
        .on_data = on_data,
        .on_acked = on_acked,
        .on_closed = on_closed,
    };

    *t = (struct talker){
        .handler = {&events}, .script = script, .now = now, .server = server, .tick = TLSYN_NEVER};
}
