/*
 * serve_page.c: a page's site, and the names of its servers.
 */
#include "serve_page.h"

#include <string.h>

#include "page_option.h"
#include "say.h"

/* A day is as good as a minute, where all lives as long as one command. */
#define TTL 60

int serve_page_open(struct serve_page *p, uint16_t port)
{
    const struct site_options options = {.port = port};
    int status = page_option_read(p->what, "serve", &p->page);
    int error = 0;

    if (status != CLI_OK)
        return status;
    error = site_new(&p->page, &options, &p->site);
    if (error == 0)
        return CLI_OK;
    say("the page %s can't be served: %s", p->what, strerror(-error));
    return CLI_FAILURE;
}

void serve_page_close(struct serve_page *p)
{
    site_free(p->site);
    p->site = NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

static void on_datagram(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp,
                        const struct tlsyn_udp_datagram *datagram)
{
    const struct serve_page *p =
        (const struct serve_page *)((char *)handler - offsetof(struct serve_page, handler));
    uint8_t answer[DNS_ANSWER_MAX];
    size_t len = dns_answer(&p->zone, datagram->bytes, datagram->len, answer);
    const struct tlsyn_udp_message message = {
        .to = &datagram->from,
        .from = &datagram->to.addr,
        .text = {.part = {{.iov_base = answer, .iov_len = len}}},
    };

    if (len > 0 && datagram->from.port != 0 && !datagram->broadcast)
        (void)tlsyn_udp_send_message(udp, &message); /* who hears nothing asks again */
}

static int fill_zone(struct serve_page *p, const struct tlsyn_addr *own)
{
    int error = dns_zone_init(&p->zone, "", TTL);

    for (int i = 0; i < p->page.hosts && error == 0; i++) {
        if (tlsyn_addr_is_ip4(own))
            error = dns_zone_add(&p->zone, p->page.host[i].name, tlsyn_addr_octets(own), 4);
        else
            error = dns_zone_add(&p->zone, p->page.host[i].name, own->byte, 16);
    }
    return error;
}

int serve_page_names(struct serve_page *p, struct host *host)
{
    static const struct tlsyn_udp_events events = {.on_datagram = on_datagram};
    const struct tlsyn_udp_options options = {
        .local = {.addr = host->own.address, .port = DNS_PORT}};
    struct tlsyn_udp *udp = NULL;
    int error = 0;

    if (!p->names)
        return CLI_OK;
    p->handler.events = &events;
    error = fill_zone(p, &host->own.address);
    if (error == 0)
        error = tlsyn_udp_open(host->stack, &options, &p->handler, &udp);
    if (error == 0)
        return CLI_OK;
    say("DNS can't be answered on UDP port %d: %s", DNS_PORT, strerror(-error));
    return CLI_FAILURE;
}
