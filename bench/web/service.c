/*
 * web/service.c: responses being put together, and exchanges moved on.
 */
#include "web/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void web_respond(struct web_exchange *exchange, int status)
{
    exchange->response = (struct web_response){.status = status};
    if (exchange->service->ops->stamp)
        exchange->service->ops->stamp(exchange);
}

void web_field(struct web_exchange *exchange, const char *name, const char *format, ...)
{
    struct web_response *r = &exchange->response;
    char *at = r->fields + r->fields_len;
    size_t room = sizeof(r->fields) - r->fields_len;
    va_list arguments;
    int n = snprintf(at, room, "%s: ", name);
    int more = 0;

    if (n < 0 || (size_t)n >= room)
        n = (int)room;
    va_start(arguments, format);
    more = vsnprintf(at + n, room - (size_t)n, format, arguments);
    va_end(arguments);
    if (more < 0 || (size_t)n + (size_t)more + 3 > room) {
        *at = '\0';
        return;
    }
    memcpy(at + n + more, "\r\n", 3);
    r->fields_len += (size_t)n + (size_t)more + 2;
}

void web_body(struct web_exchange *exchange, const char *type, uint64_t length)
{
    web_field(exchange, "Content-Type", "%s", type);
    exchange->response.length = length;
    exchange->response.has_body = !request_is(&exchange->request, "HEAD");
}

void web_say(struct web_exchange *exchange, int status)
{
    struct web_response *r = &exchange->response;

    web_respond(exchange, status);
    if (status == 204) /* RFC 9110 15.3.5: it has none */
        return;
    (void)snprintf(r->text, sizeof(r->text), "%d %s\n", status,
                   request_reason((unsigned int)status));
    web_body(exchange, "text/plain; charset=utf-8", strlen(r->text));
}

void web_ignore(struct web_exchange *exchange)
{
    if (exchange->received > WEB_IGNORED_MAX)
        web_say(exchange, 413);
}

/* --- for the protocols ------------------------------------------------------------------------ */

struct web_exchange *web_begin(struct web_service *service, const struct request *request,
                               int status)
{
    struct web_exchange *exchange = service->ops->open(service);

    if (!exchange)
        return NULL;
    exchange->service = service;
    exchange->request = *request;
    if (status)
        web_say(exchange, status);
    else if (service->ops->head)
        service->ops->head(exchange);
    return exchange;
}

void web_take(struct web_exchange *exchange, const char *bytes, size_t n)
{
    const struct web_service_ops *ops = exchange->service->ops;

    exchange->received += n;
    if (ops->take)
        ops->take(exchange, bytes, n);
    else
        web_ignore(exchange);
}

void web_answer(struct web_exchange *exchange)
{
    exchange->service->ops->answer(exchange);
}

ssize_t web_read(struct web_exchange *exchange, uint64_t at, char *bytes, size_t n)
{
    const struct web_response *r = &exchange->response;
    size_t left = (size_t)(r->length - at);

    if (n > left)
        n = left;
    if (r->text[0] == '\0')
        return exchange->service->ops->read(exchange, bytes, n);
    memcpy(bytes, r->text + at, n);
    return (ssize_t)n;
}

void web_end(struct web_exchange *exchange, int error)
{
    exchange->service->ops->end(exchange, error);
}
