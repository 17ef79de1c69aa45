/*
 * support/answers.c: responses by their target.
 */
#include "support/answers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exchange {
    struct web_exchange web; /* first member */
    uint64_t at;
};

static struct answers *of(const struct web_exchange *web)
{
    return (struct answers *)web->service;
}

static struct web_exchange *open_exchange(struct web_service *service)
{
    struct exchange *e = calloc(1, sizeof(*e));

    ((struct answers *)service)->begun += e != NULL;
    return e ? &e->web : NULL;
}

static void head(struct web_exchange *web)
{
    if (request_is(&web->request, "DELETE"))
        web_say(web, 405);
}

static void take(struct web_exchange *web, const char *bytes, size_t n)
{
    (void)bytes;
    of(web)->brought += n;
    if (web->received > of(web)->longest)
        web_say(web, 413);
}

static bool is_number(const struct web_exchange *web)
{
    const char *digits = web->request.target + 1;

    return *digits && digits[strspn(digits, "0123456789")] == '\0';
}

static void answer(struct web_exchange *web)
{
    const struct request *request = &web->request;

    (void)snprintf(of(web)->host, sizeof(of(web)->host), "%.63s", request->host);
    web_respond(web, 200);
    web_body(web, "text/plain",
             is_number(web) ? strtoull(request->target + 1, NULL, 10) : strlen(request->target));
}

static ssize_t read_body(struct web_exchange *web, char *bytes, size_t n)
{
    struct exchange *e = (struct exchange *)web;

    if (e->at >= of(web)->breaks_at)
        return -EIO;
    if (of(web)->slowly)
        n = 1;
    if (is_number(web))
        memset(bytes, 'x', n);
    else
        memcpy(bytes, web->request.target + e->at, n);
    e->at += n;
    return (ssize_t)n;
}

static void end(struct web_exchange *web, int error)
{
    of(web)->whole += error == 0;
    of(web)->broken += error != 0;
    of(web)->error = error;
    free(web);
}

void answers_init(struct answers *answers)
{
    static const struct web_service_ops ops = {
        .open = open_exchange,
        .head = head,
        .take = take,
        .answer = answer,
        .read = read_body,
        .end = end,
    };

    *answers = (struct answers){.service = {&ops}, .longest = UINT64_MAX, .breaks_at = UINT64_MAX};
}
