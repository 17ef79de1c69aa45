/*
 * resolve.h: names to addresses for the commands that take a host: asked of the system's resolver,
 * or, with --dns, of the servers named there, over the command's own stack.
 *
 * The system's resolver is the default: it knows what this machine is configured for, and its
 * servers are often out of reach for a stack of its own (127.0.0.53, say). Whoever names servers
 * wants the query to take the way that the connection takes.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "cli.h"
#include "host.h"

#define RESOLVE_SERVERS_MAX 8

/** What --dns says. */
struct resolve_servers {
    struct tlsyn_endpoint server[RESOLVE_SERVERS_MAX];
    size_t count; /* 0: the system's resolver */
};

/** The option --dns, for a table. */
struct cli_option resolve_option(struct resolve_servers *servers);

/** The best address of a name, of the family that the host has an address of, within the host's
 * timeout. CLI_OK, or says why not. */
int resolve_name(struct host *host, const struct resolve_servers *servers, const char *name,
                 struct tlsyn_addr *address);

enum { RESOLVE_WHY_MAX = 400 };

/** The same; of CLI_FAILURE it writes why instead of saying it, or nothing where it is said. */
int resolve_try(struct host *host, const struct resolve_servers *servers, const char *name,
                struct tlsyn_addr *address, char why[RESOLVE_WHY_MAX]);

#endif
