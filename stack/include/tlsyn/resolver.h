/*
 * tlsyn/resolver.h: from names to addresses, over the stack itself: queries leave as its datagrams,
 * truncated answers come over its connections. RFC 1034, RFC 1035; what asks is c-ares.
 *
 *     tlsyn_resolver_new -> { tlsyn_resolve -> on_resolved }* -> tlsyn_resolver_free
 *
 * A shell like the loop (tlsyn/loop.h) that turns it: it reads files and a clock. Names are looked
 * for in /etc/hosts, then asked of the servers; servers and search domains are those of
 * /etc/resolv.conf unless others are given. A server on 127.0.0.0/8 is the kernel's, and out of
 * reach of a stack.
 *
 * Ports of queries are the stack's choice, unpredictable; so are the queries' IDs; an answer counts
 * only if it comes from the server that was asked (RFC 5452).
 *
 * Errors are negative errno values.
 */
#ifndef TLSYN_RESOLVER_H
#define TLSYN_RESOLVER_H

#include <tlsyn/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_resolver;
struct tlsyn_lookup;

struct tlsyn_resolver_options {
    const struct tlsyn_endpoint *servers; /* port 0: 53 */
    size_t server_count;                  /* 0: those of /etc/resolv.conf; 8 at most */
    /* Domains tried behind a name, 8 at most; NULL: resolv.conf's */
    const char *const *search;
    size_t search_count;
    bool no_hosts;      /* don't look into /etc/hosts */
    tlsyn_time timeout; /* the first wait for a server, which doubles with each round over all of
                           them; 0: 2 s */
    int tries;          /* rounds; 0: 3 */
};

/** The loop and the stack must outlive the resolver. NULL options: the defaults. -ENOMEM, -ENOSPC
 * (the loop watches too much already), -EINVAL, or what the system failed with. */
int tlsyn_resolver_new(struct tlsyn_loop *loop, struct tlsyn_stack *stack,
                       const struct tlsyn_resolver_options *options,
                       struct tlsyn_resolver **resolver);

/** Ends every lookup without a word. Allowed in on_resolved. */
void tlsyn_resolver_free(struct tlsyn_resolver *resolver);

/** What a lookup may give at most. */
#define TLSYN_RESOLVED_MAX 32

enum tlsyn_family { TLSYN_FAMILY_ANY = 0, TLSYN_FAMILY_IP4, TLSYN_FAMILY_IP6 };

/** Gets the end of a lookup, once. */
struct tlsyn_resolved_handler {
    /**
     * `error` 0: the n addresses, best first (RFC 6724: those that the stack has a route to, of the
     * scope and family of its own address); good during the call. Else n is 0 and the error one of
     * those that tlsyn_resolve_text() puts into words.
     */
    void (*on_resolved)(struct tlsyn_resolved_handler *, const struct tlsyn_addr *addrs, size_t n,
                        int error);
};

/**
 * Begins to look a name, or an address in text, up. on_resolved comes from the loop, never from
 * within this call. `lookup` (may be NULL) is good until then. -ENOBUFS: 256 are under way;
 * -ENOMEM.
 */
int tlsyn_resolve(struct tlsyn_resolver *resolver, const char *name, enum tlsyn_family family,
                  struct tlsyn_resolved_handler *handler, struct tlsyn_lookup **lookup);

/** on_resolved will not come. */
void tlsyn_lookup_cancel(struct tlsyn_lookup *lookup);

/**
 * What an error of on_resolved means, to stand behind a name and a colon: -ENOENT (no such name),
 * -ENODATA (no address of this family), -ETIMEDOUT, -ECONNREFUSED (no server can be reached, or
 * none could answer), -EAGAIN (the servers failed), -EACCES (they refused), -EBADMSG (they answer
 * nonsense), -EINVAL (no name at all) and others.
 */
const char *tlsyn_resolve_text(int error);

#ifdef __cplusplus
}
#endif

#endif
