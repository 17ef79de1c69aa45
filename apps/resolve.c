/*
 * resolve.c: names to addresses. See resolve.h.
 */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <time.h>
#include <tlsyn/resolver.h>

#include "say.h"

/* Between two looks for Ctrl-C while the system's resolver works. */
#define RESOLVER_GLANCE_NS 100000000

/* --- the option ------------------------------------------------------------------------------- */

/* An address of either family; 0 or -EINVAL. */
static int parse_address(const char *text, struct tlsyn_addr *address)
{
    uint8_t octets[4];

    if (inet_pton(AF_INET, text, octets) == 1)
        *address = tlsyn_addr_ip4(octets);
    else if (inet_pton(AF_INET6, text, address->byte) != 1)
        return -EINVAL;
    return tlsyn_addr_unspecified(address) ? -EINVAL : 0;
}

/* "ADDRESS", "ADDRESS:PORT" (IPv4) or "[ADDRESS]:PORT"; `text` is ours to cut. */
static int parse_server(char *text, struct tlsyn_endpoint *server)
{
    char *colon = strrchr(text, ':');
    int64_t port = 0;

    if (parse_address(text, &server->addr) == 0)
        return 0;
    if (!colon || cli_port.parse(&cli_port, colon + 1, &port) < 0)
        return -EINVAL;
    *colon = '\0';
    server->port = (uint16_t)port;
    if (text[0] == '[' && colon > text + 1 && colon[-1] == ']') {
        colon[-1] = '\0';
        text++;
    }
    return parse_address(text, &server->addr);
}

static int parse_servers(const struct cli_type *type, const char *text, void *into)
{
    struct resolve_servers servers = {0};
    char copy[512], *rest = copy, *one;
    int error = 0;

    (void)type;
    if (strlen(text) >= sizeof(copy))
        return -EINVAL;
    memcpy(copy, text, strlen(text) + 1);
    while (error == 0 && (one = strsep(&rest, ",")))
        error = servers.count < RESOLVE_SERVERS_MAX
                    ? parse_server(one, &servers.server[servers.count++])
                    : -EINVAL;
    if (error < 0)
        return error;
    *(struct resolve_servers *)into = servers;
    return 0;
}

/* "10.0.0.1", "10.0.0.1:5353,[fd00::1]:53": into a struct resolve_servers. */
static const struct cli_type servers_type = {
    .placeholder = "SERVER[,SERVER]",
    .accepts = "up to eight addresses of DNS servers such as 10.0.0.1 or 10.0.0.1:5353",
    .parse = parse_servers};

struct cli_option resolve_option(struct resolve_servers *servers)
{
    return (struct cli_option){
        "dns",
        0,
        &servers_type,
        servers,
        "ask these DNS servers, from our own address (default: the system's resolver)",
        "TLSYN_DNS"};
}

/* --- the system's resolver -------------------------------------------------------------------- */

static int unresolved(const struct host *host, const char *name, int error,
                      char why[RESOLVE_WHY_MAX])
{
    if (error == EAI_NODATA || error == EAI_ADDRFAMILY)
        (void)snprintf(why, RESOLVE_WHY_MAX, "%s has no IPv%d address, as our own (--address) is",
                       name, tlsyn_addr_is_ip4(&host->own.address) ? 4 : 6);
    else if (error == EAI_NONAME)
        (void)snprintf(why, RESOLVE_WHY_MAX, "there is no host called %s", name);
    else
        (void)snprintf(why, RESOLVE_WHY_MAX, "the address of %s can't be found: %s", name,
                       gai_strerror(error));
    return CLI_FAILURE;
}

/* Waits for the resolver with an eye on Ctrl-C, while the stack goes on turning. */
static int await_resolver(struct host *host, struct gaicb *request)
{
    const struct timespec glance = {.tv_nsec = RESOLVER_GLANCE_NS};
    const struct gaicb *const list[] = {request};
    tlsyn_time deadline = tlsyn_clock() + host->options->timeout;

    while (gai_error(request) == EAI_INPROGRESS) {
        int error = host_turn(host, tlsyn_clock());

        if (error < 0)
            return error;
        if (tlsyn_clock() >= deadline)
            return -ETIMEDOUT;
        (void)gai_suspend(list, 1, &glance);
    }
    return 0;
}

/* The request must outlive a resolver that we no longer wait for; the process ends then, and only
 * then is it left behind. */
struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char name[256];
};

static struct tlsyn_addr from_sockaddr(const struct sockaddr *sockaddr)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct tlsyn_addr address;
    uint8_t octets[4];

    if (sockaddr->sa_family == AF_INET) {
        memcpy(&in, sockaddr, sizeof(in));
        memcpy(octets, &in.sin_addr, sizeof(octets));
        return tlsyn_addr_ip4(octets);
    }
    memcpy(&in6, sockaddr, sizeof(in6));
    memcpy(address.byte, &in6.sin6_addr, sizeof(address.byte));
    return address;
}

static int ask_system(struct host *host, const char *name, struct tlsyn_addr *address,
                      char why[RESOLVE_WHY_MAX])
{
    struct lookup *lookup = NULL;
    struct gaicb *list[1];
    bool ip4 = tlsyn_addr_is_ip4(&host->own.address);
    int error = 0;

    if (strlen(name) >= sizeof(lookup->name))
        return unresolved(host, name, EAI_NONAME, why);
    lookup = calloc(1, sizeof(*lookup));
    if (!lookup)
        return unresolved(host, name, EAI_MEMORY, why);
    memcpy(lookup->name, name, strlen(name) + 1);
    lookup->hints =
        (struct addrinfo){.ai_family = ip4 ? AF_INET : AF_INET6, .ai_socktype = SOCK_STREAM};
    lookup->request = (struct gaicb){.ar_name = lookup->name, .ar_request = &lookup->hints};
    list[0] = &lookup->request;
    error = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (error != 0) {
        free(lookup);
        return unresolved(host, name, error, why);
    }
    error = await_resolver(host, &lookup->request);
    if (error == -ETIMEDOUT)
        (void)snprintf(why, RESOLVE_WHY_MAX,
                       "the resolver gave no address of %s in time; --timeout waits longer", name);
    else if (error < 0)
        say("interrupted");
    if (error < 0)
        return error == -EINTR ? CLI_INTERRUPTED : CLI_FAILURE;
    error = gai_error(&lookup->request);
    if (error == 0) {
        *address = from_sockaddr(lookup->request.ar_result->ai_addr);
        freeaddrinfo(lookup->request.ar_result);
    }
    free(lookup);
    return error == 0 ? CLI_OK : unresolved(host, name, error, why);
}

/* --- our own stack ---------------------------------------------------------------------------- */

struct query {
    struct tlsyn_resolved_handler handler;
    bool done;
    int error;
    struct tlsyn_addr address;
};

static void on_resolved(struct tlsyn_resolved_handler *handler, const struct tlsyn_addr *addrs,
                        size_t n, int error)
{
    struct query *q = (struct query *)handler;

    q->done = true;
    q->error = error;
    if (n > 0)
        q->address = addrs[0];
}

/* The host's turns, until there is an answer. 0, or as host_run(). */
static int await_answer(struct host *host, struct tlsyn_resolver *resolver, const char *name,
                        struct query *q)
{
    enum tlsyn_family family =
        tlsyn_addr_is_ip4(&host->own.address) ? TLSYN_FAMILY_IP4 : TLSYN_FAMILY_IP6;
    int error = tlsyn_resolve(resolver, name, family, &q->handler, NULL);

    return error < 0 ? error : host_run(host, &q->done, tlsyn_clock() + host->options->timeout);
}

static int ask_servers(struct host *host, const struct resolve_servers *servers, const char *name,
                       struct tlsyn_addr *address, char why[RESOLVE_WHY_MAX])
{
    const struct tlsyn_resolver_options options = {.servers = servers->server,
                                                   .server_count = servers->count};
    struct query q = {.handler = {.on_resolved = on_resolved}};
    struct tlsyn_resolver *resolver = NULL;
    int error = tlsyn_resolver_new(host->loop, host->stack, &options, &resolver);

    if (error == 0)
        error = await_answer(host, resolver, name, &q);
    tlsyn_resolver_free(resolver);
    if (error == -EINTR) {
        say("interrupted");
        return CLI_INTERRUPTED;
    }
    if (error == -EADDRINUSE)
        return host_explain(host, &servers->server[0], error);
    if (error == 0)
        error = q.error;
    if (error < 0) {
        (void)snprintf(why, RESOLVE_WHY_MAX, "the address of %s can't be found by --dns: %s", name,
                       tlsyn_resolve_text(error));
        return CLI_FAILURE;
    }
    *address = q.address;
    return CLI_OK;
}

int resolve_try(struct host *host, const struct resolve_servers *servers, const char *name,
                struct tlsyn_addr *address, char why[RESOLVE_WHY_MAX])
{
    why[0] = '\0';
    if (parse_address(name, address) == 0)
        return CLI_OK;
    return servers->count > 0 ? ask_servers(host, servers, name, address, why)
                              : ask_system(host, name, address, why);
}

int resolve_name(struct host *host, const struct resolve_servers *servers, const char *name,
                 struct tlsyn_addr *address)
{
    char why[RESOLVE_WHY_MAX];
    int status = resolve_try(host, servers, name, address, why);

    if (why[0])
        say("%s", why);
    return status;
}
