/*
 * info.c: what the user asks about a session.
 */
#include <errno.h>

#include "engine.h"

void tlsyn_tls_info(const struct tlsyn_tls *tls, struct tlsyn_tls_info *info)
{
    bool is_client = tls->config->role == TLSYN_TLS_CLIENT;

    *info = (struct tlsyn_tls_info){
        .established = tls->established,
        .chain_known = tls->chain_known,
        .offered = tls->offer.terms.kind,
        .verified = tls->established && is_client && !tls->config->insecure,
        .started = tls->started,
        .finished = tls->finished,
        .first_byte = tls->first_byte,
        .hello_bytes = is_client ? tls->out.first : tls->in.first,
        .records_in = tls->in.records,
        .records_out = tls->out.records,
        .round_trips = tls->round_trips,
        .early = early_outcome(tls),
        .early_bytes = tls->early.bytes,
    };
    if (!tls->established && !tlsyn_tls_is_early(tls))
        return;
    info->version = mbedtls_ssl_get_version(&tls->ssl);
    info->session = session_kind(tls);
    info->alpn = mbedtls_ssl_get_alpn_protocol(&tls->ssl); /* a server reads early data by it */
    if (!tls->established)
        return;
    info->ciphersuite = config_suite_name(mbedtls_ssl_get_ciphersuite_id_from_ssl(&tls->ssl));
}

const char *tlsyn_tls_session_name(enum tlsyn_tls_session session)
{
    static const char *const names[] = {[TLSYN_TLS_NEW] = "new",
                                        [TLSYN_TLS_ID] = "id",
                                        [TLSYN_TLS_TICKET] = "ticket",
                                        [TLSYN_TLS_PSK] = "psk"};

    return names[session];
}

const char *tlsyn_tls_error(const struct tlsyn_tls *tls)
{
    return tls->sentence;
}

int tlsyn_tls_peer(const struct tlsyn_tls *tls, char *text, size_t size)
{
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&tls->ssl);
    int n;

    if (crt == NULL)
        return -ENODATA;
    n = mbedtls_x509_crt_info(text, size, "", crt);
    return n >= 0 ? n : -ENOSPC;
}
