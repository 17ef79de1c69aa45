/*
 * study/pageload/page_visit.c: requests are taken as long as the answers leave.
 */
#include "study/pageload/page_visit.h"

#include "web/h1_server.h"
#include "web/h2_server.h"

/* Sends what there is. False: it waits for room, or the connection is over. */
static bool flush(struct page_visit *v)
{
    while (v->out_at < v->out_len) {
        ssize_t n = v->ops->write(v, v->out + v->out_at, v->out_len - v->out_at);

        if (n <= 0)
            return false;
        v->out_at += (size_t)n;
    }
    return true;
}

/* Whether there is something to be sent. */
static bool fill(struct page_visit *v)
{
    ssize_t n;

    if (v->out_at < v->out_len)
        return true;
    v->out_at = v->out_len = 0;
    while (v->out_len < sizeof(v->out)) {
        n = web_server_output(v->http, v->out + v->out_len, sizeof(v->out) - v->out_len);
        if (n <= 0)
            break;
        v->out_len += (size_t)n;
    }
    return v->out_len > 0;
}

/* Whether there is something that came. */
static bool receive(struct page_visit *v)
{
    ssize_t n;

    if (v->in_at < v->in_len)
        return true;
    n = v->ops->read(v, v->in, sizeof(v->in));
    if (n == 0)
        v->ops->end(v);
    if (n <= 0)
        return false;
    v->in_at = 0;
    v->in_len = (size_t)n;
    return true;
}

/* Whether some of what came was taken. */
static bool take(struct page_visit *v)
{
    if (!receive(v))
        return false;
    v->in_at += web_server_input(v->http, v->in + v->in_at, v->in_len - v->in_at);
    return true;
}

/* The protocol is known as soon as there is something to be read. Whether it is. */
static bool has_protocol(struct page_visit *v)
{
    if (v->http)
        return true;
    if (!receive(v))
        return false;
    v->http = v->ops->speaks_h2(v) ? h2_server_new(v->service) : h1_server_new(v->service);
    return v->http != NULL;
}

void page_visit_init(struct page_visit *v, const struct page_visit_ops *ops,
                     struct web_service *service)
{
    v->ops = ops;
    v->service = service;
    v->http = NULL;
    v->in_at = v->in_len = v->out_at = v->out_len = 0;
}

void page_visit_pump(struct page_visit *v)
{
    if (!has_protocol(v))
        return;
    do {
        if (fill(v) && !flush(v))
            return;
    } while (v->out_len > 0 || take(v));
    if (web_server_phase(v->http) == WEB_ENDED)
        v->ops->end(v);
}

void page_visit_fini(struct page_visit *v, int error)
{
    if (v->http)
        web_server_free(v->http, error);
}
