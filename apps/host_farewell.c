/*
 * host_farewell.c: the end of a host that shares the kernel's address: peers have their last word
 * while somebody is there to hear it.
 */
#include "host.h"

/* How long the end waits for peers to have their last word on ports that are the kernel's
 * afterwards, which would answer it with RST. */
#define LAST_WORD_WAIT TLSYN_SECONDS(1)
/* And when all is said: a FIN of ours that went twice, or theirs, has an echo. The longer one where
 * something is known to have gone twice. */
#define ECHO_WAIT      TLSYN_MS(50)
#define ECHO_WAIT_LONG TLSYN_MS(300)
/* A turn that takes longer than it was to: we were stopped, or the machine was. */
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

/* Turns, and says how much of the time that is left is over: no more than the turn was to take, for
 * while we stand still nobody hears what is said to us. */
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
