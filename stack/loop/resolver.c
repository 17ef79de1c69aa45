/*
 * loop/resolver.c: lookups through c-ares, turned by the loop. See tlsyn/resolver.h.
 *
 * c-ares is called when a socket of it has something (resolver_socket.c) and when one of its
 * timeouts is due: a timerfd(2) that the loop watches. What it finds is put aside, and handed over
 * when the timer says that its time has come, which is at once: so no event comes from within
 * c-ares, nor from within a call of the user.
 */
#include <tlsyn/resolver.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/list.h"
#include "loop/resolver_socket.h"
#include "loop/resolver_sort.h"

#define LOOKUPS_MAX     256
#define SERVERS_MAX     8
#define TIMEOUT_DEFAULT TLSYN_SECONDS(2)
#define TRIES_DEFAULT   3

struct tlsyn_resolver {
    struct rsockets sockets;
    struct tlsyn_loop *loop;
    struct tlsyn_loop_watch watch;
    int timer;
    int lookups;       /* those of c-ares and those that are done */
    struct list done;  /* to be handed over */
    bool handing_over; /* results, to users who may free the resolver meanwhile */
    bool freed;        /* one of them has: it goes when that is over */
};

struct tlsyn_lookup {
    struct list node; /* in `done` */
    struct tlsyn_resolver *resolver;
    struct tlsyn_resolved_handler *handler; /* NULL: cancelled while c-ares has it */
    bool asked;                             /* c-ares has it */
    int error;
    size_t n;
    struct tlsyn_addr addr[TLSYN_RESOLVED_MAX];
};

/* --- the timer -------------------------------------------------------------------------------- */

/* When is the resolver to be woken? At once if something is done, else at c-ares' next timeout,
 * if it has one. */
static void arm(struct tlsyn_resolver *r)
{
    struct itimerspec when = {0};
    struct timeval room, *next;

    if (!list_empty(&r->done)) {
        when.it_value.tv_nsec = 1;
    } else {
        next = ares_timeout(r->sockets.channel, NULL, &room);
        if (next) {
            when.it_value.tv_sec = next->tv_sec;
            when.it_value.tv_nsec = next->tv_usec * 1000 + 1; /* zero would disarm */
        }
    }
    timerfd_settime(r->timer, 0, &when, NULL);
}

static void progressed(struct rsockets *sockets)
{
    arm(container_of(sockets, struct tlsyn_resolver, sockets));
}

static void lookup_free(struct tlsyn_lookup *lookup)
{
    lookup->resolver->lookups--;
    free(lookup);
}

/* The user may begin and cancel lookups meanwhile, and free the resolver. */
static void hand_over(struct tlsyn_resolver *r)
{
    struct list *it;

    r->handing_over = true;
    while (!r->freed && (it = list_first(&r->done))) {
        struct tlsyn_lookup *lookup = container_of(it, struct tlsyn_lookup, node);
        struct tlsyn_lookup result = *lookup;

        list_remove(&lookup->node);
        lookup_free(lookup);
        result.handler->on_resolved(result.handler, result.addr, result.n, result.error);
    }
    r->handing_over = false;
    if (r->freed)
        tlsyn_resolver_free(r);
    else
        arm(r);
}

static void on_timer(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct tlsyn_resolver *r = container_of(watch, struct tlsyn_resolver, watch);
    uint64_t expirations;

    (void)revents;
    if (read(fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
        return;
    ares_process_fd(r->sockets.channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    hand_over(r);
}

/* --- lookups ---------------------------------------------------------------------------------- */

/* 1.18 says "connection refused" too when all servers failed or refused. */
static const struct outcome {
    int status, error;
    const char *text;
} outcomes[] = {
    {ARES_ENOTFOUND, -ENOENT, "there is no such name"},
    {ARES_ENODATA, -ENODATA, "it has no address of this kind"},
    {ARES_ETIMEOUT, -ETIMEDOUT, "no DNS server answered in time"},
    {ARES_ECONNREFUSED, -ECONNREFUSED, "no DNS server could be reached, or none could answer"},
    {ARES_ESERVFAIL, -EAGAIN, "the DNS servers could not find out"},
    {ARES_EREFUSED, -EACCES, "the DNS servers refuse to answer"},
    {ARES_EBADRESP, -EBADMSG, "a DNS server's answer makes no sense"},
    {ARES_EFORMERR, -EBADMSG, "a DNS server's answer makes no sense"},
    {ARES_EBADNAME, -EINVAL, "that is not a name"},
    {ARES_ENOMEM, -ENOMEM, "memory is short"},
    {ARES_ENOTIMP, -EOPNOTSUPP, "the DNS servers don't answer such questions"},
};

#define OUTCOMES (sizeof(outcomes) / sizeof(outcomes[0]))

static int error_of(int status)
{
    for (size_t i = 0; i < OUTCOMES; i++) {
        if (outcomes[i].status == status)
            return outcomes[i].error;
    }
    return -EIO;
}

const char *tlsyn_resolve_text(int error)
{
    for (size_t i = 0; i < OUTCOMES; i++) {
        if (outcomes[i].error == error)
            return outcomes[i].text;
    }
    return "the lookup failed";
}

/* The address that c-ares found, if it is one of ours to use. */
static bool take_address(struct tlsyn_lookup *lookup, const struct sockaddr *address)
{
    struct tlsyn_addr *to = &lookup->addr[lookup->n];
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        *to = tlsyn_addr_ip4((const uint8_t *)&in.sin_addr);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&in6, address, sizeof(in6));
    memcpy(to->byte, &in6.sin6_addr, sizeof(to->byte));
    return true;
}

/* c-ares has finished with a lookup, one way or the other. */
static void on_addrinfo(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
    struct tlsyn_lookup *lookup = data;
    struct tlsyn_resolver *r = lookup->resolver;

    (void)timeouts;
    lookup->asked = false;
    lookup->error = status == ARES_SUCCESS ? 0 : error_of(status);
    if (lookup->error == 0 && info) {
        for (struct ares_addrinfo_node *node = info->nodes; node && lookup->n < TLSYN_RESOLVED_MAX;
             node = node->ai_next)
            lookup->n += take_address(lookup, node->ai_addr);
        resolver_sort(r->sockets.stack, lookup->addr, lookup->n);
        if (lookup->n == 0)
            lookup->error = -ENODATA;
    }
    if (info)
        ares_freeaddrinfo(info);
    if (lookup->handler)
        list_append(&r->done, &lookup->node);
    else
        lookup_free(lookup);
}

/* True if the name is an address already: then the lookup is done. (1.18 asks for IPv4's in DNS if
 * any family will do.) */
static bool take_literal(struct tlsyn_lookup *lookup, const char *name, enum tlsyn_family family)
{
    struct tlsyn_addr *to = &lookup->addr[0];
    uint8_t octets[4];
    bool ip4 = inet_pton(AF_INET, name, octets) == 1;

    if (ip4)
        *to = tlsyn_addr_ip4(octets);
    else if (inet_pton(AF_INET6, name, to->byte) != 1)
        return false;
    lookup->asked = false;
    if (family == TLSYN_FAMILY_ANY || ip4 == (family == TLSYN_FAMILY_IP4))
        lookup->n = 1;
    else
        lookup->error = -ENODATA;
    list_append(&lookup->resolver->done, &lookup->node);
    arm(lookup->resolver);
    return true;
}

int tlsyn_resolve(struct tlsyn_resolver *r, const char *name, enum tlsyn_family family,
                  struct tlsyn_resolved_handler *handler, struct tlsyn_lookup **out)
{
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT,
        .ai_family = family == TLSYN_FAMILY_IP4   ? AF_INET
                     : family == TLSYN_FAMILY_IP6 ? AF_INET6
                                                  : AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
    };
    struct tlsyn_lookup *lookup;

    if (r->lookups == LOOKUPS_MAX)
        return -ENOBUFS;
    lookup = calloc(1, sizeof(*lookup));
    if (!lookup)
        return -ENOMEM;
    lookup->resolver = r;
    lookup->handler = handler;
    lookup->asked = true;
    list_init(&lookup->node);
    r->lookups++;
    if (out)
        *out = lookup;
    if (take_literal(lookup, name, family))
        return 0;
    ares_getaddrinfo(r->sockets.channel, name, NULL, &hints, on_addrinfo, lookup);
    arm(r);
    return 0;
}

void tlsyn_lookup_cancel(struct tlsyn_lookup *lookup)
{
    /* c-ares can't be told to forget one question: its answer comes to nobody. */
    lookup->handler = NULL;
    if (lookup->asked)
        return;
    list_remove(&lookup->node);
    lookup_free(lookup);
}

/* --- life ------------------------------------------------------------------------------------- */

/* "10.0.0.1:53,[fe80::1]:53" */
static int set_servers(ares_channel channel, const struct tlsyn_resolver_options *options)
{
    char text[SERVERS_MAX * (INET6_ADDRSTRLEN + 9)] = "";
    int at = 0;

    if (options->server_count > SERVERS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < options->server_count; i++) {
        const struct tlsyn_endpoint *server = &options->servers[i];
        bool ip4 = tlsyn_addr_is_ip4(&server->addr);
        char address[INET6_ADDRSTRLEN];

        inet_ntop(ip4 ? AF_INET : AF_INET6,
                  ip4 ? tlsyn_addr_octets(&server->addr) : server->addr.byte, address,
                  sizeof(address));
        at += snprintf(text + at, sizeof(text) - (size_t)at, ip4 ? "%s%s:%u" : "%s[%s]:%u",
                       i > 0 ? "," : "", address, server->port ? server->port : 53u);
    }
    if (at > 0 && ares_set_servers_ports_csv(channel, text) != ARES_SUCCESS)
        return -ENOMEM;
    return 0;
}

static int channel_open(const struct tlsyn_resolver_options *options, ares_channel *channel)
{
    char hosts_first[] = "fb", servers_only[] = "b";
    tlsyn_time timeout = options->timeout > 0 ? options->timeout : TIMEOUT_DEFAULT;
    struct ares_options ares = {
        .flags = ARES_FLAG_EDNS | ARES_FLAG_NOALIASES,
        .timeout = (int)(timeout / TLSYN_MS(1)) + 1,
        .tries = options->tries > 0 ? options->tries : TRIES_DEFAULT,
        .ednspsz = 1232, /* fits every path */
        .lookups = options->no_hosts ? servers_only : hosts_first,
        .ndomains = (int)options->search_count,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
               ARES_OPT_LOOKUPS | (options->search ? ARES_OPT_DOMAINS : 0);
    char *domains[SERVERS_MAX];
    int status, error;

    if (options->search_count > SERVERS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < options->search_count; i++)
        domains[i] = (char *)(uintptr_t)options->search[i]; /* copied, and not written to */
    ares.domains = domains;
    status = ares_init_options(channel, &ares, mask);
    if (status != ARES_SUCCESS)
        return status == ARES_ENOMEM ? -ENOMEM : -EIO;
    error = set_servers(*channel, options);
    if (error < 0)
        ares_destroy(*channel);
    return error;
}

static int timer_open(struct tlsyn_resolver *r)
{
    int error;

    r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (r->timer < 0)
        return -errno;
    r->watch.on_ready = on_timer;
    error = tlsyn_loop_watch(r->loop, r->timer, POLLIN, &r->watch);
    if (error < 0)
        close(r->timer);
    return error;
}

int tlsyn_resolver_new(struct tlsyn_loop *loop, struct tlsyn_stack *stack,
                       const struct tlsyn_resolver_options *options, struct tlsyn_resolver **out)
{
    static const struct tlsyn_resolver_options defaults;
    struct tlsyn_resolver *r = calloc(1, sizeof(*r));
    ares_channel channel = NULL;
    int error;

    if (!r)
        return -ENOMEM;
    r->loop = loop;
    list_init(&r->done);
    error = channel_open(options ? options : &defaults, &channel);
    if (error < 0)
        goto fail;
    rsockets_init(&r->sockets, stack, channel, progressed);
    error = timer_open(r);
    if (error < 0) {
        ares_destroy(channel);
        goto fail;
    }
    *out = r;
    return 0;

fail:
    free(r);
    return error;
}

void tlsyn_resolver_free(struct tlsyn_resolver *r)
{
    struct list *it;

    if (!r)
        return;
    if (r->handing_over) {
        r->freed = true;
        return;
    }
    ares_destroy(r->sockets.channel); /* ends its lookups: they are done now, with an error */
    while ((it = list_first(&r->done))) {
        list_remove(it);
        lookup_free(container_of(it, struct tlsyn_lookup, node));
    }
    tlsyn_loop_unwatch(r->loop, r->timer);
    close(r->timer);
    free(r);
}
