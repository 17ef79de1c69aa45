/*
 * fuzz_session: bytes of a TLS client's store, and a ClientHello. The first octet says which.
 *
 * What a store hands out is behind a checksum, which no mutation would get right: it is put behind
 * the input here, so that what is parsed is the fuzzer's. A session that is accepted can be
 * saved, freed, and does not outlive its time; a hello's binder lies inside of it.
 */
#include <mbedtls/ssl.h>

#include "hello.h"
#include "session.h"
#include "stored.h"
#include "support/must.h"

#define KEY "localhost:443/any/5f0c1d2e3a4b5968"
#define NOW 1700000000

static void decode(const uint8_t *data, size_t size)
{
    uint8_t bytes[SESSION_BYTES], again[2 * SESSION_BYTES];
    mbedtls_ssl_session session;
    struct session_terms terms;
    size_t n;

    if (size > sizeof(bytes) - STORED_CHECKSUM)
        return;
    memcpy(bytes, data, size);
    stored_checksum(KEY, bytes, size, bytes + size);
    mbedtls_ssl_session_init(&session);
    if (session_decode(KEY, NOW, bytes, size + STORED_CHECKSUM, &session, &terms) == 0) {
        must(terms.until > NOW);
        must(mbedtls_ssl_session_save(&session, again, sizeof(again), &n) == 0);
        must(session_decode("another.test:443/any/0", NOW, bytes, size + STORED_CHECKSUM, &session,
                            &terms) != 0);
    }
    mbedtls_ssl_session_free(&session);
}

static void hello(const uint8_t *data, size_t size)
{
    struct hello h = {0};

    if (hello_parse(data, size, &h) && h.binder.len > 0)
        must(inside(h.binder.at, h.binder.len, data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        hello(data + 1, size - 1);
    else
        decode(data + 1, size - 1);
    return 0;
}
