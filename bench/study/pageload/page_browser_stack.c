/*
 * study/pageload/page_browser_stack.c: a browser on our stack, over the laboratory's interface.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tlsyn/probe.h>

#include "study/lab_node.h"
#include "study/pageload/carrier_stack.h"
#include "study/pageload/page_browser.h"
#include "study/pageload/page_server.h"

#define ECHO_ID 0x7067

/* What connections of one kind share: one memory is emptied before each visit, the other stays. */
struct memory {
    struct larder larder;
    struct tlsyn_tls_config *config; /* NULL: not used yet */
};

struct stack_browser {
    struct page_browser base; /* first member */
    struct node node;
    struct memory memory[BROWSER_HANDSHAKES][2][2]; /* of HTTP/1.1 and 2, emptied and not */
    struct tlsyn_ping_handler echo;
    uint16_t sequence;
    bool echoed;
    int echo_error;
};

static struct stack_browser *of(struct page_browser *browser)
{
    return (struct stack_browser *)browser;
}

/* --- handshakes ------------------------------------------------------------------------------- */

static bool is_13(const struct browser_handshake *handshake)
{
    return strncmp(handshake->name, "tls1.3", 6) == 0;
}

static int make_config(struct stack_browser *b, const struct page_order *order,
                       struct memory *memory, char message[LOADER_SENTENCE_MAX])
{
    static const char *const h1[] = {"http/1.1", NULL}, *const h2[] = {"h2", NULL};
    const struct browser_handshake *handshake = &browser_handshakes[order->handshake];
    const struct credentials *credentials = b->base.part->credentials;
    const struct tlsyn_tls_options options = {
        .role = TLSYN_TLS_CLIENT,
        .suite = is_13(handshake) ? TLSYN_TLS_13 : TLSYN_TLS_12_ECDHE,
        .alpn = order->h2 ? h2 : h1,
        .pad_hello = handshake->tcp == 0,
        .early_data = handshake->kept,
        .store = &memory->larder.store,
        .chains = &memory->larder.store,
        .wall_clock = credentials->wall_clock,
        .wall_at = tlsyn_clock(),
    };
    int error = tlsyn_tls_config_new(&options, &memory->config, message);

    if (error == 0)
        error = tlsyn_tls_config_trust(memory->config, credentials->ec.ca,
                                       strlen(credentials->ec.ca), message);
    return error < 0 ? error : 0;
}

static int make_carrier(struct page_browser *browser, const struct page_order *order, bool again,
                        struct carrier **carrier, char message[LOADER_SENTENCE_MAX])
{
    struct stack_browser *b = of(browser);
    struct memory *memory = &b->memory[order->handshake][order->h2][again];
    const struct browser_handshake *handshake = &browser_handshakes[order->handshake];
    const struct tlsyn_endpoint dns = {.addr = browser->address};
    struct carrier_stack_options options = {
        .node = &b->node,
        .larder = &memory->larder,
        .level = handshake->tcp == 0 ? TLSYN_LEVEL_COOKIE : TLSYN_LEVEL_NONE,
        .early = handshake->kept,
        .h2 = order->h2,
        .names = {.servers = &dns, .server_count = 1, .no_hosts = true},
        .family = TLSYN_FAMILY_IP4,
    };
    int error = 0;

    if (!again || !memory->config)
        larder_init(&memory->larder);
    if (!memory->config)
        error = make_config(b, order, memory, message);
    options.config = memory->config;
    return error < 0 ? error : carrier_stack_new(&options, carrier);
}

static void release_carrier(struct page_browser *browser, struct carrier *carrier)
{
    carrier_stack_free(carrier);
    (void)tlsyn_loop_turn(of(browser)->node.loop, 0); /* resets leave */
}

static bool prepared(struct page_browser *browser, const struct page_order *order, bool sessions)
{
    bool embedded = browser_handshakes[order->handshake].tcp == 0;
    const struct memory *memory = &of(browser)->memory[order->handshake][order->h2][true];
    const struct page *page = browser->part->page;
    bool enough = !embedded || tlsyn_has_cookie(of(browser)->node.stack, &browser->address);

    for (int i = 0; sessions && i < page->hosts; i++)
        enough = enough && larder_count(&memory->larder, page->host[i].name) >=
                               (order->h2 ? 1 : page->host[i].connections);
    return enough;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int run(struct page_browser *browser, const bool *done, tlsyn_time deadline)
{
    return node_run(&of(browser)->node, done, deadline);
}

static int await(struct page_browser *browser, int control)
{
    return node_await(&of(browser)->node, control);
}

static void on_reply(struct tlsyn_ping_handler *echo, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    struct stack_browser *b =
        (struct stack_browser *)((char *)echo - offsetof(struct stack_browser, echo));

    (void)from;
    (void)size;
    (void)ttl;
    if (sequence != b->sequence)
        return;
    b->echo_error = error;
    b->echoed = true;
}

static int ping(struct page_browser *browser, tlsyn_time timeout, double *us)
{
    struct stack_browser *b = of(browser);
    tlsyn_time began = tlsyn_clock();
    int error;

    b->echoed = false;
    b->echo_error = 0;
    error = tlsyn_ping(b->node.stack, &browser->address, ECHO_ID, ++b->sequence, 56, &b->echo);
    if (error == 0)
        error = run(browser, &b->echoed, began + timeout);
    *us = (double)(tlsyn_clock() - began);
    tlsyn_ping_stop(b->node.stack);
    return error < 0 ? error : b->echo_error;
}

/* --- life ------------------------------------------------------------------------------------- */

static void close_browser(struct page_browser *browser)
{
    struct stack_browser *b = of(browser);

    node_close(&b->node);
    for (int i = 0; i < 4 * BROWSER_HANDSHAKES; i++)
        tlsyn_tls_config_free(b->memory[i / 4][i / 2 % 2][i % 2].config);
    free(b);
}

static const struct page_browser_ops ops = {.carrier = make_carrier,
                                            .release = release_carrier,
                                            .prepared = prepared,
                                            .run = run,
                                            .ping = ping,
                                            .await = await,
                                            .close = close_browser};

int page_browser_stack(const struct page_part *part, struct page_browser **browser,
                       char message[LOADER_SENTENCE_MAX])
{
    struct stack_browser *b = calloc(1, sizeof(*b));
    int error =
        b ? lab_node_open(&b->node, LAB_CLIENT, false, message, LOADER_SENTENCE_MAX) : -ENOMEM;

    if (error < 0) {
        free(b);
        return error;
    }
    b->base = (struct page_browser){
        .ops = &ops,
        .part = part,
        .address = node_address(lab_host_info(LAB_SERVER)->stack_address),
    };
    b->echo.on_reply = on_reply;
    *browser = &b->base;
    return 0;
}
