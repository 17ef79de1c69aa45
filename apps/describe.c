/*
 * describe.c: a connection in words and in JSON.
 */
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "client.h"
#include "say.h"

static void keep(char *into, size_t size, const char *text)
{
    (void)snprintf(into, size, "%s", text ? text : "");
}

void describe_take(struct description *d, struct tlsyn_conn *conn, const struct tlsyn_tls *tls)
{
    tlsyn_conn_info(conn, &d->conn);
    tlsyn_tls_info(tls, &d->tls);
    keep(d->version, sizeof(d->version), d->tls.version);
    keep(d->suite, sizeof(d->suite), d->tls.ciphersuite);
    keep(d->alpn, sizeof(d->alpn), d->tls.alpn);
    if (tlsyn_tls_peer(tls, d->peer, sizeof(d->peer)) < 0)
        d->peer[0] = '\0';
}

const char *describe_mode(const struct tlsyn_conn_info *info)
{
    return info->syn_text_acked > 0 ? "embedded" : "sequential";
}

/* Without a cookie the server's flight stops at three times the SYN, headers counted and some of it
 * kept for repetitions, and the rest waits for the ACK: then embedding has saved nothing. A flight
 * that filled the SYN-ACK went on behind it. */
static bool stopped_at_limit(const struct tlsyn_conn_info *info)
{
    return !info->cookie_used && info->level != TLSYN_LEVEL_PAPER &&
           2 * info->synack_text >= 3 * info->syn_text && info->synack_text + 100 < info->mss;
}

/* Why that mode, as a clause: "312 bytes rode in the SYN, 1201 in the SYN-ACK". */
static const char *reason_of(const struct tlsyn_conn_info *info, char *text, size_t size)
{
    int minutes = (int)(info->off_for / TLSYN_SECONDS(60)) + 1;

    if (info->syn_text > 0 && info->syn_text_acked == info->syn_text)
        (void)snprintf(text, size, "%u bytes rode in the SYN, %u in the SYN-ACK%s", info->syn_text,
                       info->synack_text,
                       info->cookie_used ? ", with a cookie"
                       : stopped_at_limit(info)
                           ? ", the most before the server has validated the address"
                           : "");
    else if (info->syn_text_acked > 0)
        (void)snprintf(text, size, "%u bytes rode in the SYN, of which the peer took %u",
                       info->syn_text, info->syn_text_acked);
    else if (!info->active)
        (void)snprintf(text, size, "the SYN carried nothing");
    else if (info->embedding == TLSYN_EMBEDDING_OFF)
        (void)snprintf(text, size, "embedding is off for another %d min, for last time %s", minutes,
                       tlsyn_embedding_words(info->off_by));
    else
        (void)snprintf(text, size, "%s", tlsyn_embedding_words(info->embedding));
    return text;
}

/* Until the client could send, or -1 if it never could: TCP's own, where the SYN's text was not
 * taken; TLS's; and the one for the rest of a flight that stopped at the limit. */
static int round_trips_of(const struct description *d)
{
    bool is_embedded = d->conn.syn_text_acked > 0;
    int trips = is_embedded ? 0 : 1;

    if (!d->tls.established)
        return -1;
    if (d->tls.early == TLSYN_TLS_EARLY_ACCEPTED)
        return trips;
    return trips + (int)d->tls.round_trips + (is_embedded && stopped_at_limit(&d->conn) ? 1 : 0);
}

static tlsyn_time since(tlsyn_time start, tlsyn_time end)
{
    return end > start ? end - start : 0;
}

static void detail_time(const char *what, tlsyn_time duration)
{
    char text[24];

    if (duration > 0)
        say_detail("  %-11s %s", what, say_duration(duration, text));
}

/* Indents each line of the certificate's text. */
static void detail_lines(const char *text)
{
    while (*text) {
        const char *end = strchr(text, '\n');
        int length = end ? (int)(end - text) : (int)strlen(text);

        if (length > 0)
            say_detail("    %.*s", length, text);
        text += length + (end ? 1 : 0);
    }
}

static const char *resumption(const struct description *d)
{
    static const char *const phrases[] = {[TLSYN_TLS_NEW] = "",
                                          [TLSYN_TLS_ID] = ", resumed by session ID",
                                          [TLSYN_TLS_TICKET] = ", resumed by ticket",
                                          [TLSYN_TLS_PSK] = ", resumed by pre-shared key"};

    if (d->tls.session == TLSYN_TLS_NEW && d->tls.offered != TLSYN_TLS_NEW)
        return ", the server did not resume";
    return phrases[d->tls.session];
}

static const char *verification(const struct description *d)
{
    if (d->tls.session != TLSYN_TLS_NEW)
        return "verified when the session was new";
    return d->tls.chain_known ? "verified: its chain is known from before" : "verified";
}

static void detail_early(const struct description *d)
{
    if (d->tls.early == TLSYN_TLS_EARLY_NONE && d->early_asked)
        say_detail("  %-11s none: no ticket of this server's that allows it is at hand",
                   "early data");
    if (d->tls.early != TLSYN_TLS_EARLY_NONE)
        say_detail("  %-11s %s, %llu bytes", "early data",
                   d->tls.early == TLSYN_TLS_EARLY_ACCEPTED ? "accepted" : "not accepted",
                   (unsigned long long)d->tls.early_bytes);
}

/* A server waits for its client once in TLS 1.3, unless it asks for another key share first. */
static bool asked_again(const struct description *d)
{
    return d->tls.established && d->tls.round_trips > 1 && strcmp(d->version, "TLSv1.3") == 0;
}

static void detail_round_trips(const struct description *d)
{
    int trips = round_trips_of(d);

    if (trips >= 0)
        say_detail("  %-11s %d round trip%s until the client could send%s", "waited for", trips,
                   trips == 1 ? "" : "s",
                   asked_again(d) ? ", one of them for a HelloRetryRequest" : "");
}

/* Nobody has answered with a SYN-ACK. */
static void detail_attempt(const struct tlsyn_conn_info *c)
{
    char address[CLI_ADDRESS_TEXT];
    char reason[160];

    say_detail("no connection to %s port %u", cli_address_text(&c->remote.addr, address),
               c->remote.port);
    if (c->syn_text > 0)
        say_detail("  %-11s with %u bytes of TLS%s", "SYN", c->syn_text,
                   c->embedding == TLSYN_EMBEDDING_SENT ? "" : ", then bare");
    else
        say_detail("  %-11s bare: %s", "SYN", reason_of(c, reason, sizeof(reason)));
}

void describe_detail(const struct description *d)
{
    const struct tlsyn_conn_info *c = &d->conn;
    char address[CLI_ADDRESS_TEXT];
    char reason[160];

    if (c->established == 0) {
        detail_attempt(c);
        return;
    }
    say_detail("connected to %s port %u", cli_address_text(&c->remote.addr, address),
               c->remote.port);
    say_detail("  %-11s %s, %s%s%s%s", "TLS", d->version[0] ? d->version : "not negotiated",
               d->suite[0] ? d->suite : "no ciphersuite", d->alpn[0] ? ", ALPN " : "", d->alpn,
               resumption(d));
    say_detail("  %-11s %s", "certificate",
               d->tls.verified      ? verification(d)
               : d->tls.established ? "NOT verified (--insecure)"
                                    : "not verified");
    detail_lines(d->peer);
    say_detail("  %-11s %s: %s", "mode", describe_mode(c), reason_of(c, reason, sizeof(reason)));
    detail_early(d);
    detail_round_trips(d);
    detail_time("round trip", c->srtt);
    detail_time("TCP", since(c->opened, c->established));
    detail_time("handshake", since(c->opened, d->tls.finished));
    detail_time("first byte", since(c->opened, d->tls.first_byte));
}

static void json_ms(const char *name, tlsyn_time duration)
{
    if (duration > 0)
        say_result(", \"%s\": %.3f", name, (double)duration / 1e3);
    else
        say_result(", \"%s\": null", name);
}

static void json_text(const char *name, const char *text)
{
    say_result(", \"%s\": ", name);
    say_json_string(text[0] ? text : NULL);
}

void describe_json(const struct description *d)
{
    const struct tlsyn_conn_info *c = &d->conn;
    char address[CLI_ADDRESS_TEXT];
    char reason[160];
    static const char *const ecn[] = {"none", "classic", "accurate"};
    static const char *const early[] = {[TLSYN_TLS_EARLY_NONE] = "none",
                                        [TLSYN_TLS_EARLY_ACCEPTED] = "accepted",
                                        [TLSYN_TLS_EARLY_REJECTED] = "rejected"};
    int trips = round_trips_of(d);

    say_result("{\"address\": \"%s\", \"port\": %u", cli_address_text(&c->remote.addr, address),
               c->remote.port);
    json_text("version", d->version);
    json_text("ciphersuite", d->suite);
    json_text("alpn", d->alpn);
    json_text("session", tlsyn_tls_session_name(d->tls.session));
    json_text("offered", tlsyn_tls_session_name(d->tls.offered));
    json_text("early", early[d->tls.early]);
    say_result(", \"early_bytes\": %llu, \"round_trips\": ",
               (unsigned long long)d->tls.early_bytes);
    say_result(trips < 0 ? "null" : "%d", trips);
    say_result(", \"hello_retry\": %s", asked_again(d) ? "true" : "false");
    say_result(", \"verified\": %s", d->tls.verified ? "true" : "false");
    say_result(", \"chain_known\": %s", d->tls.chain_known ? "true" : "false");
    json_text("certificate", d->peer);
    json_text("mode", c->established ? describe_mode(c) : "");
    json_text("reason", reason_of(c, reason, sizeof(reason)));
    json_text("level", client_level_name((int)c->level));
    say_result(", \"syn_text\": %u, \"syn_text_acked\": %u, \"synack_text\": %u", c->syn_text,
               c->syn_text_acked, c->synack_text);
    say_result(", \"cookie_used\": %s, \"cookie_received\": %s, \"syn_retransmits\": %u",
               c->cookie_used ? "true" : "false", c->cookie_received ? "true" : "false",
               c->syn_retransmits);
    json_ms("rtt_ms", c->srtt);
    json_ms("tcp_ms", since(c->opened, c->established));
    json_ms("handshake_ms", since(c->opened, d->tls.finished));
    json_ms("first_byte_ms", since(c->opened, d->tls.first_byte));
    json_text("ecn", ecn[c->ecn]);
    say_result(", \"bytes_received\": %llu, \"bytes_acked\": %llu, \"retransmits\": %u}\n",
               (unsigned long long)c->bytes_received, (unsigned long long)c->bytes_acked,
               c->retransmits);
}
