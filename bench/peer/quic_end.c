/*
 * peer/quic_end.c: one end of a QUIC connection. Read first: RFC 9000 7, 8.1; RFC 9001 4;
 * ngtcp2's programmer's guide.
 */
#include "peer/quic_end.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PACKET_MAX 1452
#define WINDOW     65536
#define CID_LENGTH 16

/* The suites of the other peers, and no record for compatibility's sake (RFC 9001 8.4). */
#define PRIORITIES                                                                                 \
    "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"           \
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1"

static ngtcp2_tstamp now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (ngtcp2_tstamp)t.tv_sec * NGTCP2_SECONDS + (ngtcp2_tstamp)t.tv_nsec;
}

static ngtcp2_conn *conn_of(ngtcp2_crypto_conn_ref *ref)
{
    return ((struct quic_end *)ref)->conn;
}

/* --- callbacks -------------------------------------------------------------------------------- */

static void fill_random(uint8_t *bytes, size_t n, const ngtcp2_rand_ctx *context)
{
    (void)context;
    (void)gnutls_rnd(GNUTLS_RND_NONCE, bytes, n);
}

ngtcp2_cid quic_end_cid(void)
{
    ngtcp2_cid cid = {.datalen = CID_LENGTH};

    (void)gnutls_rnd(GNUTLS_RND_RANDOM, cid.data, cid.datalen);
    return cid;
}

static int new_cid(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t n, void *user)
{
    (void)conn;
    (void)user;
    cid->datalen = n;
    if (gnutls_rnd(GNUTLS_RND_RANDOM, cid->data, n) != 0 ||
        gnutls_rnd(GNUTLS_RND_RANDOM, token, NGTCP2_STATELESS_RESET_TOKENLEN) != 0)
        return NGTCP2_ERR_CALLBACK_FAILURE;
    return 0;
}

static int on_established(ngtcp2_conn *conn, void *user)
{
    struct quic_end *end = user;

    (void)conn;
    end->established = true;
    if (end->on_established)
        end->on_established(end);
    return 0;
}

static int on_text(ngtcp2_conn *conn, uint32_t flags, int64_t stream, uint64_t offset,
                   const uint8_t *text, size_t n, void *user, void *stream_user)
{
    struct quic_end *end = user;

    (void)conn;
    (void)flags;
    (void)offset;
    (void)text;
    (void)stream_user;
    if (n > 0 && end->on_text)
        end->on_text(end, stream);
    return 0;
}

ngtcp2_callbacks quic_end_callbacks(void)
{
    return (ngtcp2_callbacks){
        .client_initial = ngtcp2_crypto_client_initial_cb,
        .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
        .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
        .handshake_completed = on_established,
        .encrypt = ngtcp2_crypto_encrypt_cb,
        .decrypt = ngtcp2_crypto_decrypt_cb,
        .hp_mask = ngtcp2_crypto_hp_mask_cb,
        .recv_stream_data = on_text,
        .recv_retry = ngtcp2_crypto_recv_retry_cb,
        .rand = fill_random,
        .get_new_connection_id = new_cid,
        .update_key = ngtcp2_crypto_update_key_cb,
        .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
        .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
        .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
        .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
    };
}

ngtcp2_settings quic_end_settings(void)
{
    ngtcp2_settings settings;

    ngtcp2_settings_default(&settings);
    settings.initial_ts = now_ns();
    settings.max_tx_udp_payload_size = PACKET_MAX;
    return settings;
}

ngtcp2_transport_params quic_end_params(void)
{
    ngtcp2_transport_params params;

    ngtcp2_transport_params_default(&params);
    params.initial_max_streams_bidi = 4;
    params.initial_max_stream_data_bidi_local = WINDOW;
    params.initial_max_stream_data_bidi_remote = WINDOW;
    params.initial_max_data = WINDOW;
    params.max_idle_timeout = 30 * NGTCP2_SECONDS;
    return params;
}

/* --- life ------------------------------------------------------------------------------------- */

void quic_end_init(struct quic_end *end)
{
    end->ref = (ngtcp2_crypto_conn_ref){.get_conn = conn_of, .user_data = end};
    end->path = (ngtcp2_path){
        .local = {.addr = (struct sockaddr *)&end->local, .addrlen = sizeof(end->local)},
        .remote = {.addr = (struct sockaddr *)&end->remote, .addrlen = sizeof(end->remote)}};
    end->stream = -1;
}

void quic_end_fini(struct quic_end *end)
{
    ngtcp2_conn_del(end->conn);
    end->conn = NULL;
    if (end->tls)
        gnutls_deinit(end->tls);
    end->tls = NULL;
}

int quic_end_tls(struct quic_end *end)
{
    static unsigned char alpn[] = QUIC_ALPN;
    const gnutls_datum_t protocol = {.data = alpn, .size = sizeof(alpn) - 1};

    gnutls_session_set_ptr(end->tls, &end->ref);
    if (gnutls_priority_set_direct(end->tls, PRIORITIES, NULL) != 0 ||
        gnutls_alpn_set_protocols(end->tls, &protocol, 1, GNUTLS_ALPN_MANDATORY) != 0)
        return -EPROTO;
    return 0;
}

/* --- packets ---------------------------------------------------------------------------------- */

int quic_end_read(struct quic_end *end, const uint8_t *packet, size_t n)
{
    ngtcp2_pkt_info info = {.ecn = 0};
    int result = ngtcp2_conn_read_pkt(end->conn, &end->path, &info, packet, n, now_ns());

    if (result == NGTCP2_ERR_DRAINING || result == NGTCP2_ERR_CLOSING)
        return -EPIPE;
    return result == 0 ? 0 : -EPROTO;
}

/* The next packet into `packet`: its length, 0: there is none, or ngtcp2's error. */
static ngtcp2_ssize next_packet(struct quic_end *end, uint8_t packet[PACKET_MAX])
{
    size_t left = end->text && end->stream >= 0 ? strlen(end->text) - end->sent : 0;
    const ngtcp2_vec rest = {
        .base = left > 0 ? (uint8_t *)(uintptr_t)(end->text + end->sent) : NULL, .len = left};
    ngtcp2_path_storage unused;
    ngtcp2_pkt_info info;
    ngtcp2_ssize taken = -1;
    ngtcp2_ssize n = 0;

    ngtcp2_path_storage_zero(&unused);
    n = ngtcp2_conn_writev_stream(end->conn, &unused.path, &info, packet, PACKET_MAX, &taken,
                                  NGTCP2_WRITE_STREAM_FLAG_FIN, left > 0 ? end->stream : -1, &rest,
                                  left > 0 ? 1 : 0, now_ns());
    if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) /* what else there is */
        n = ngtcp2_conn_write_pkt(end->conn, &unused.path, &info, packet, PACKET_MAX, now_ns());
    if (taken > 0)
        end->sent += (size_t)taken;
    return n;
}

int quic_end_write(struct quic_end *end)
{
    uint8_t packet[PACKET_MAX];

    for (;;) {
        ngtcp2_ssize n = next_packet(end, packet);

        if (n <= 0)
            return n == 0 ? 0 : -EPROTO;
        if (sendto(end->fd, packet, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&end->remote,
                   sizeof(end->remote)) < 0)
            return -errno;
    }
}

int quic_end_timers(struct quic_end *end)
{
    ngtcp2_tstamp now = now_ns();
    int result = 0;

    if (ngtcp2_conn_get_expiry(end->conn) > now)
        return 0;
    result = ngtcp2_conn_handle_expiry(end->conn, now);
    if (result != 0)
        return result == NGTCP2_ERR_HANDSHAKE_TIMEOUT || result == NGTCP2_ERR_IDLE_CLOSE
                   ? -ETIMEDOUT
                   : -EPROTO;
    return quic_end_write(end);
}

int quic_end_wait_ms(const struct quic_end *end, int most)
{
    ngtcp2_tstamp now = now_ns();
    ngtcp2_tstamp due = end->conn ? ngtcp2_conn_get_expiry(end->conn) : UINT64_MAX;
    uint64_t ms = due > now ? (due - now + NGTCP2_MILLISECONDS - 1) / NGTCP2_MILLISECONDS : 0;

    return ms < (uint64_t)most ? (int)ms : most;
}

void quic_end_close(struct quic_end *end)
{
    uint8_t packet[PACKET_MAX];
    ngtcp2_connection_close_error error;
    ngtcp2_path_storage unused;
    ngtcp2_pkt_info info;
    ngtcp2_ssize n = 0;

    ngtcp2_path_storage_zero(&unused);
    ngtcp2_connection_close_error_default(&error);
    n = ngtcp2_conn_write_connection_close(end->conn, &unused.path, &info, packet, sizeof(packet),
                                           &error, now_ns());
    if (n > 0)
        (void)sendto(end->fd, packet, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&end->remote,
                     sizeof(end->remote));
}
