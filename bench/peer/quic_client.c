/*
 * peer/quic_client.c: the QUIC client: one timed handshake and exchange at a time.
 */
#include "measure/clock.h"
#include "peer/quic.h"
#include "peer/quic_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct peer_quic_client {
    enum peer_session session;
    gnutls_certificate_credentials_t trust;
    gnutls_datum_t kept; /* of the last connection; no data: nothing */
    ngtcp2_transport_params params;
};

/* A connection. */
struct exchange {
    struct quic_end end; /* first member */
    struct peer_quic_client *client;
    const struct peer_target *target;
    struct peer_observation *seen;
    double start;
    bool early;    /* the request went before the handshake was complete */
    bool answered; /* the first byte is there */
    bool fresh;    /* so is a ticket for the next connection */
};

/* --- life ------------------------------------------------------------------------------------- */

int peer_quic_client_new(enum peer_session session, const char *ca,
                         struct peer_quic_client **client)
{
    struct peer_quic_client *c = calloc(1, sizeof(*c));
    gnutls_datum_t pem = {.data = (unsigned char *)(uintptr_t)ca, .size = (unsigned)strlen(ca)};

    if (!c)
        return -ENOMEM;
    c->session = session;
    if (gnutls_certificate_allocate_credentials(&c->trust) != 0 ||
        gnutls_certificate_set_x509_trust_mem(c->trust, &pem, GNUTLS_X509_FMT_PEM) < 1) {
        peer_quic_client_free(c);
        return -EPROTO;
    }
    *client = c;
    return 0;
}

void peer_quic_client_free(struct peer_quic_client *client)
{
    if (!client)
        return;
    gnutls_free(client->kept.data);
    if (client->trust)
        gnutls_certificate_free_credentials(client->trust);
    free(client);
}

/* --- events ----------------------------------------------------------------------------------- */

static void open_stream(struct exchange *x)
{
    x->end.sent = 0;
    x->end.text = x->target->request;
    if (ngtcp2_conn_open_bidi_stream(x->end.conn, &x->end.stream, NULL) != 0)
        x->end.stream = -1;
}

static bool was_early(const struct exchange *x)
{
    return (gnutls_session_get_flags(x->end.tls) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
}

static void on_established(struct quic_end *end)
{
    struct exchange *x = (struct exchange *)end;

    if (x->early && was_early(x))
        return;
    x->seen->handshake_us = clock_us(CLOCK_MONOTONIC) - x->start;
    if (x->early && ngtcp2_conn_early_data_rejected(end->conn) != 0)
        return;
    open_stream(x);
}

static void on_text(struct quic_end *end, int64_t stream)
{
    struct exchange *x = (struct exchange *)end;

    (void)stream;
    if (!x->answered)
        x->seen->first_byte_us = clock_us(CLOCK_MONOTONIC) - x->start;
    x->answered = true;
}

/* GnuTLS has read a NewSessionTicket. */
static int on_ticket(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                     const gnutls_datum_t *message)
{
    ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(tls);
    struct exchange *x = ref->user_data;
    gnutls_datum_t data = {.data = NULL};

    (void)type;
    (void)when;
    (void)incoming;
    (void)message;
    if (gnutls_session_get_data2(tls, &data) != 0)
        return 0;
    gnutls_free(x->client->kept.data);
    x->client->kept = data;
    x->client->params = *ngtcp2_conn_get_remote_transport_params(x->end.conn);
    x->fresh = true;
    return 0;
}

/* --- a connection ----------------------------------------------------------------------------- */

static int fail(struct exchange *x, int error, const char *step)
{
    const char *alert = x->end.conn && ngtcp2_conn_get_tls_alert(x->end.conn)
                            ? gnutls_alert_get_name((
                                  gnutls_alert_description_t)ngtcp2_conn_get_tls_alert(x->end.conn))
                            : NULL;

    (void)snprintf(x->seen->reason, sizeof(x->seen->reason), "%s: %s", step,
                   alert ? alert : strerror(-error));
    return error;
}

static int open_socket(struct exchange *x)
{
    struct quic_end *end = &x->end;
    socklen_t size = sizeof(end->local);

    end->remote = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(x->target->port)};
    if (inet_pton(AF_INET, x->target->address, &end->remote.sin_addr) != 1)
        return -EINVAL;
    end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (end->fd < 0 || connect(end->fd, (struct sockaddr *)&end->remote, sizeof(end->remote)) < 0 ||
        getsockname(end->fd, (struct sockaddr *)&end->local, &size) < 0)
        return -errno;
    return 0;
}

static int open_tls(struct exchange *x)
{
    const struct peer_quic_client *c = x->client;
    const char *name = x->target->name;
    unsigned early = c->session == PEER_EARLY ? GNUTLS_ENABLE_EARLY_DATA : 0;
    gnutls_session_t tls = NULL;

    if (gnutls_init(&x->end.tls, GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA | early) != 0)
        return -ENOMEM;
    tls = x->end.tls;
    if (quic_end_tls(&x->end) < 0 || ngtcp2_crypto_gnutls_configure_client_session(tls) != 0 ||
        gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, c->trust) != 0 ||
        gnutls_server_name_set(tls, GNUTLS_NAME_DNS, name, strlen(name)) != 0)
        return -EPROTO;
    gnutls_session_set_verify_cert(tls, name, 0);
    gnutls_handshake_set_hook_function(tls, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST,
                                       on_ticket);
    if (c->session != PEER_NEW && c->kept.data &&
        gnutls_session_set_data(tls, c->kept.data, c->kept.size) != 0)
        return -EPROTO;
    return 0;
}

static int open_conn(struct exchange *x)
{
    const ngtcp2_callbacks callbacks = quic_end_callbacks();
    const ngtcp2_settings settings = quic_end_settings();
    const ngtcp2_transport_params params = quic_end_params();
    const ngtcp2_cid server = quic_end_cid();
    const ngtcp2_cid own = quic_end_cid();

    if (ngtcp2_conn_client_new(&x->end.conn, &server, &own, &x->end.path, NGTCP2_PROTO_VER_V1,
                               &callbacks, &settings, &params, NULL, &x->end) != 0)
        return -ENOMEM;
    ngtcp2_conn_set_tls_native_handle(x->end.conn, x->end.tls);
    x->early = x->client->session == PEER_EARLY && x->client->kept.data;
    if (!x->early)
        return 0;
    ngtcp2_conn_set_early_remote_transport_params(x->end.conn, &x->client->params);
    open_stream(x);
    return 0;
}

/* Everything that has come. 0 or -errno. */
static int read_all(struct exchange *x)
{
    uint8_t packet[2048];
    int error = 0;

    while (error == 0) {
        ssize_t n = recv(x->end.fd, packet, sizeof(packet), MSG_DONTWAIT);

        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        error = quic_end_read(&x->end, packet, (size_t)n);
    }
    return error;
}

/* Until the first byte is there, and a ticket where the next connection needs one. */
static int run(struct exchange *x)
{
    bool by_ticket = x->client->session != PEER_NEW;
    double end = x->start + x->target->timeout_ms * 1e3;
    struct pollfd readable = {.fd = x->end.fd, .events = POLLIN};
    int error = quic_end_write(&x->end);

    if (error == 0 && x->early)
        x->seen->handshake_us = clock_us(CLOCK_MONOTONIC) - x->start;
    while (error == 0 && (!x->answered || (by_ticket && !x->fresh))) {
        if (clock_us(CLOCK_MONOTONIC) > end)
            return -ETIMEDOUT;
        (void)poll(&readable, 1, quic_end_wait_ms(&x->end, 100));
        error = read_all(x);
        if (error == 0)
            error = quic_end_write(&x->end);
        if (error == 0)
            error = quic_end_timers(&x->end);
    }
    return error;
}

static int check(struct exchange *x)
{
    gnutls_session_t tls = x->end.tls;
    const char *group = gnutls_group_get_name(gnutls_group_get(tls));

    (void)snprintf(x->seen->version, sizeof(x->seen->version), "QUIC v1");
    (void)snprintf(x->seen->cipher, sizeof(x->seen->cipher), "%s", "TLS_AES_128_GCM_SHA256");
    (void)snprintf(x->seen->group, sizeof(x->seen->group), "%s", group ? group : "");
    if (gnutls_cipher_get(tls) != GNUTLS_CIPHER_AES_128_GCM)
        return fail(x, -EPROTO, "another cipher suite than asked for");
    if (x->client->session != PEER_NEW && !gnutls_session_is_resumed(tls))
        (void)snprintf(x->seen->reason, sizeof(x->seen->reason), "not resumed");
    else if (x->client->session == PEER_EARLY && !was_early(x))
        (void)snprintf(x->seen->reason, sizeof(x->seen->reason), "early data was not accepted");
    return x->seen->reason[0] ? -EPROTO : 0;
}

int peer_quic_exchange(struct peer_quic_client *client, const struct peer_target *target,
                       struct peer_observation *seen)
{
    struct exchange x = {.client = client, .target = target, .seen = seen, .end = {.fd = -1}};
    int error = 0;

    *seen = (struct peer_observation){.handshake_us = 0};
    x.end.on_established = on_established;
    x.end.on_text = on_text;
    x.start = clock_us(CLOCK_MONOTONIC);
    quic_end_init(&x.end);
    error = open_socket(&x);
    if (error == 0)
        error = open_tls(&x);
    if (error == 0)
        error = open_conn(&x);
    if (error == 0)
        error = run(&x);
    error = error < 0 ? fail(&x, error, x.end.established ? "response" : "handshake") : check(&x);
    if (x.end.conn)
        quic_end_close(&x.end);
    quic_end_fini(&x.end);
    if (x.end.fd >= 0)
        (void)close(x.end.fd);
    return error;
}
