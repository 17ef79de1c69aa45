/*
 * client.h: what connect and get share: options of a TLS client, its configuration, opening.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <tlsyn/tls.h>

#include "cache_file.h"
#include "cli.h"
#include "host.h"
#include "resolve.h"
#include "store_file.h"

struct client_options {
    int level;      /* enum tlsyn_level */
    int suite;      /* enum tlsyn_tls_suite */
    const char *ca; /* file of trusted certificates; NULL: the system's */
    bool insecure;
    bool ecn;                /* ask for it */
    bool early_data;         /* may be written */
    bool new_session;        /* a full handshake, whatever is remembered */
    bool no_tickets;         /* of TLS 1.2 are taken: session IDs are */
    const char *server_name; /* NULL: the name in the URL or argument */
    struct resolve_servers dns;
    struct cache_options cache;
    struct tlsyn_tls_store *store; /* of sessions and chains, where there is no memory; or NULL */
};

#define CLIENT_OPTIONS (8 + CACHE_OPTIONS)

/** enum tlsyn_tls_suite, into an int: "any", "1.2-rsa", "1.2-ecdhe", "1.3". */
extern const struct cli_type client_suite_type;

/** Sets the defaults and fills CLIENT_OPTIONS places of a table. */
void client_options_init(struct client_options *options, struct cli_option *table);

/** A level's name, as options and results spell it. */
const char *client_level_name(int level);

/** The time of day, to the microsecond: whole seconds since 1970, and when by tlsyn_clock() they
 * began. Tickets that outlive a command are as old as the difference of two of these. */
void client_wall(int64_t *seconds, tlsyn_time *at);

/** What is remembered from run to run. Lives as long as the configuration. */
struct client_memory {
    struct cache cache;
    struct store_file sessions; /* of TLS */
    struct store_file chains;   /* of certificates that verified */
};

/** Opens the cache, and gives the stack what is remembered of servers. Says what is wrong with it;
 * the command goes on. `verbose`: damaged lines too. Not where a capture is replayed. */
void client_recall(struct host *host, const struct client_options *options, bool verbose,
                   struct client_memory *memory);

/** A configuration with trust, memory and key log set up. `alpn` as in tlsyn_tls_options.
 * CLI_OK, or says why not. Without a memory (NULL) sessions stay with the configuration. */
int client_config(struct host *host, const struct client_options *options, const char *const *alpn,
                  struct client_memory *memory, struct tlsyn_tls_config **config);

/** Keeps what was learnt, and closes the cache. Before host_close(). */
void client_remember(struct host *host, struct client_memory *memory);

/** Whom to connect to. */
struct client_target {
    struct tlsyn_endpoint remote;
    const char *name; /* for SNI and verification, unless --servername gives another */
};

/** Begins a TLS connection. The caller frees *tls in any case of success. CLI_OK, or says why
 * not. */
int client_open(struct host *host, struct tlsyn_tls_config *config,
                const struct client_options *options, const struct client_target *target,
                struct tlsyn_handler *app, struct tlsyn_tls **tls);

/** Says that a connection is opened anew, for what followed the embedded open of the last one was
 * swallowed (-EAGAIN). */
void client_swallowed(const struct tlsyn_endpoint *remote);

/** Whether a connection that failed with `error` did so because the server speaks another version
 * than in the session that was offered; then says that it is opened anew without one, and sees to
 * that. */
bool client_outdated(struct client_options *options, const struct tlsyn_tls_info *info, int error,
                     const struct tlsyn_endpoint *remote);

/** Says why a connection failed: TLS's own sentence if TLS failed, else the network's. Returns
 * the exit status. */
int client_explain(struct host *host, const struct tlsyn_tls *tls,
                   const struct tlsyn_endpoint *remote, int error);

/** Reads a whole file of at most 16 MiB, to be freed with free(3). 0 or -errno (-EFBIG). */
int client_read_file(const char *path, char **bytes, size_t *size);

#endif
