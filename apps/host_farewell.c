/*
 * host_farewell.c: the end of a host that shares the kernel's address: it waits for the peers' last
 * segments. Once the process has ended the ports are the kernel's, which would answer with RST.
 */
#include "host.h"

/* How long connections that are closing may take to end. */
#define LAST_WORD_WAIT TLSYN_SECONDS(1)
/* After that: a FIN that was sent twice, ours or theirs, brings one more segment. The longer wait
 * is for when something is known to have been sent twice. */
#define ECHO_WAIT      TLSYN_MS(50)
#define ECHO_WAIT_LONG TLSYN_MS(300)
/* What one turn may take. If it takes longer, the process or the machine was stopped. */
#define LAST_WORD_TURN TLSYN_MS(20)

struct closing {
    struct tlsyn_visitor visitor;
    bool any;
};

static bool is_closing(struct tlsyn_visitor *visitor, const struct tlsyn_conn *conn)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(conn, &info);
    if (info.state == TLSYN_FIN_WAIT_1 || info.state == TLSYN_FIN_WAIT_2 ||
        info.state == TLSYN_CLOSING || info.state == TLSYN_LAST_ACK)
        ((struct closing *)visitor)->any = true;
    return true;
}

/* One turn of the host. Returns the time that it counts for: no more than it was to take, because
 * while the process is stopped it hears nothing. */
static tlsyn_time take_a_turn(struct host *host, tlsyn_time left)
{
    tlsyn_time begun = tlsyn_clock(), turn = left < LAST_WORD_TURN ? left : LAST_WORD_TURN;

    if (host_turn(host, begun + turn) < 0)
        return left; /* Ctrl-C: no more patience */
    tlsyn_time took = tlsyn_clock() - begun;
    return took < turn ? took : turn;
}

static bool went_twice(const struct host *host)
{
    return tlsyn_counter(host->stack, TLSYN_COUNT_tcp_retrans_segs) > 0 ||
           tlsyn_counter(host->stack, TLSYN_COUNT_tcp_dsack_sent) > 0;
}

void host_await_last_words(struct host *host)
{
    tlsyn_time left = LAST_WORD_WAIT;
    struct closing closing = {.visitor = {.on_conn = is_closing}, .any = true};

    if (tlsyn_counter(host->stack, TLSYN_COUNT_tcp_in_segs) == 0)
        return;
    while (left > 0) {
        closing.any = false;
        tlsyn_stack_walk(host->stack, &closing.visitor);
        if (!closing.any)
            break;
        left -= take_a_turn(host, left);
    }
    left = went_twice(host) ? ECHO_WAIT_LONG : ECHO_WAIT;
    while (left > 0)
        left -= take_a_turn(host, left);
}
