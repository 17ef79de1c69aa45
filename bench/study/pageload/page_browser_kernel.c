/*
 * study/pageload/page_browser_kernel.c: a browser on the kernel's stack with OpenSSL: TLS after
 * TCP, its sessions for the length of a visit, or, with early data, from one to the next.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab.h"
#include "peer/context.h"
#include "peer/echo.h"
#include "study/node.h"
#include "study/pageload/carrier_kernel.h"
#include "study/pageload/page_browser.h"

struct kernel_browser {
    struct page_browser base; /* first member */
    struct poller poller;
    /* Of HTTP/1.1 and 2; whose sessions go with the visit, and stay. NULL: not used yet. */
    struct peer_context *context[BROWSER_HANDSHAKES][2][2];
    struct peer_echo echo;
};

static struct kernel_browser *of(struct page_browser *browser)
{
    return (struct kernel_browser *)browser;
}

static int make_carrier(struct page_browser *browser, const struct page_order *order, bool again,
                        struct carrier **carrier, char message[LOADER_SENTENCE_MAX])
{
    struct kernel_browser *b = of(browser);
    static const char *const h1[] = {"http/1.1", NULL}, *const h2[] = {"h2", NULL};
    const struct browser_handshake *handshake = &browser_handshakes[order->handshake];
    struct peer_context **context = &b->context[order->handshake][order->h2][again];
    bool is_13 = strncmp(handshake->name, "tls1.3", 6) == 0;
    struct carrier_kernel_options options = {.poller = &b->poller,
                                             .dns = lab_host_info(LAB_SERVER)->kernel_address};

    if (*context && !again)
        peer_context_forget(*context);
    if (!*context)
        *context = peer_client_context(is_13 ? PEER_13 : PEER_12_ECDHE,
                                       handshake->kept ? PEER_EARLY
                                       : is_13         ? PEER_PSK
                                                       : PEER_TICKET,
                                       browser->part->credentials->ec.ca, message);
    if (!*context || peer_context_alpn(*context, order->h2 ? h2 : h1) < 0)
        return -EPROTO;
    options.context = *context;
    return carrier_kernel_new(&options, carrier);
}

static void release_carrier(struct page_browser *browser, struct carrier *carrier)
{
    (void)browser;
    carrier_kernel_free(carrier);
}

static bool prepared(struct page_browser *browser, const struct page_order *order, bool sessions)
{
    const struct peer_context *context = of(browser)->context[order->handshake][order->h2][true];
    const struct page *page = browser->part->page;
    bool enough = !sessions || context;

    for (int i = 0; sessions && enough && i < page->hosts; i++)
        enough = peer_context_known(context, page->host[i].name) >=
                 (order->h2 ? 1 : page->host[i].connections);
    return enough;
}

static int run(struct page_browser *browser, const bool *done, tlsyn_time deadline)
{
    return poller_run(&of(browser)->poller, done, deadline);
}

static int ping(struct page_browser *browser, tlsyn_time timeout, double *us)
{
    return peer_echo(&of(browser)->echo, (int)(timeout / 1000), us);
}

static int await(struct page_browser *browser, int control)
{
    struct pollfd fd = {.fd = control, .events = POLLIN};

    (void)browser;
    while (poll(&fd, 1, -1) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static void close_browser(struct page_browser *browser)
{
    struct kernel_browser *b = of(browser);

    for (int i = 0; i < 4 * BROWSER_HANDSHAKES; i++)
        peer_context_free(b->context[i / 4][i / 2 % 2][i % 2]);
    peer_echo_close(&b->echo);
    poller_close(&b->poller);
    free(b);
}

static const struct page_browser_ops ops = {.carrier = make_carrier,
                                            .release = release_carrier,
                                            .prepared = prepared,
                                            .run = run,
                                            .ping = ping,
                                            .await = await,
                                            .close = close_browser};

int page_browser_kernel(const struct page_part *part, struct page_browser **browser,
                        char message[LOADER_SENTENCE_MAX])
{
    const char *server = lab_host_info(LAB_SERVER)->kernel_address;
    struct kernel_browser *b = calloc(1, sizeof(*b));
    int error;

    if (!b)
        return -ENOMEM;
    b->base = (struct page_browser){.ops = &ops, .part = part, .address = node_address(server)};
    b->echo.fd = -1;
    error = poller_open(&b->poller);
    if (error == 0)
        error = peer_echo_open(&b->echo, server);
    if (error < 0) {
        (void)snprintf(message, LOADER_SENTENCE_MAX, "the kernel's browser cannot be set up: %s",
                       strerror(-error));
        close_browser(&b->base);
        return error;
    }
    *browser = &b->base;
    return 0;
}
