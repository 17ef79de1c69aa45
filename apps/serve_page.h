/*
 * serve_page.h: what `tlsyn serve --page` serves: a page's site, and the names of its servers.
 */
#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

#include <tlsyn/udp.h>

#include "host.h"
#include "web/dns.h"
#include "web/site.h"

struct serve_page {
    const char *what; /* as asked for; NULL: no page */
    bool names;       /* DNS queries for them are answered */
    struct page page;
    struct site *site;
    struct dns_zone zone;
    struct tlsyn_udp_handler handler;
};

/** CLI_OK, or says why there is no such page. `port` is the servers'. */
int serve_page_open(struct serve_page *p, uint16_t port);

/** Answers DNS queries, if that was asked for, until the stack is freed. CLI_OK, or says why it
 * can't. */
int serve_page_names(struct serve_page *p, struct host *host);

/** Harmless where there is no page. */
void serve_page_close(struct serve_page *p);

#endif
