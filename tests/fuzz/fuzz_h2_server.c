/*
 * fuzz_h2_server: the input is what a client of HTTP/2 says behind its preface, in pieces whose
 * first octet is their length. The server's bounds hold, and each exchange that was begun ends
 * once.
 */
#include <stdlib.h>
#include <string.h>

#include "support/must.h"
#include "web/h2_server.h"

struct content {
    struct web_service service;
    int begun, ended, now, most;
};

static struct web_exchange *open_exchange(struct web_service *service)
{
    struct content *content = (struct content *)service;

    content->begun++;
    if (++content->now > content->most)
        content->most = content->now;
    return calloc(1, sizeof(struct web_exchange));
}

static void answer(struct web_exchange *web)
{
    web_respond(web, 200);
    web_body(web, "text/plain", 40000);
}

static ssize_t read_body(struct web_exchange *web, char *bytes, size_t n)
{
    (void)web;
    memset(bytes, 'x', n);
    return (ssize_t)n;
}

static void end(struct web_exchange *web, int error)
{
    struct content *content = (struct content *)web->service;

    (void)error;
    content->ended++;
    content->now--;
    free(web);
}

static const struct web_service_ops ops = {
    .open = open_exchange,
    .answer = answer,
    .read = read_body,
    .end = end,
};

static void drain(struct web_server *server)
{
    char out[1000];
    ssize_t n = 0;

    do {
        n = web_server_output(server, out, sizeof(out));
        must(n <= (ssize_t)sizeof(out));
    } while (n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    struct content content = {.service = {.ops = &ops}};
    struct web_server *server = h2_server_new(&content.service);
    size_t at = 0;

    must(server != NULL);
    must(web_server_input(server, preface, sizeof(preface) - 1) == sizeof(preface) - 1);
    while (at < size) {
        size_t n = data[at++];

        if (n > size - at)
            n = size - at;
        must(web_server_input(server, (const char *)data + at, n) == n);
        at += n;
        if (n % 2 == 0) /* sometimes what is to leave waits */
            drain(server);
    }
    if (size % 3 == 0)
        web_server_stop(server, size % 2 == 0);
    drain(server);
    must(content.most <= H2_STREAMS_MAX);
    web_server_free(server, -1);
    must(content.begun == content.ended);
    return 0;
}
