/*
 * study/pageload/page_server.h: the servers of a page on one of the stacks: HTTPS for all of its
 * hosts (web/site.h) on one address, and the DNS server that knows their names.
 */
#ifndef STUDY_PAGELOAD_PAGE_SERVER_H
#define STUDY_PAGELOAD_PAGE_SERVER_H

#include "study/credentials.h"
#include "study/node.h"
#include "study/pageload/poller.h"
#include "web/dns.h"
#include "web/page.h"

#define PAGE_PORT 443

/** How many tickets a client gets of a full handshake of TLS 1.3: as many as it has connections. */
#define PAGE_TICKETS 16

/** Bytes of early data that a ticket allows. */
#define PAGE_EARLY_MAX 16384

struct page_server;
struct page_server_kernel;

struct page_server_options {
    const struct credentials *credentials; /* their names are the page's hosts' */
    const struct page *page;
    const char *address; /* of all hosts: the node's */
};

/** The names of all hosts. 0 or -errno. */
int page_zone(const struct page_server_options *options, struct dns_zone *zone);

/** Listens on the node, which must outlive it. 0, or -errno with a sentence of at most
 * TLSYN_TLS_MESSAGE bytes. */
int page_server_open(struct node *node, const struct page_server_options *options,
                     struct page_server **server, char *message);

/** After the node's stack was freed, which ends the connections. NULL is allowed. */
void page_server_free(struct page_server *server);

/** The same on the kernel's stack with OpenSSL. */
int page_server_kernel_open(struct poller *poller, const struct page_server_options *options,
                            struct page_server_kernel **server, char *message);

/** Before the poller is closed. NULL is allowed. */
void page_server_kernel_free(struct page_server_kernel *server);

#endif
