/*
 * peer/quic_server.c: the QUIC server: one connection per port at a time, which is all that a
 * measurement opens.
 */
#include "peer/quic.h"
#include "peer/quic_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MS       1000
#define REPLAY_WINDOW 10000 /* ms */
#define REPLAYS       1024  /* early data remembered */
#define REPLAY_KEY    64    /* bytes of each that are looked at */

/* A port, and the connection that was opened last. */
struct port {
    struct quic_end end; /* first member */
    const struct peer_quic_server *server;
    const struct quic_secrets *secrets;
    enum peer_session session;
};

/* What all ports share. */
struct quic_secrets {
    gnutls_certificate_credentials_t identity;
    gnutls_datum_t ticket_key;
    gnutls_anti_replay_t anti_replay;
    uint8_t replays[REPLAYS][REPLAY_KEY]; /* the newest; overwritten in turn */
    size_t next_replay;
};

/* --- replays ---------------------------------------------------------------------------------- */

/* GnuTLS asks whether a ticket's early data has come before. A study makes fewer of them in the
 * window than are remembered. */
static int add_replay(void *memory, time_t until, const gnutls_datum_t *key,
                      const gnutls_datum_t *unused)
{
    struct quic_secrets *s = memory;
    uint8_t *mine = s->replays[s->next_replay % REPLAYS];
    size_t n = key->size < REPLAY_KEY ? key->size : REPLAY_KEY;

    (void)until;
    (void)unused;
    for (size_t i = 0; i < REPLAYS; i++) {
        if (memcmp(s->replays[i], key->data, n) == 0)
            return GNUTLS_E_DB_ENTRY_EXISTS;
    }
    s->next_replay++;
    memset(mine, 0, REPLAY_KEY);
    memcpy(mine, key->data, n);
    return 0;
}

static int make_secrets(const struct peer_quic_server *server, struct quic_secrets *s)
{
    const struct peer_identity *id = server->identity;
    const gnutls_datum_t chain = {.data = (unsigned char *)(uintptr_t)id->chain,
                                  .size = (unsigned)strlen(id->chain)};
    const gnutls_datum_t key = {.data = (unsigned char *)(uintptr_t)id->key,
                                .size = (unsigned)strlen(id->key)};

    if (gnutls_certificate_allocate_credentials(&s->identity) != 0 ||
        gnutls_certificate_set_x509_key_mem(s->identity, &chain, &key, GNUTLS_X509_FMT_PEM) < 0 ||
        gnutls_session_ticket_key_generate(&s->ticket_key) != 0 ||
        gnutls_anti_replay_init(&s->anti_replay) != 0)
        return -EPROTO;
    gnutls_anti_replay_set_add_function(s->anti_replay, add_replay);
    gnutls_anti_replay_set_ptr(s->anti_replay, s);
    gnutls_anti_replay_set_window(s->anti_replay, REPLAY_WINDOW);
    return 0;
}

static void free_secrets(struct quic_secrets *s)
{
    if (s->anti_replay)
        gnutls_anti_replay_deinit(s->anti_replay);
    gnutls_free(s->ticket_key.data);
    if (s->identity)
        gnutls_certificate_free_credentials(s->identity);
}

/* --- connections ------------------------------------------------------------------------------ */

static void on_established(struct quic_end *end)
{
    const struct port *port = (const struct port *)end;

    if (port->session != PEER_NEW)
        (void)gnutls_session_ticket_send(end->tls, 1, 0);
}

static void on_text(struct quic_end *end, int64_t stream)
{
    const struct port *port = (const struct port *)end;

    if (end->text)
        return;
    end->stream = stream;
    end->text = port->server->response;
    end->sent = 0;
}

static int open_tls(struct port *port)
{
    const struct quic_secrets *s = port->secrets;
    bool early = port->session == PEER_EARLY;
    unsigned flags = GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_NO_END_OF_EARLY_DATA |
                     (early ? GNUTLS_ENABLE_EARLY_DATA : 0);
    gnutls_session_t tls = NULL;

    if (gnutls_init(&port->end.tls, flags) != 0)
        return -ENOMEM;
    tls = port->end.tls;
    if (quic_end_tls(&port->end) < 0 || ngtcp2_crypto_gnutls_configure_server_session(tls) != 0 ||
        gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, s->identity) != 0)
        return -EPROTO;
    if (port->session != PEER_NEW && gnutls_session_ticket_enable_server(tls, &s->ticket_key) != 0)
        return -EPROTO;
    if (early) {
        gnutls_anti_replay_enable(tls, s->anti_replay);
        if (gnutls_record_set_max_early_data_size(tls, QUIC_EARLY_MAX) != 0)
            return -EPROTO;
    }
    return 0;
}

static void forget(struct port *port)
{
    quic_end_fini(&port->end);
    port->end.text = NULL;
    port->end.established = false;
}

/* A connection for the client whose first packet this is. 0, or -errno: it is none. */
static int accept_client(struct port *port, const struct sockaddr_in *from, const uint8_t *packet,
                         size_t n)
{
    const ngtcp2_callbacks callbacks = quic_end_callbacks();
    const ngtcp2_settings settings = quic_end_settings();
    ngtcp2_transport_params params = quic_end_params();
    const ngtcp2_cid own = quic_end_cid();
    ngtcp2_pkt_hd header;
    int error = 0;

    if (ngtcp2_accept(&header, packet, n) != 0)
        return -EPROTO;
    forget(port);
    port->end.remote = *from;
    quic_end_init(&port->end);
    error = open_tls(port);
    if (error < 0)
        return error;
    params.original_dcid = header.dcid;
    if (ngtcp2_conn_server_new(&port->end.conn, &header.scid, &own, &port->end.path, header.version,
                               &callbacks, &settings, &params, NULL, &port->end) != 0)
        return -ENOMEM;
    ngtcp2_conn_set_tls_native_handle(port->end.conn, port->end.tls);
    return 0;
}

static void stand_still(int64_t us)
{
    const struct timespec t = {.tv_sec = (time_t)(us / 1000000),
                               .tv_nsec = (long)(us % 1000000) * 1000};

    if (us > 0)
        (void)nanosleep(&t, NULL);
}

static bool same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* A client that fails knows so itself, and tells the harness. */
static void take_packet(struct port *port)
{
    uint8_t packet[2048];
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    ssize_t n = recvfrom(port->end.fd, packet, sizeof(packet), MSG_DONTWAIT,
                         (struct sockaddr *)&from, &size);

    if (n < 0)
        return;
    if (!port->end.conn || !same(&from, &port->end.remote)) {
        if (accept_client(port, &from, packet, (size_t)n) < 0) {
            forget(port);
            return;
        }
        stand_still(port->server->pad_us);
    }
    if (quic_end_read(&port->end, packet, (size_t)n) < 0 || quic_end_write(&port->end) < 0)
        forget(port);
}

/* --- serving ---------------------------------------------------------------------------------- */

static int bind_port(struct port *port, uint16_t number)
{
    struct sockaddr_in *here = &port->end.local;

    *here = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(number)};
    if (inet_pton(AF_INET, port->server->address, &here->sin_addr) != 1)
        return -EINVAL;
    port->end.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (port->end.fd < 0 || bind(port->end.fd, (struct sockaddr *)here, sizeof(*here)) < 0)
        return -errno;
    return 0;
}

/* fds[0] is the control descriptor, the others are the ports' in their order. */
static int serve(struct port *ports, int count, struct pollfd *fds)
{
    for (;;) {
        int wait = IDLE_MS;

        for (int i = 0; i < count; i++)
            wait = quic_end_wait_ms(&ports[i].end, wait);
        if (poll(fds, (nfds_t)count + 1, wait) < 0 && errno != EINTR)
            return -errno;
        if (fds[0].revents)
            return 0;
        for (int i = 0; i < count; i++) {
            if (fds[i + 1].revents)
                take_packet(&ports[i]);
            if (ports[i].end.conn && quic_end_timers(&ports[i].end) < 0)
                forget(&ports[i]);
        }
    }
}

int peer_quic_serve(const struct peer_quic_server *server)
{
    struct quic_secrets secrets = {.next_replay = 0};
    struct pollfd fds[PEER_SESSIONS + 1] = {{.fd = server->control, .events = POLLIN}};
    struct port *ports = calloc(PEER_SESSIONS, sizeof(*ports));
    int opened = 0;
    int error = !ports                          ? -ENOMEM
                : server->count > PEER_SESSIONS ? -EINVAL
                                                : make_secrets(server, &secrets);

    for (; error == 0 && opened < server->count; opened++) {
        ports[opened] =
            (struct port){.server = server,
                          .secrets = &secrets,
                          .session = server->services[opened].session,
                          .end = {.on_established = on_established, .on_text = on_text}};
        error = bind_port(&ports[opened], server->services[opened].port);
        fds[opened + 1] = (struct pollfd){.fd = ports[opened].end.fd, .events = POLLIN};
    }
    if (error == 0) {
        server->ready(server->ready_argument);
        error = serve(ports, opened, fds);
    }
    for (int i = 0; i < opened; i++) {
        forget(&ports[i]);
        if (ports[i].end.fd >= 0)
            (void)close(ports[i].end.fd);
    }
    free_secrets(&secrets);
    free(ports);
    return error;
}
