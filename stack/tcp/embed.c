/*
 * tcp/embed.c: what came of sending the first flight in the SYN.
 */
#include "tcp/embed.h"

#include <errno.h>

#include "tcp/timers.h"

#define SYNACKS_AGAIN 2
#define SYNACKS_LAST  5 /* when Linux gives up, too (net.ipv4.tcp_synack_retries) */

/* By then a peer that does not hear us has sent its SYN-ACK again twice, even by the timer of three
 * seconds that RFC 1122 4.2.3.1 had. */
#define SYNACKS_TIME TLSYN_SECONDS(10)

/* --- memory ----------------------------------------------------------------------------------- */

bool embed_is_off(const struct tcp *tcp, const struct dest *dest)
{
    return dest && dest->failures > 0 && tcp->cx->now < dest->off_until;
}

/* RFC 7413 leaves the times open; these double, as those of Linux do. R7413-10 */
static tlsyn_time off_for(const struct tlsyn_limits *limits, int failures)
{
    tlsyn_time time = limits->embed_off_min;

    for (int i = 1; i < failures && time < limits->embed_off_max; i++)
        time *= 2;
    return time < limits->embed_off_max ? time : limits->embed_off_max;
}

static void remember(struct tlsyn_conn *conn)
{
    const struct context *cx = conn->tcp->cx;

    if (cx->limits.embed_off_min == 0 || conn->level == TLSYN_LEVEL_PAPER)
        return;
    struct dest *dest = dests_learn(&conn->tcp->dests, &conn->remote.addr);
    if (!dest)
        return;
    if (dest->failures < UINT8_MAX)
        dest->failures++;
    dest->failed_by = conn->embedding;
    dest->off_until = cx->now + off_for(&cx->limits, dest->failures);
}

void embed_proved(struct tlsyn_conn *conn)
{
    conn->unproved = false;
    /* The path lets this through, but not the SYN-ACK with text; or nobody has shown that it lets
     * text in a SYN through. */
    if (conn->syn_text_acked == 0 || conn->embedding == TLSYN_EMBEDDING_ANSWER_DROPPED)
        return;
    struct dest *dest = dests_find(&conn->tcp->dests, &conn->remote.addr);
    if (!dest || dest->failures == 0)
        return;
    dest->failures = 0;
    dest->off_until = 0;
    dest->learnt = true;
}

static void remember_black_hole(struct tlsyn_conn *conn)
{
    conn->unproved = false;
    conn->embedding = TLSYN_EMBEDDING_BLACK_HOLE;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_blackhole);
    remember(conn);
}

/* --- what happens ----------------------------------------------------------------------------- */

void embed_syn_failed(struct tlsyn_conn *conn, enum tlsyn_embedding what)
{
    if (conn->syn_text == 0 || conn->syn_plain)
        return;
    count(conn->tcp->cx, TLSYN_COUNT_tcp_fastopen_plain_syn);
    conn->embedding = what;
}

/* The peer has not repeated its SYN-ACK in all the time before what is outstanding now was sent: it
 * has heard our ACK, and what dies later does so for other reasons. (With SYN cookies a server
 * repeats none; but it takes no text either, so that what rode in the SYN is outstanding from our
 * ACK on, and comes again with it.) */
static bool was_heard(const struct tlsyn_conn *conn)
{
    return conn->synacks_again == 0 && conn->stalled_since != TLSYN_NEVER &&
           conn->stalled_since - conn->established > SYNACKS_TIME;
}

void embed_given_up(struct tlsyn_conn *conn)
{
    if (conn->state == TLSYN_SYN_SENT && conn->embedding == TLSYN_EMBEDDING_SYN_DROPPED)
        remember(conn);
    else if (conn->unproved && !was_heard(conn))
        remember_black_hole(conn);
}

/* A SYN without text followed the one with text, and the answer shows what became of the latter.
 * If it acknowledges the text, the SYN with text had arrived and its SYN-ACK was lost; if it brings
 * text of its own, it is that SYN-ACK, merely late. An MTU that a router reported is not remembered
 * here but in the path MTU cache. */
static void retry_answered(struct tlsyn_conn *conn)
{
    bool late = conn->syn_text_acked > 0 && conn->synack_text > 0;

    if (late)
        conn->embedding = TLSYN_EMBEDDING_TAKEN;
    else if (conn->syn_text_acked > 0)
        conn->embedding = TLSYN_EMBEDDING_ANSWER_DROPPED;
    if (!late && conn->embedding != TLSYN_EMBEDDING_SYN_TOO_LONG)
        remember(conn);
}

static enum tlsyn_embedding not_taken(const struct tlsyn_conn *conn)
{
    if (conn->syn_cookie_len)
        return TLSYN_EMBEDDING_COOKIE_REFUSED;
    return conn->cookie_received ? TLSYN_EMBEDDING_COOKIE_GIVEN : TLSYN_EMBEDDING_IGNORED;
}

static void judge_answer(struct tlsyn_conn *conn)
{
    if (conn->syn_text == 0) {
        if (conn->embedding == TLSYN_EMBEDDING_NO_COOKIE && conn->cookie_received)
            conn->embedding = TLSYN_EMBEDDING_COOKIE_GIVEN;
    } else if (conn->embedding != TLSYN_EMBEDDING_SENT) {
        retry_answered(conn);
    } else if (conn->syn_text_acked == 0) {
        conn->embedding = not_taken(conn);
    } else {
        conn->embedding =
            conn->syn_text_acked < conn->syn_text ? TLSYN_EMBEDDING_PART : TLSYN_EMBEDDING_TAKEN;
    }
}

/* Whether the path may have seen a SYN with text or a Fast Open option: a middlebox that dislikes
 * them may let that SYN pass, with or without them, and swallow what follows. Where a SYN without
 * them was answered, the one with text has been blamed already, unless it was too long for a narrow
 * link: a middlebox in front of that link has seen it all the same. */
static bool was_no_plain_open(const struct tlsyn_conn *conn)
{
    bool blamed = conn->syn_plain && conn->embedding != TLSYN_EMBEDDING_SYN_TOO_LONG;

    return conn->level != TLSYN_LEVEL_PAPER &&
           (conn->syn_text_acked > 0 || (conn->level != TLSYN_LEVEL_NONE && !blamed));
}

void embed_synack_arrives(struct tlsyn_conn *conn)
{
    judge_answer(conn);
    conn->unproved = conn->tcp->cx->limits.embed_off_min > 0 && was_no_plain_open(conn);
}

/* May the connection end with -EAGAIN, so that its user opens another? With an engine it may: no
 * ClientHello was answered yet, and the next connection sends another. With FASTOPEN it may not:
 * the bytes that the user wrote are in our send ring alone. A user who has released the connection
 * will not open another; and where both ends have closed and all text was acknowledged, that would
 * repeat a completed exchange. */
static bool is_opened_anew(const struct tlsyn_conn *conn)
{
    bool over = conn->state == TLSYN_LAST_ACK || conn->state == TLSYN_CLOSING;

    return conn->level != TLSYN_LEVEL_FASTOPEN && !conn->released && !(over && conn->snd.used == 0);
}

void embed_text_arrives(struct tlsyn_conn *conn)
{
    if (conn->syn_text_acked == 0 && conn->syn_cookie_len == 0)
        conn->unproved = false;
}

bool embed_is_swallowed(struct tlsyn_conn *conn)
{
    if (!conn->unproved || was_heard(conn))
        return false;
    remember_black_hole(conn);
    if (!is_opened_anew(conn))
        return false;
    tlsyn_conn_abort(conn, -EAGAIN);
    return true;
}

/* One that is not opened anew waits: what is outstanding has its own time. Where nothing is, no
 * timer would ever end it, and its peer is about to forget it. */
static bool is_forgotten(const struct tlsyn_conn *conn)
{
    return conn->synacks_again >= SYNACKS_LAST && conn->rcv_nxt == conn->irs + 1 &&
           conn->tcp->cx->now - conn->established > SYNACKS_TIME;
}

bool embed_synack_again(struct tlsyn_conn *conn, const struct wire_tcp *segment)
{
    if (!conn->unproved && conn->embedding != TLSYN_EMBEDDING_BLACK_HOLE)
        return false;
    if (segment->flags & TCP_RST || !(segment->flags & TCP_ACK) || segment->seq != conn->irs ||
        segment->ack != conn->snd_una || timers_running(conn, TCP_RETRANSMIT))
        return false;
    if (conn->synacks_again < SYNACKS_LAST)
        conn->synacks_again++;
    if (conn->synacks_again >= SYNACKS_AGAIN && embed_is_swallowed(conn))
        return true;
    if (!is_forgotten(conn))
        return false;
    tlsyn_conn_abort(conn, -ETIMEDOUT);
    return true;
}

enum tlsyn_level embed_level(const struct tlsyn_conn *conn)
{
    if (!conn->active)
        return conn->level;
    if (conn->syn_text_acked == 0)
        return TLSYN_LEVEL_NONE;
    return conn->level == TLSYN_LEVEL_COOKIE && conn->syn_cookie_len == 0 ? TLSYN_LEVEL_OPEN
                                                                          : conn->level;
}

const char *tlsyn_embedding_words(enum tlsyn_embedding embedding)
{
    static const char *const words[TLSYN_EMBEDDINGS] = {
#define EMBEDDING(name, text) [TLSYN_EMBEDDING_##name] = text,
#include <tlsyn/embeddings.def>
#undef EMBEDDING
    };

    return (unsigned int)embedding < TLSYN_EMBEDDINGS ? words[embedding] : "";
}
