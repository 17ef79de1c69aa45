/*
 * study/pageload/carrier_stack.c: TLS connections of our stack, as a page loader uses them: the
 * carrier's calls.
 *
 * What was written before the engine was there, or as early data, is kept until it is known to have
 * been taken.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/pageload/carrier_parts.h"

static struct stack_stream *of(struct carrier_stream *stream)
{
    return (struct stack_stream *)stream;
}

/* In the embedded mode TLS begins with the SYN. That is made outside all events, so that it leaves
 * before the next one's hello, of which there may be fifteen more: the server has its own share to
 * compute. */
static int begin(struct stack_stream *s)
{
    if (stack_stream_options(s)->level == TLSYN_LEVEL_NONE)
        return stack_stream_connect(s);
    s->lazy = s->up = stack_stream_is_lazy(s);
    return s->lazy ? 0 : patience_queue(&s->patient, (double)tlsyn_clock());
}

static int stream_open(struct carrier *carrier, const struct carrier_target *target,
                       struct carrier_user *user, struct carrier_stream **stream)
{
    struct stack_stream *s = calloc(1, sizeof(*s));
    int error;

    if (!s)
        return -ENOMEM;
    s->base.carrier = carrier;
    stack_stream_init(s);
    s->user = user;
    s->remote = target->remote;
    (void)snprintf(s->name, sizeof(s->name), "%s", target->name);
    patience_join(&carrier_stack_of(carrier)->patience, &s->patient, s->name);
    error = begin(s);
    if (error < 0) {
        stack_stream_free(s);
        return error;
    }
    *stream = &s->base;
    return s->lazy;
}

/* The first bytes, for which the handshake has waited. */
static ssize_t write_first(struct stack_stream *s, const char *bytes, size_t n)
{
    int error;

    if (n > sizeof(s->first))
        n = sizeof(s->first);
    memcpy(s->first, bytes, n);
    s->first_len = n;
    s->lazy = false;
    error =
        s->conn ? stack_stream_begin_late(s) : patience_queue(&s->patient, (double)tlsyn_clock());
    return error < 0 ? error : (ssize_t)n;
}

static ssize_t stream_write(struct carrier_stream *stream, const char *bytes, size_t n)
{
    struct stack_stream *s = of(stream);
    ssize_t taken;

    if (s->lazy) {
        stack_stream_enter(s);
        taken = write_first(s, bytes, n);
        stack_stream_leave(s);
        return taken;
    }
    if (!s->established)
        return 0;
    taken = tlsyn_tls_write(s->tls, bytes, n);
    return taken == -EAGAIN ? 0 : taken;
}

static void stream_facts(const struct carrier_stream *stream, struct carrier_facts *facts)
{
    const struct stack_stream *s = (const struct stack_stream *)stream;
    struct tlsyn_tls_info info = {.alpn = NULL};

    if (s->tls)
        tlsyn_tls_info(s->tls, &info);
    *facts = (struct carrier_facts){
        .resumed = s->lazy || info.session != TLSYN_TLS_NEW,
        .early = s->lazy || info.early == TLSYN_TLS_EARLY_ACCEPTED,
        .h2 = s->lazy ? stack_stream_options(s)->h2 : info.alpn && strcmp(info.alpn, "h2") == 0,
    };
}

/* In order, where there is something to end: nobody waits for the other side. */
static void stream_close(struct carrier_stream *stream)
{
    struct stack_stream *s = of(stream);

    s->closed = true;
    if (s->busy == 0)
        stack_stream_free(s);
}

static const struct carrier_ops ops = {.now = carrier_clock_now,
                                       .resolve = carrier_clock_resolve,
                                       .remind = carrier_clock_remind,
                                       .open = stream_open,
                                       .write = stream_write,
                                       .facts = stream_facts,
                                       .close = stream_close};

int carrier_stack_new(const struct carrier_stack_options *options, struct carrier **carrier)
{
    struct carrier_stack *c = calloc(1, sizeof(*c));
    int error;

    if (!c)
        return -ENOMEM;
    c->base.ops = &ops;
    c->options = *options;
    error = carrier_clock_open(c);
    if (error < 0) {
        carrier_stack_free(&c->base);
        return error;
    }
    *carrier = &c->base;
    return 0;
}

void carrier_stack_free(struct carrier *carrier)
{
    struct carrier_stack *c = carrier ? carrier_stack_of(carrier) : NULL;

    if (!c)
        return;
    carrier_clock_close(c);
    free(c);
}
