/*
 * again.c: see again.h. Read first: RFC 8446 4.2.10.
 */
#include "again.h"

#include <errno.h>
#include <string.h>

#include "engine.h"

int again_keep(struct tlsyn_tls *tls, const void *bytes, size_t n)
{
    struct again *again = &tls->again;
    struct tlsyn_alloc *alloc = tls->config->alloc;
    uint8_t *longer;

    if (!again->wanted)
        return 0;
    longer = alloc->resize(alloc, again->bytes, again->len + n);
    if (longer == NULL)
        return -ENOMEM;
    memcpy(longer + again->len, bytes, n);
    again->bytes = longer;
    again->len += n;
    return 0;
}

void again_take_back(struct tlsyn_tls *tls, size_t n)
{
    if (tls->again.wanted)
        tls->again.len -= n;
}

/* One record, as seal_record() of stream.c does: what of it finds no room waits inside mbedTLS. */
static int write_some(struct tlsyn_tls *tls)
{
    struct again *again = &tls->again;
    int max = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    size_t n = again->len - again->done;
    int code;

    if (max <= 0)
        return max < 0 ? max : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    n = n < (size_t)max ? n : (size_t)max;
    code = mbedtls_ssl_write(&tls->ssl, again->bytes + again->done, n);
    if (code == MBEDTLS_ERR_SSL_WANT_WRITE)
        code = (int)n;
    again->done += code > 0 ? (size_t)code : 0;
    return code;
}

bool again_flush(struct tlsyn_tls *tls)
{
    struct again *again = &tls->again;
    struct tlsyn_view view;
    int code = 1;

    if (!tls->established || again->bytes == NULL)
        return true;
    while (code > 0 && tls->unsent == 0 && again->done < again->len &&
           tlsyn_conn_reserve(tls->conn, 1, &view) > 0)
        code = write_some(tls);
    if (code < 0)
        tls_fail(tls, code, false);
    if (again->done < again->len)
        return false;
    again_forget(tls);
    return tls->unsent == 0;
}

void again_forget(struct tlsyn_tls *tls)
{
    struct tlsyn_alloc *alloc = tls->config->alloc;

    if (tls->again.bytes != NULL)
        alloc->resize(alloc, tls->again.bytes, 0);
    tls->again = (struct again){.wanted = tls->again.wanted};
}
