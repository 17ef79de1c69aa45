/* What a ClientHello or a ServerHello says of the session. Read first: RFC 8446 4.1.2, 4.1.3, 4.2;
 * RFC 5246 7.4.1; RFC 5077 3.2.
 */
#include "report/ladder_hello.h"

#include <errno.h>
#include <string.h>

enum { RANDOM = 32, SESSION_ID_MAX = 32, TLS13 = 0x0304 };
enum { TICKET = 35, PRE_SHARED_KEY = 41, EARLY_DATA = 42, SUPPORTED_VERSIONS = 43 };

/* Bytes still to be read. A read beyond the end makes it bad and gives nothing. */
struct rest {
    const uint8_t *p;
    size_t n;
    bool bad;
};

static const uint8_t *take(struct rest *rest, size_t n)
{
    static const uint8_t nothing[RANDOM];
    const uint8_t *p = rest->p;

    if (rest->bad || n > rest->n) {
        rest->bad = true;
        return nothing;
    }
    rest->p += n;
    rest->n -= n;
    return p;
}

static size_t take8(struct rest *rest)
{
    return take(rest, 1)[0];
}

static size_t take16(struct rest *rest)
{
    const uint8_t *p = take(rest, 2);
    return (size_t)p[0] << 8 | p[1];
}

/* The next n bytes by themselves. */
static struct rest take_part(struct rest *rest, size_t n)
{
    const uint8_t *p = rest->p;

    take(rest, n);
    return (struct rest){.p = p, .n = rest->bad ? 0 : n, .bad = rest->bad};
}

/* A client lists versions, a server names one: RFC 8446 4.2.1. */
static bool names_tls13(struct rest versions, bool server)
{
    if (!server) {
        size_t n = take8(&versions);
        versions = take_part(&versions, n);
    }
    while (!versions.bad && versions.n >= 2) {
        if (take16(&versions) == TLS13) {
            return true;
        }
    }
    return false;
}

static void take_extension(struct ladder_hello *hello, bool server, size_t type, struct rest body)
{
    switch (type) {
    case TICKET:
        hello->ticket = body.n;
        break;
    case PRE_SHARED_KEY:
        hello->psk = true;
        break;
    case EARLY_DATA:
        hello->early_data = true;
        break;
    case SUPPORTED_VERSIONS:
        hello->tls13 = names_tls13(body, server);
        break;
    default:
        break;
    }
}

/* RFC 8446 4.1.3: this random, SHA-256 of "HelloRetryRequest", makes a ServerHello one. */
static bool is_retry(const uint8_t *random)
{
    static const uint8_t retry[RANDOM] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                          0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                          0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                          0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

    return memcmp(random, retry, sizeof retry) == 0;
}

int ladder_hello_parse(struct ladder_hello *hello, bool server, const uint8_t *body, size_t n)
{
    struct rest rest = {.p = body, .n = n};

    *hello = (struct ladder_hello){.version = (uint16_t)take16(&rest)};
    const uint8_t *random = take(&rest, RANDOM);
    hello->session_id_length = take8(&rest);
    if (rest.bad || hello->session_id_length > SESSION_ID_MAX) {
        *hello = (struct ladder_hello){0};
        return -EINVAL;
    }
    memcpy(hello->session_id, take(&rest, hello->session_id_length), hello->session_id_length);
    if (server) {
        take(&rest, 3); /* cipher suite, compression */
    } else {
        take(&rest, take16(&rest));
        take(&rest, take8(&rest));
    }
    struct rest extensions = take_part(&rest, rest.n >= 2 ? take16(&rest) : 0);
    while (!extensions.bad && extensions.n >= 4) {
        size_t type = take16(&extensions);
        size_t length = take16(&extensions);
        struct rest part = take_part(&extensions, length);
        if (!part.bad) {
            take_extension(hello, server, type, part);
        }
    }
    hello->retry = server && hello->tls13 && is_retry(random);
    hello->there = !rest.bad;
    return rest.bad ? -EINVAL : 0;
}
