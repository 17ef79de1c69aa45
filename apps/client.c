/*
 * client.c: what connect and get share.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "destinations.h"
#include "isn_secret.h"
#include "say.h"

#define FILE_MAX (16u << 20)

/* --- options ---------------------------------------------------------------------------------- */

static const char *const levels[] = {"none", "open", "cookie", "paper", NULL};
static const char *const suites[] = {"any", "1.2-rsa", "1.2-ecdhe", "1.3", NULL};

static const struct cli_type level_type = {
    .placeholder = "LEVEL", .parse = cli_choice_parse, .choices = levels};
const struct cli_type client_suite_type = {
    .placeholder = "VERSION", .parse = cli_choice_parse, .choices = suites};

void client_options_init(struct client_options *options, struct cli_option *table)
{
    const struct cli_option filled[CLIENT_OPTIONS - CACHE_OPTIONS] = {
        {"level", 0, &level_type, &options->level,
         "what the SYN may carry: none (sequential handshake), open, cookie (default), paper "
         "(laboratory only)",
         NULL},
        {"tls", 0, &client_suite_type, &options->suite,
         "version and key exchange: any (default), 1.2-rsa, 1.2-ecdhe, 1.3", NULL},
        {"ca", 0, &cli_file, &options->ca,
         "trust the certificates in FILE (PEM) and no others (default: the system's)", NULL},
        {"insecure", 'k', NULL, &options->insecure,
         "accept any certificate: no protection against an active attacker", NULL},
        {"servername", 0, &cli_string, &options->server_name,
         "name to ask for (SNI) and to find in the certificate (default: the host's)", NULL},
        {"new-session", 0, NULL, &options->new_session,
         "make a full TLS handshake, whatever is remembered of the server", NULL},
        {"ecn", 0, NULL, &options->ecn,
         "ask for explicit congestion notification (AccECN, or what the server knows of it)", NULL},
        resolve_option(&options->dns),
    };

    *options = (struct client_options){.level = TLSYN_LEVEL_COOKIE, .suite = TLSYN_TLS_ANY};
    memcpy(table, filled, sizeof(filled));
    cache_options_init(&options->cache, table + CLIENT_OPTIONS - CACHE_OPTIONS);
}

const char *client_level_name(int level)
{
    return levels[level];
}

/* --- trust ------------------------------------------------------------------------------------ */

int client_read_file(const char *path, char **bytes, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *buffer = NULL;
    size_t length = 0;
    int error = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        error = -errno;
    else if (status.st_size > FILE_MAX)
        error = -EFBIG;
    else
        buffer = malloc(FILE_MAX + 1);
    if (error == 0 && !buffer)
        error = -ENOMEM;
    while (error == 0 && length <= FILE_MAX) { /* a pipe's size is not known beforehand */
        ssize_t n = read(fd, buffer + length, FILE_MAX + 1 - length);

        if (n < 0)
            error = -errno;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    if (error == 0 && length > FILE_MAX)
        error = -EFBIG;
    (void)close(fd);
    if (error < 0) {
        free(buffer);
        return error;
    }
    *bytes = buffer;
    *size = length;
    return 0;
}

/* Where OpenSSL's variable or the distribution keeps the trusted certificates. */
static const char *system_trust(void)
{
    const char *named = getenv("SSL_CERT_FILE");

    return named && named[0] ? named : "/etc/ssl/certs/ca-certificates.crt";
}

static int add_trust(struct tlsyn_tls_config *config, const struct client_options *options)
{
    const char *path = options->ca ? options->ca : system_trust();
    char message[256] = "";
    char *bytes = NULL;
    size_t size = 0;
    int n = client_read_file(path, &bytes, &size);

    if (n < 0 && !options->ca) {
        say("the system's trusted certificates can't be read (%s: %s); install ca-certificates, or "
            "name a file with --ca",
            path, strerror(-n));
        return CLI_FAILURE;
    }
    if (n < 0) {
        say("--ca %s can't be read: %s", path, strerror(-n));
        return CLI_FAILURE;
    }
    n = tlsyn_tls_config_trust(config, bytes, size, message);
    free(bytes);
    if (n > 0)
        return CLI_OK;
    if (message[0])
        say("%s: %s", path, message);
    else
        say("%s holds no certificate", path);
    return CLI_FAILURE;
}

void client_wall(int64_t *seconds, tlsyn_time *at)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    *seconds = (int64_t)now.tv_sec;
    *at = tlsyn_clock() - now.tv_nsec / 1000;
}

#define SESSIONS_OWN 4 /* of a configuration without a memory */

int client_config(struct host *host, const struct client_options *options, const char *const *alpn,
                  struct client_memory *memory, struct tlsyn_tls_config **config)
{
    struct tlsyn_tls_options tls = {
        .role = TLSYN_TLS_CLIENT,
        .suite = (enum tlsyn_tls_suite)options->suite,
        .insecure = options->insecure,
        .paper = options->level == TLSYN_LEVEL_PAPER,
        .alpn = alpn,
        .pad_hello = options->level == TLSYN_LEVEL_OPEN || options->level == TLSYN_LEVEL_COOKIE,
        .early_data = options->early_data,
        .no_tickets = options->no_tickets,
        .store = memory ? &memory->sessions.base : options->store,
        .sessions = memory || options->store ? 0 : SESSIONS_OWN,
        .chains = memory ? &memory->chains.base : options->store,
        .keylog = keylog_sink(&host->keylog),
    };
    char message[256] = "";
    int status = CLI_OK;
    int error = 0;

    client_wall(&tls.wall_clock, &tls.wall_at);
    error = tlsyn_tls_config_new(&tls, config, message);
    if (error < 0) {
        say("TLS can't be set up: %s", message[0] ? message : strerror(-error));
        return CLI_TLS;
    }
    if (!options->insecure)
        status = add_trust(*config, options);
    if (status != CLI_OK) {
        tlsyn_tls_config_free(*config);
        *config = NULL;
    }
    return status;
}

/* --- memory ----------------------------------------------------------------------------------- */

#define REMEMBERED "what was learnt of servers"

static void tell_damage(const struct cache *cache, const char *name, int lines)
{
    if (lines > 0)
        say_detail("%s/%s: %d damaged lines, which are left out", cache->path, name, lines);
}

void client_recall(struct host *host, const struct client_options *options, bool verbose,
                   struct client_memory *memory)
{
    struct cache_options where = options->cache;
    struct cache *cache = &memory->cache;
    int n = 0;

    where.off |= host->options->link.kind == HOST_FILE;
    n = cache_open(cache, &where);
    if (n == 0)
        n = destinations_load(cache, host->stack);
    if (n < 0)
        cache_complain(cache, REMEMBERED, n);
    else
        cache_complain(cache, REMEMBERED, isn_secret_recall(cache, host->stack));
    store_file_init(&memory->sessions, cache, "sessions");
    store_file_init(&memory->chains, cache, "chains");
    if (!verbose)
        return;
    tell_damage(cache, "destinations", n);
    tell_damage(cache, "sessions", store_file_damaged(&memory->sessions));
    tell_damage(cache, "chains", store_file_damaged(&memory->chains));
}

void client_remember(struct host *host, struct client_memory *memory)
{
    cache_complain(&memory->cache, REMEMBERED, destinations_save(&memory->cache, host->stack));
    cache_close(&memory->cache);
}

/* --- opening ---------------------------------------------------------------------------------- */

int client_open(struct host *host, struct tlsyn_tls_config *config,
                const struct client_options *options, const struct client_target *target,
                struct tlsyn_handler *app, struct tlsyn_tls **tls)
{
    const struct tlsyn_connect_options connect = {
        .remote = target->remote,
        .level = (enum tlsyn_level)options->level,
        .conn = {.syn_timeout = host->options->timeout,
                 .user_timeout = host->options->timeout,
                 .controller = host_controller(host->options),
                 .ecn = options->ecn},
    };
    const char *name = options->server_name ? options->server_name : target->name;
    struct tlsyn_conn *conn = NULL;
    int status = host_check_remote(host, &target->remote.addr);
    int error = 0;

    if (status != CLI_OK)
        return status;
    error = tlsyn_tls_attach(config, NULL, name, app, tls);
    if (error < 0) {
        say("TLS can't be set up: %s", strerror(-error));
        return CLI_TLS;
    }
    if (options->new_session)
        tlsyn_tls_be_new(*tls);
    error = tlsyn_conn_open(host->stack, &connect, tlsyn_tls_handler(*tls), &conn);
    if (error < 0) {
        status = client_explain(host, *tls, &target->remote, error);
        tlsyn_tls_free(*tls);
        *tls = NULL;
        return status;
    }
    return CLI_OK;
}

void client_swallowed(const struct tlsyn_endpoint *remote)
{
    char text[CLI_ADDRESS_TEXT];

    say("%s port %u: nothing that followed the embedded open was answered; opening again without",
        cli_address_text(&remote->addr, text), remote->port);
}

bool client_outdated(struct client_options *options, const struct tlsyn_tls_info *info, int error,
                     const struct tlsyn_endpoint *remote)
{
    char text[CLI_ADDRESS_TEXT];

    if (error != -EPROTO || info->established || info->offered == TLSYN_TLS_NEW)
        return false;
    say("%s port %u: the server no longer takes the session of before; opening again without",
        cli_address_text(&remote->addr, text), remote->port);
    options->new_session = true;
    return true;
}

int client_explain(struct host *host, const struct tlsyn_tls *tls,
                   const struct tlsyn_endpoint *remote, int error)
{
    const char *sentence = tls ? tlsyn_tls_error(tls) : "";
    char text[CLI_ADDRESS_TEXT];

    if (error == -EPROTO && sentence[0]) {
        bool refused = strncmp(sentence, "the certificate of", 18) == 0;

        say("%s port %u: %s%s", cli_address_text(&remote->addr, text), remote->port, sentence,
            refused ? " (--ca FILE, --servername NAME, --insecure)" : "");
        return CLI_TLS;
    }
    return host_explain(host, remote, host_blame(host, error));
}
