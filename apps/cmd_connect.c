/*
 * cmd_connect.c: tlsyn connect: opens a TLS connection, says what came of it, and relays the
 * standard input and output.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "host.h"
#include "relay.h"
#include "say.h"

#define ALPN_MAX 8

struct connect {
    char host_name[256];
    uint16_t port;
    bool quiet;
    bool json;
    bool verbose;          /* prefetch: not quiet */
    const char *alpn_list; /* comma-separated, or NULL */
    char alpn_text[256];
    const char *alpn[ALPN_MAX + 1];
    struct client_options client;
    struct host_options network;
    struct host host;
    struct tlsyn_tls_config *config;
    struct tlsyn_endpoint remote;
    struct relay relay;
    struct client_memory memory;
    bool outdated; /* the session that was offered is no use, and nothing was said yet */
    bool prefetch; /* only for what is remembered of it */
};

/* --- arguments -------------------------------------------------------------------------------- */

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT, or an IPv6 address by itself: where its host ends, and what
 * stands behind. */
static const char *split_target(const char *text, const char **host, size_t *length)
{
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strchr(text, ':');
    struct tlsyn_addr plain;
    const char *end = bracket ? bracket + 1 : colon;

    if (cli_address.parse(&cli_address, text, &plain) == 0)
        end = NULL;
    *host = bracket ? text + 1 : text;
    *length = bracket ? (size_t)(bracket - text - 1) : end ? (size_t)(end - text) : strlen(text);
    return end ? end : text + strlen(text);
}

static int parse_target(struct connect *c, const char *text)
{
    const char *host = NULL;
    size_t length = 0;
    const char *rest = split_target(text, &host, &length);
    int64_t port = 443;

    if (length == 0 || length >= sizeof(c->host_name) || memchr(host, '/', length) ||
        (rest[0] && (rest[0] != ':' || cli_port.parse(&cli_port, rest + 1, &port) < 0))) {
        say("connect: \"%s\" is not HOST or HOST:PORT, with a port from 1 to 65535; an IPv6 "
            "address before a port stands in brackets",
            text);
        return CLI_USAGE;
    }
    memcpy(c->host_name, host, length);
    c->host_name[length] = '\0';
    c->port = (uint16_t)port;
    return CLI_OK;
}

static int parse_alpn(struct connect *c)
{
    char *rest = NULL;
    int n = 0;

    if (!c->alpn_list)
        return CLI_OK;
    if (strlen(c->alpn_list) >= sizeof(c->alpn_text)) {
        say("connect: the list of --alpn is too long");
        return CLI_USAGE;
    }
    memcpy(c->alpn_text, c->alpn_list, strlen(c->alpn_list) + 1);
    for (char *name = strtok_r(c->alpn_text, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        if (n == ALPN_MAX) {
            say("connect: --alpn takes at most %d names", ALPN_MAX);
            return CLI_USAGE;
        }
        c->alpn[n++] = name;
    }
    return CLI_OK;
}

/* --- the connection --------------------------------------------------------------------------- */

/* What followed an embedded open was swallowed, and nothing is lost if it is said again. */
static bool is_swallowed(const struct connect *c, int error)
{
    return error == 0 && c->relay.error == -EAGAIN && !c->relay.has_read && !c->json;
}

static int explain(struct connect *c, int error)
{
    struct relay *r = &c->relay;

    if (is_swallowed(c, error)) {
        client_swallowed(&c->remote);
        return CLI_FAILURE;
    }
    if (error == 0 && r->error < 0 && r->conn == NULL && r->out_start < r->out_end)
        return cli_output_lost(r->error);
    return client_explain(&c->host, r->tls, &c->remote, error < 0 ? error : r->error);
}

/* Until *done, the connection is closed, or nothing has happened for --timeout. `patient`: the user
 * may think as long as it takes. */
static int await(struct connect *c, const bool *done, bool patient)
{
    struct relay *r = &c->relay;
    int error = 0;

    while (!*done && !r->closed && error == 0) {
        tlsyn_time now = tlsyn_clock();
        tlsyn_time limit = r->last + c->network.timeout;

        if (patient && (r->watching_input || r->watching_output))
            limit = now + TLSYN_SECONDS(60);
        else if (now >= limit)
            return -ETIMEDOUT;
        error = host_turn(&c->host, limit);
    }
    return error;
}

static void tell_end(const struct connect *c)
{
    const struct description *d = &c->relay.description;
    char sent[24];
    char received[24];
    char first[24];

    if (c->quiet)
        return;
    say_detail("closed: %s sent, %s received%s%s", say_bytes(d->conn.bytes_acked, sent),
               say_bytes(d->conn.bytes_received, received),
               d->tls.first_byte ? ", first byte after " : "",
               d->tls.first_byte ? say_duration(d->tls.first_byte - d->conn.opened, first) : "");
}

/* What the next visit need not ask for. */
static void tell_kept(const struct connect *c)
{
    const struct description *d = &c->relay.description;
    struct tlsyn_tls_counters counters;
    char address[CLI_ADDRESS_TEXT];

    tlsyn_tls_config_counters(c->config, &counters);
    if (c->memory.cache.folder < 0) {
        say("nothing is remembered: there is no cache");
        return;
    }
    say("%s port %u: the chain of certificates %s, %llu TLS sessions kept%s",
        cli_address_text(&c->remote.addr, address), c->remote.port,
        counters.chains_verified > 0 ? "verified and kept"
        : counters.chains_known > 0  ? "is known"
                                     : "not verified",
        (unsigned long long)counters.kept,
        d->conn.cookie_received ? ", and a Fast Open cookie" : "");
}

static int relay_both_ways(struct connect *c)
{
    const bool never = false;
    int error = 0;

    if (c->json || c->prefetch)
        relay_close(&c->relay);
    else
        relay_start(&c->relay);
    error = await(c, &never, true);
    if (error == -EINTR) {
        say("interrupted");
        return CLI_INTERRUPTED;
    }
    /* A peer that doesn't close after our close_notify has nothing more to say. */
    if (error == -ETIMEDOUT && c->relay.input_ended)
        error = 0;
    if (error == 0 && (c->relay.error == 0 || c->json || c->prefetch)) {
        tell_end(c);
        if (c->prefetch)
            tell_kept(c);
        if (c->relay.truncated)
            say("the peer closed the connection without TLS saying so: what came may be cut off");
        return c->relay.truncated ? CLI_FAILURE : CLI_OK;
    }
    return explain(c, error);
}

static int talk_once(struct connect *c)
{
    const struct client_target target = {.remote = c->remote, .name = c->host_name};
    struct relay *r = &c->relay;
    struct tlsyn_tls_info info;
    int status = client_open(&c->host, c->config, &c->client, &target, &r->handler, &r->tls);
    int error = 0;

    if (status != CLI_OK)
        return status;
    error = await(c, &r->established, false);
    if (r->conn)
        describe_take(&r->description, r->conn, r->tls);
    if (r->description.conn.number && r->established) {
        if (!c->quiet && !c->json)
            describe_detail(&r->description);
        if (c->json)
            describe_json(&r->description);
    }
    tlsyn_tls_info(r->tls, &info);
    c->outdated = error == 0 && !r->established && !c->outdated &&
                  client_outdated(&c->client, &info, r->error, &c->remote);
    if (c->outdated)
        status = CLI_FAILURE;
    else if (error < 0 || !r->established)
        status = explain(c, error);
    else
        status = relay_both_ways(c);
    relay_fini(r);
    tlsyn_tls_free(r->tls);
    return status;
}

static int talk(struct connect *c)
{
    int status = talk_once(c);

    if (status != CLI_FAILURE || !(c->outdated || is_swallowed(c, 0)))
        return status;
    relay_init(&c->relay, c->host.loop);
    return talk_once(c);
}

static int run(struct connect *c)
{
    int status;

    host_options_peer(&c->network, c->host_name);
    status = host_open(&c->host, &c->network, NULL);
    if (status != CLI_OK)
        return status;
    relay_init(&c->relay, c->host.loop);
    client_recall(&c->host, &c->client, !c->quiet && !c->json, &c->memory);
    status =
        client_config(&c->host, &c->client, c->alpn[0] ? c->alpn : NULL, &c->memory, &c->config);
    c->remote.port = c->port;
    if (status == CLI_OK)
        status = resolve_name(&c->host, &c->client.dns, c->host_name, &c->remote.addr);
    if (status == CLI_OK)
        status = talk(c);
    client_remember(&c->host, &c->memory);
    status = host_close(&c->host, status);
    tlsyn_tls_config_free(c->config);
    return status;
}

/* --- the command lines ------------------------------------------------------------------------ */

static struct connect *connect_new(void)
{
    struct connect *c = calloc(1, sizeof(*c));

    if (!c)
        say("memory is short");
    return c;
}

/* Takes it over. */
static int conduct(struct connect *c, const struct cli_command *command, int argc, char **argv)
{
    int status = CLI_OK;

    if (cli_parse(command, argc, argv, &status) >= 0) {
        if (c->prefetch)
            c->quiet = !c->verbose;
        status = parse_target(c, argv[1]);
        if (status == CLI_OK)
            status = parse_alpn(c);
        if (status == CLI_OK)
            status = run(c);
    }
    free(c);
    return status;
}

/* The same connection, without anything to say on it. */
int cmd_prefetch(int argc, char **argv)
{
    struct connect *c = connect_new();

    if (!c)
        return CLI_FAILURE;
    struct cli_option common[HOST_OPTIONS];
    struct cli_option options[3 + CLIENT_OPTIONS] = {
        {"alpn", 0, &cli_string, &c->alpn_list,
         "offer these application protocols, such as h2,http/1.1", NULL},
        {"verbose", 'v', NULL, &c->verbose, "show what was negotiated, the mode and the times",
         NULL},
    };
    const struct cli_command command = {
        .name = "prefetch",
        .operands = "HOST[:PORT]",
        .summary = "Makes a TLS connection (port 443) for what is to be remembered of the server: "
                   "its chain of certificates, once verified, TLS sessions, and a Fast Open "
                   "cookie. The next connect or get comes back with these.",
        .options = options,
        .common = common,
        .notes = "Example:\n"
                 "  tlsyn prefetch example.org && tlsyn get -v https://example.org/\n",
        .operands_min = 1,
        .operands_max = 1,
    };

    client_options_init(&c->client, options + 2);
    host_options_init(&c->network, "prefetch", common);
    c->prefetch = true;
    c->client.new_session = true; /* a resumed one shows no certificate */
    return conduct(c, &command, argc, argv);
}

int cmd_connect(int argc, char **argv)
{
    struct connect *c = connect_new();

    if (!c)
        return CLI_FAILURE;
    struct cli_option common[HOST_OPTIONS];
    struct cli_option options[5 + CLIENT_OPTIONS] = {
        {"alpn", 0, &cli_string, &c->alpn_list,
         "offer these application protocols, such as h2,http/1.1", NULL},
        {"json", 0, NULL, &c->json, "print what came of it as a JSON object, and close", NULL},
        {"quiet", 'q', NULL, &c->quiet, "relay only", NULL},
        {"verbose", 'v', NULL, &c->verbose, "accepted as in get; connect always shows this", NULL},
    };
    const struct cli_command command = {
        .name = "connect",
        .operands = "HOST[:PORT]",
        .summary = "Opens a TLS connection (port 443), says what was negotiated, which mode was "
                   "used and why, and how long it took; then relays the standard input and output "
                   "until both ends have closed.",
        .options = options,
        .common = common,
        .notes = "Examples:\n"
                 "  tlsyn connect 10.0.0.2 --ca ca.pem --address 10.0.0.9/24 </dev/null\n"
                 "  tlsyn connect example.org:443 --level none --tls 1.3 --json\n",
        .operands_min = 1,
        .operands_max = 1,
    };

    client_options_init(&c->client, options + 4);
    host_options_init(&c->network, "connect", common);
    return conduct(c, &command, argc, argv);
}
