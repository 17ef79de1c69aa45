/*
 * early.c: data in the first flight of the client, and in that of the server behind it.
 * Read first: RFC 8446 2.3, 4.2.10, 5.3, 8, E.5; RFC 8470.
 *
 * Client. What the user writes in on_open is early data, where the session allows it: ClientHello,
 * ChangeCipherSpec and the sealed data are in the ring when the SYN is built. Early data is cut to
 * what fits there, for either all of the first flight rides in the SYN or nothing does. What
 * the server rejects is gone; the user writes it again, or something else (RFC 8446 4.2.10).
 *
 * Server. mbedTLS takes or refuses early data while it reads the ClientHello. Just before, it asks
 * for a certificate, and there early_judge() puts the question to the register (strikes.h); to
 * refuse it takes back the ticket's permission, and the handshake goes on without early data,
 * whose records mbedTLS then passes over. If it is taken, the user reads it before the handshake is
 * complete, and may answer at once: RFC 8446 4.4.4 lets a server write application data behind its
 * Finished ("0.5-RTT"). mbedtls_ssl_write() would wait for the client's Finished, so those records
 * are sealed here, by record.c. Tickets leave there, too (session_speaks_ahead()): mbedTLS writes
 * them, with what we have changed in it (tls/mbedtls/changes.patch).
 *
 * No two records under one nonce. The server's application traffic key has two users: we, until
 * the client's Finished, and mbedTLS. The number of the next record is kept in one place,
 * mbedTLS's cur_out_ctr, from the server's Finished on:
 *
 *   1. When the server's Finished was sealed, and something shall leave behind it, early_step()
 *      makes the application keys mbedTLS's outbound ones and sets the counter to 0. No record was
 *      sealed under them before: mbedTLS derived them in that very step.
 *   2. We seal with the counter's value, and add one before anything else can happen.
 *   3. mbedTLS seals with the counter's value and adds one (ssl_msg.c, mbedtls_ssl_write_record):
 *      until the handshake's end only tickets and alerts, since a server has no other message to
 *      send between its Finished and the client's; then tickets, data, close_notify.
 *   4. mbedTLS resets the counter where it sets the outbound keys itself, at the end of the
 *      handshake (mbedtls_ssl_tls13_handshake_wrapup). That step seals nothing, and is made by
 *      early_step(), which puts the value back.
 *
 * So along the life of the key the counter never falls while a record can be sealed. (That alerts
 * behind our Finished are under the application keys is what RFC 8446 A.2 asks for, too.)
 */
#include "early.h"

#include <errno.h>
#include <string.h>

#include "engine.h"
#include "hello.h"
#include "record.h"

/* What a server that refuses early data passes over, beyond what its tickets allow: each record has
 * its overhead, and the ticket may be one of before a restart. mbedTLS itself would pass over
 * nothing where it does not know the ticket. */
#define SKIP_EXTRA 16384

/* A record across the ring's end is sealed here, and so is no longer. */
#define BOUNCE 512

#define PADDED MBEDTLS_SSL_CID_TLS1_3_PADDING_GRANULARITY

/* --- the counter ------------------------------------------------------------------------------ */

static uint64_t counter(const struct tlsyn_tls *tls)
{
    const unsigned char *octets = tls->ssl.MBEDTLS_PRIVATE(cur_out_ctr);
    uint64_t value = 0;

    for (int i = 0; i < MBEDTLS_SSL_SEQUENCE_NUMBER_LEN; i++)
        value = value << 8 | octets[i];
    return value;
}

static void set_counter(struct tlsyn_tls *tls, uint64_t value)
{
    unsigned char *octets = tls->ssl.MBEDTLS_PRIVATE(cur_out_ctr);

    for (int i = MBEDTLS_SSL_SEQUENCE_NUMBER_LEN; i > 0; i--, value >>= 8)
        octets[i - 1] = (unsigned char)value;
}

static void count(struct tlsyn_tls *tls, enum tlsyn_counter what)
{
    tls->early.counted = true;
    tlsyn_count(tlsyn_conn_stack(tls->conn), what);
}

/* The ClientHello has been read, and mbedTLS has decided. */
static void settle_server(struct tlsyn_tls *tls)
{
    mbedtls_ssl_session *session = tls->ssl.MBEDTLS_PRIVATE(session_negotiate);
    uint32_t usual = tls->config->early_data;

    if (!tls->early.offered)
        return;
    if (!tls->early.counted)
        count(tls,
              tls->early.accepted ? TLSYN_COUNT_tls_early_accepted : TLSYN_COUNT_tls_early_refused);
    if (!tls->early.accepted)
        session->MBEDTLS_PRIVATE(max_early_data_size) =
            (usual > SKIP_EXTRA ? usual : SKIP_EXTRA) + SKIP_EXTRA;
}

/* The outbound keys are those of application data. */
static bool has_switched(const struct tlsyn_tls *tls)
{
    return tls->ssl.MBEDTLS_PRIVATE(transform_application) != NULL &&
           tls->ssl.MBEDTLS_PRIVATE(transform_out) ==
               tls->ssl.MBEDTLS_PRIVATE(transform_application);
}

/* The server's Finished was sealed. */
static int go_on_behind_finished(struct tlsyn_tls *tls)
{
    bool tickets = session_speaks_ahead(tls);

    if (!early_is_open(tls) && !tickets)
        return 0;
    tls->ssl.MBEDTLS_PRIVATE(transform_out) = tls->ssl.MBEDTLS_PRIVATE(transform_application);
    set_counter(tls, 0);
    return tickets ? mbedtls_ssl_tls13_send_tickets_now(&tls->ssl) : 0;
}

int early_step(struct tlsyn_tls *tls)
{
    int state = tls->ssl.MBEDTLS_PRIVATE(state), code;
    uint64_t before = counter(tls);
    bool switched = has_switched(tls);

    code = mbedtls_ssl_handshake_step(&tls->ssl);
    if (switched && counter(tls) < before)
        set_counter(tls, before);
    if (code == 0 && state == MBEDTLS_SSL_CLIENT_HELLO && tls->config->role == TLSYN_TLS_SERVER)
        settle_server(tls);
    if (code == 0 && state == MBEDTLS_SSL_SERVER_FINISHED)
        code = go_on_behind_finished(tls);
    return code;
}

/* --- whether ---------------------------------------------------------------------------------- */

static bool allows_early_data(const mbedtls_ssl_session *session)
{
    return (session->MBEDTLS_PRIVATE(ticket_flags) & MBEDTLS_SSL_TLS1_3_TICKET_ALLOW_EARLY_DATA) !=
           0;
}

static void take_back(mbedtls_ssl_session *session)
{
    session->MBEDTLS_PRIVATE(ticket_flags) &= (uint8_t)~MBEDTLS_SSL_TLS1_3_TICKET_ALLOW_EARLY_DATA;
}

int early_judge(mbedtls_ssl_context *ssl)
{
    struct tlsyn_tls *tls = mbedtls_ssl_get_user_data_p(ssl);
    mbedtls_ssl_session *session = ssl->MBEDTLS_PRIVATE(session_negotiate);
    enum strikes_verdict verdict;
    struct hello hello;

    if (mbedtls_ssl_get_version_number(ssl) != MBEDTLS_SSL_VERSION_TLS1_3 ||
        !hello_parse(ssl->MBEDTLS_PRIVATE(in_msg), ssl->MBEDTLS_PRIVATE(in_hslen), &hello) ||
        !hello.early)
        return 0;
    tls->early.offered = true;
    if (tls->config->early_data == 0 || !allows_early_data(session))
        return 0; /* mbedTLS refuses by itself */
    verdict = strikes_check(&tls->config->strikes, &hello.binder,
                            tlsyn_stack_now(tlsyn_conn_stack(tls->conn)));
    if (verdict == STRIKES_FRESH)
        return 0;
    take_back(session);
    count(tls,
          verdict == STRIKES_REPLAY ? TLSYN_COUNT_tls_early_replayed : TLSYN_COUNT_tls_early_full);
    return 0;
}

/* mbedTLS derives the early secret only when it has accepted (ssl_tls13_server.c,
 * ssl_tls13_postprocess_client_hello). Without keys of ours early data is read all the same, and
 * the answer leaves after the handshake. */
void early_secret(struct tlsyn_tls *tls, mbedtls_ssl_key_export_type type,
                  const unsigned char *secret, size_t len)
{
    const mbedtls_ssl_session *session = tls->ssl.MBEDTLS_PRIVATE(session_negotiate);

    if (tls->config->role != TLSYN_TLS_SERVER)
        return;
    if (type == MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_EARLY_SECRET)
        tls->early.accepted = true;
    if (type == MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET &&
        tls->early.accepted)
        (void)keys_derive(&tls->early.keys, session->MBEDTLS_PRIVATE(ciphersuite), secret, len);
}

void early_conclude(struct tlsyn_tls *tls)
{
    struct early *e = &tls->early;
    int status;

    keys_forget(&e->keys);
    if (tls->config->role == TLSYN_TLS_SERVER || !e->offered)
        return;
    status = mbedtls_ssl_get_early_data_status(&tls->ssl);
    e->offered = status != MBEDTLS_SSL_EARLY_DATA_STATUS_NOT_INDICATED;
    e->accepted = status == MBEDTLS_SSL_EARLY_DATA_STATUS_ACCEPTED;
    if (e->accepted)
        again_forget(tls);
}

void early_fini(struct early *early)
{
    keys_forget(&early->keys);
}

/* --- the server's half ------------------------------------------------------------------------ */

bool early_is_open(const struct tlsyn_tls *tls)
{
    return tls->early.keys.aead != 0 && !tls->established;
}

bool early_is_readable(struct tlsyn_tls *tls)
{
    unsigned char nothing[1];

    if (mbedtls_ssl_get_bytes_avail(&tls->ssl) > 0)
        return true;
    (void)mbedtls_ssl_read_early_data(&tls->ssl, nothing, sizeof(nothing));
    return false;
}

ssize_t early_read(struct tlsyn_tls *tls, void *bytes, size_t n)
{
    int got = 0;

    if (tls->conn == NULL || mbedtls_ssl_get_bytes_avail(&tls->ssl) == 0)
        return -EAGAIN;
    tls_enter(tls);
    got = mbedtls_ssl_read_early_data(&tls->ssl, bytes, n);
    if (got > 0) {
        tls->reads++;
        tls->early.bytes += (uint64_t)got;
    }
    /* Inside an event whoever raised it goes on. */
    if (tls->busy == 1 && mbedtls_ssl_get_bytes_avail(&tls->ssl) == 0)
        tls_go_on(tls);
    tls_leave(tls);
    return got > 0 ? got : -EAGAIN;
}

/* `record` has room for the n bytes and the overhead. Its length, or 0. */
static size_t seal(struct tlsyn_tls *tls, uint8_t *record, const uint8_t *bytes, size_t n)
{
    uint64_t seq = counter(tls);
    int len;

    memcpy(record + BIO_HEADER, bytes, n);
    set_counter(tls, seq + 1);
    len = record_seal(&tls->early.keys, seq, RECORD_DATA, record, n);
    return len > 0 ? (size_t)len : 0;
}

/* Seals one record in the ring, or by way of a copy where the ring's end would part it. The
 * bytes taken, 0: no room. */
static size_t seal_in_ring(struct tlsyn_tls *tls, const uint8_t *bytes, size_t n)
{
    uint8_t copy[BOUNCE + RECORD_OVERHEAD];
    struct tlsyn_view view;
    ssize_t room;
    size_t len;

    n = n < RECORD_TEXT ? n : RECORD_TEXT;
    room = tlsyn_conn_reserve(tls->conn, n + RECORD_OVERHEAD, &view);
    if (room <= RECORD_OVERHEAD)
        return 0;
    n = (size_t)room - RECORD_OVERHEAD;
    if (view.part[0].iov_len < (size_t)room && view.part[0].iov_len > sizeof(copy))
        n = view.part[0].iov_len - RECORD_OVERHEAD;
    if (view.part[0].iov_len >= n + RECORD_OVERHEAD) {
        len = seal(tls, view.part[0].iov_base, bytes, n);
        bio_meter_take(&tls->out, view.part[0].iov_base, len);
        tlsyn_conn_commit(tls->conn, len);
    } else {
        n = n < BOUNCE ? n : BOUNCE;
        len = seal(tls, copy, bytes, n);
        (void)bio_send(tls, copy, len);
    }
    return len > 0 ? n : 0;
}

static ssize_t write_behind_finished(struct tlsyn_tls *tls, const uint8_t *bytes, size_t n)
{
    size_t done = 0, taken = 1;

    /* What mbedTLS still has inside comes first. */
    while (tls->ssl.MBEDTLS_PRIVATE(out_left) == 0 && done < n && taken > 0) {
        taken = seal_in_ring(tls, bytes + done, n - done);
        done += taken;
    }
    return done > 0 ? (ssize_t)done : -EAGAIN;
}

/* --- the client's half ------------------------------------------------------------------------ */

/* What was rejected may have been meant for another protocol than was agreed upon in the end
 * (RFC 8446 4.2.10). Who has it written again never learns of that: so only where he offers no
 * more than one may there be early data. */
bool early_is_wanted(const struct tlsyn_tls_config *config, bool again)
{
    return config->early_data > 0 && !(again && config->protocols > 1);
}

static const mbedtls_ssl_session *offered_session(const struct tlsyn_tls *tls)
{
    const mbedtls_ssl_session *session = tls->ssl.MBEDTLS_PRIVATE(session_negotiate);
    bool wanted = early_is_wanted(tls->config, tls->again.wanted);

    return wanted && session != NULL && allows_early_data(session) ? session : NULL;
}

/* All of the first flight rides in the SYN, or nothing does. Where the hello alone fits, the rest
 * has what is left; where it does not, no bound but the ticket's. */
static void begin_first_flight(struct tlsyn_tls *tls, const mbedtls_ssl_session *session)
{
    uint32_t room = tlsyn_conn_syn_room(tls->conn);

    tls->early.offered = true;
    tls->early.allowed = session->MBEDTLS_PRIVATE(max_early_data_size);
    if (tls_drive(tls) != 0) /* up to where it waits for the server */
        return;
    tls->early.first_flight = tls->out.bytes <= room ? room : UINT64_MAX;
}

/* How much of n bytes may be sealed now, in one record. mbedTLS pads what is inside to a multiple
 * of PADDED. */
static size_t fitting(struct tlsyn_tls *tls, size_t n)
{
    const struct early *e = &tls->early;
    int most = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    uint64_t room = e->first_flight - tls->out.bytes;

    if (tls->unsent > 0 || most <= 0 || room < BIO_HEADER + RECORD_TAG + PADDED)
        return 0;
    room = (room - BIO_HEADER - RECORD_TAG) / PADDED * PADDED - 1; /* the inner type */
    if (n > room)
        n = (size_t)room;
    if (n > e->allowed - e->bytes)
        n = (size_t)(e->allowed - e->bytes);
    return n < (size_t)most ? n : (size_t)most;
}

static ssize_t write_in_first_flight(struct tlsyn_tls *tls, const uint8_t *bytes, size_t n)
{
    const mbedtls_ssl_session *session = offered_session(tls);
    int code;

    if (session == NULL)
        return -EAGAIN;
    if (!tls->early.offered)
        begin_first_flight(tls, session);
    n = fitting(tls, n);
    if (tls->error != 0 || n == 0)
        return tls->error != 0 ? tls->error : -EAGAIN;
    if (again_keep(tls, bytes, n) < 0)
        return -EAGAIN;
    code = mbedtls_ssl_write_early_data(&tls->ssl, bytes, n);
    if (code != MBEDTLS_ERR_SSL_WANT_WRITE && code <= 0) {
        again_take_back(tls, n);
        return -EAGAIN;
    }
    tls->early.bytes += n;
    return (ssize_t)n;
}

void early_settle(struct tlsyn_tls *tls)
{
    mbedtls_ssl_session *session = tls->ssl.MBEDTLS_PRIVATE(session_negotiate);

    if (!tls->early.offered && session != NULL)
        take_back(session);
}

/* --- both ------------------------------------------------------------------------------------- */

ssize_t early_write(struct tlsyn_tls *tls, const void *bytes, size_t n)
{
    ssize_t result = -EAGAIN;

    if (tls->conn == NULL || n == 0)
        return tls->conn == NULL && tls->started != 0 ? -EPIPE : -EAGAIN;
    if (tls->closing)
        return -EPIPE;
    tls_enter(tls);
    if (early_is_open(tls))
        result = write_behind_finished(tls, bytes, n);
    else if (tls->early.opening)
        result = write_in_first_flight(tls, bytes, n);
    tls_leave(tls);
    return result;
}

bool tlsyn_tls_is_early(const struct tlsyn_tls *tls)
{
    return tls->config->role == TLSYN_TLS_SERVER && tls->early.accepted && !tls->established;
}

enum tlsyn_tls_early early_outcome(const struct tlsyn_tls *tls)
{
    bool known = tls->established || tlsyn_tls_is_early(tls);

    if (!tls->early.offered || !known)
        return TLSYN_TLS_EARLY_NONE;
    return tls->early.accepted ? TLSYN_TLS_EARLY_ACCEPTED : TLSYN_TLS_EARLY_REJECTED;
}
