/*
 * study/pageload/carrier_stream.c: what becomes of a connection of our stack: it is opened, TLS
 * begins on it, it goes on once it need not wait any more (patience.h), it goes.
 */
#include <stdlib.h>
#include <string.h>

#include "study/pageload/carrier_parts.h"

/* --- life ------------------------------------------------------------------------------------- */

void stack_stream_free(struct stack_stream *s)
{
    patience_leave(&s->patient);
    if (s->conn) /* its end may come behind the event that we are in */
        tlsyn_conn_set_handler(s->conn, s->tls ? tlsyn_tls_handler(s->tls) : NULL);
    if (s->tls)
        tlsyn_tls_free(s->tls); /* with its connection */
    else if (s->conn)
        tlsyn_conn_abort(s->conn, 0);
    free(s);
}

void stack_stream_enter(struct stack_stream *s)
{
    s->busy++;
}

/* What the user closed in one of its events goes when the last of them is over. */
void stack_stream_leave(struct stack_stream *s)
{
    struct carrier_stack *c = carrier_stack_of(s->base.carrier);

    if (--s->busy == 0 && s->closed)
        stack_stream_free(s);
    patience_look(&c->patience);
}

/* --- TCP, and TLS on it ----------------------------------------------------------------------- */

bool stack_stream_is_lazy(const struct stack_stream *s)
{
    return stack_stream_options(s)->early &&
           larder_count(stack_stream_options(s)->larder, s->name) > 0;
}

int stack_stream_connect(struct stack_stream *s)
{
    const struct carrier_stack_options *options = stack_stream_options(s);
    const struct tlsyn_connect_options connect = {
        .remote = s->remote,
        .level = options->level,
        .conn = {.syn_timeout = options->timeout, .user_timeout = options->timeout}};
    int error;

    s->opened = tlsyn_clock();
    error = tlsyn_conn_open(options->node->stack, &connect, &s->tcp, &s->conn);
    if (error < 0)
        s->conn = NULL;
    return error;
}

const struct tlsyn_conn_events *stack_stream_engine(const struct stack_stream *s,
                                                    struct tlsyn_handler **tls)
{
    *tls = tlsyn_tls_handler(s->tls);
    return (*tls)->events;
}

int stack_stream_begin_tls(struct stack_stream *s, struct tlsyn_conn *conn)
{
    struct tlsyn_handler *tls;
    int error = tlsyn_tls_attach(stack_stream_options(s)->config, NULL, s->name, &s->app, &s->tls);

    if (error < 0)
        return error;
    return stack_stream_engine(s, &tls)->on_open(tls, conn);
}

int stack_stream_begin_late(struct stack_stream *s)
{
    struct tlsyn_handler *tls;
    int error = stack_stream_begin_tls(s, s->conn);

    if (error == 0)
        stack_stream_engine(s, &tls)->on_established(tls, s->conn);
    return error;
}

/* --- behind a wait ---------------------------------------------------------------------------- */

/* In the embedded mode there is no connection yet. */
static int go_on(struct stack_stream *s)
{
    s->lazy = s->first_len == 0 && stack_stream_is_lazy(s);
    if (s->lazy) {
        s->up = true;
        s->user->events->on_up(s->user);
        return 0;
    }
    return s->conn ? stack_stream_begin_late(s) : stack_stream_connect(s);
}

void stack_stream_go_on(struct patient *patient)
{
    struct stack_stream *s =
        (struct stack_stream *)((char *)patient - offsetof(struct stack_stream, patient));
    int error;

    stack_stream_enter(s);
    error = go_on(s);
    if (error < 0 && !s->closed)
        s->user->events->on_end(s->user, error, strerror(-error));
    (void)tlsyn_stack_output(stack_stream_options(s)->node->stack, tlsyn_clock());
    stack_stream_leave(s);
}
