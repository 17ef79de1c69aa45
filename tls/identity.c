/*
 * identity.c: reads certificates and keys, and tells which identity fits a server name.
 * Read first: RFC 6125 6.4, RFC 5280 4.2.1.6.
 */
#include "identity.h"

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "platform.h"

/* mbedTLS takes PEM only with its terminating zero, which a file read into memory has not: a
 * copy that has. DER is taken as it is: `copy` stays NULL. */
struct armour {
    void *copy;
    const unsigned char *bytes;
    size_t len;
};

static bool is_pem(const void *bytes, size_t len)
{
    static const char begin[] = "-----BEGIN ";

    return memmem(bytes, len, begin, sizeof(begin) - 1) != NULL;
}

static int armour_init(struct armour *a, struct tlsyn_alloc *alloc, const void *bytes, size_t len)
{
    char *copy;

    *a = (struct armour){.bytes = bytes, .len = len};
    if (len == 0 || !is_pem(bytes, len))
        return 0;
    copy = alloc->resize(alloc, NULL, len + 1);
    if (copy == NULL)
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    a->copy = copy;
    a->bytes = a->copy;
    a->len = len + 1;
    return 0;
}

/* Wiped, for it may have held a private key. */
static void armour_fini(struct armour *a, struct tlsyn_alloc *alloc)
{
    if (a->copy == NULL)
        return;
    explicit_bzero(a->copy, a->len);
    alloc->resize(alloc, a->copy, 0);
}

static int chain_length(const mbedtls_x509_crt *chain)
{
    int n = 0;

    for (; chain != NULL && chain->raw.p != NULL; chain = chain->next)
        n++;
    return n;
}

int certificates_parse(struct tlsyn_alloc *alloc, mbedtls_x509_crt *chain, const void *bytes,
                       size_t len)
{
    int before = chain_length(chain);
    struct armour a;
    int code = armour_init(&a, alloc, bytes, len);
    int taken;

    if (code != 0)
        return code;
    code = mbedtls_x509_crt_parse(chain, a.bytes, a.len);
    armour_fini(&a, alloc);
    taken = chain_length(chain) - before;
    if (taken > 0)
        return taken;
    return code < 0 ? code : MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT;
}

static int key_parse(struct tlsyn_alloc *alloc, struct tlsyn_random *random,
                     mbedtls_pk_context *key, const struct bytes *from)
{
    struct armour a;
    int code = armour_init(&a, alloc, from->at, from->len);

    if (code != 0)
        return code;
    code = mbedtls_pk_parse_key(key, a.bytes, a.len, NULL, 0, platform_random, random);
    armour_fini(&a, alloc);
    return code;
}

int identity_new(struct tlsyn_alloc *alloc, struct tlsyn_random *random, const struct bytes *chain,
                 const struct bytes *key, struct identity **identity, char *message)
{
    struct identity *id = alloc->resize(alloc, NULL, sizeof(*id));
    const char *what = "the certificate chain cannot be read";
    int code;

    if (id == NULL)
        return error_message(MBEDTLS_ERR_X509_ALLOC_FAILED, what, message);
    *id = (struct identity){.next = NULL};
    mbedtls_x509_crt_init(&id->chain);
    mbedtls_pk_init(&id->key);
    code = certificates_parse(alloc, &id->chain, chain->at, chain->len);
    if (code < 0)
        goto fail;
    what = "the private key cannot be read (is it encrypted? only plain keys are)";
    code = key_parse(alloc, random, &id->key, key);
    if (code != 0)
        goto fail;
    what = "the private key does not belong to the first certificate of the chain";
    code = mbedtls_pk_check_pair(&id->chain.pk, &id->key, platform_random, random);
    if (code != 0)
        goto fail;
    *identity = id;
    return 0;

fail:
    identity_free(alloc, id);
    return error_message(code, what, message);
}

void identity_free(struct tlsyn_alloc *alloc, struct identity *identity)
{
    if (identity == NULL)
        return;
    mbedtls_x509_crt_free(&identity->chain);
    mbedtls_pk_free(&identity->key);
    alloc->resize(alloc, identity, 0);
}

/* --- sets ------------------------------------------------------------------------------------- */

struct identity_set *identity_set_new(struct tlsyn_alloc *alloc)
{
    struct identity_set *set = alloc->resize(alloc, NULL, sizeof(*set));

    if (set != NULL)
        *set = (struct identity_set){.first = NULL};
    return set;
}

void identity_set_add(struct identity_set *set, struct identity *identity)
{
    struct identity **end = &set->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = identity;
}

/* mbedTLS has no call to free a list of its own, but for one that frees a whole config. */
static void free_list(mbedtls_ssl_key_cert *listed)
{
    mbedtls_ssl_config owner;

    mbedtls_ssl_config_init(&owner);
    owner.MBEDTLS_PRIVATE(key_cert) = listed;
    mbedtls_ssl_config_free(&owner);
}

static void free_unused(struct tlsyn_alloc *alloc, struct identity_set *set)
{
    struct identity *next;

    if (!set->retired || set->handshakes > 0)
        return;
    free_list(set->listed);
    for (struct identity *id = set->first; id != NULL; id = next) {
        next = id->next;
        identity_free(alloc, id);
    }
    alloc->resize(alloc, set, 0);
}

void identity_set_retire(struct tlsyn_alloc *alloc, struct identity_set *set,
                         mbedtls_ssl_key_cert *listed)
{
    set->retired = true;
    set->listed = listed;
    free_unused(alloc, set);
}

struct identity_set *identity_set_take(struct identity_set *set)
{
    set->handshakes++;
    return set;
}

void identity_set_release(struct tlsyn_alloc *alloc, struct identity_set **set)
{
    if (*set == NULL)
        return;
    (*set)->handshakes--;
    free_unused(alloc, *set);
    *set = NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

/* RFC 6125 6.4.1: ASCII labels, case-insensitive; 6.4.3: "*" as the complete leftmost label
 * stands for one label. */
static bool pattern_matches(const char *pattern, size_t pattern_len, const char *name, size_t len)
{
    if (pattern_len > 2 && pattern[0] == '*' && pattern[1] == '.') {
        const char *dot = memchr(name, '.', len);

        if (dot == NULL || dot == name)
            return false;
        len -= (size_t)(dot - name);
        name = dot;
        pattern++;
        pattern_len--;
    }
    return len == pattern_len && strncasecmp(pattern, name, len) == 0;
}

static bool common_name_matches(const mbedtls_x509_crt *leaf, const char *name, size_t len)
{
    for (const mbedtls_x509_name *part = &leaf->subject; part != NULL; part = part->next) {
        if (part->oid.p != NULL && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &part->oid) == 0)
            return pattern_matches((const char *)part->val.p, part->val.len, name, len);
    }
    return false;
}

bool identity_matches(const struct identity *identity, const char *name, size_t len)
{
    const mbedtls_x509_sequence *entry = &identity->chain.subject_alt_names;
    bool has_dns_name = false;

    for (; entry != NULL && entry->buf.p != NULL; entry = entry->next) {
        /* The entry's tag is the GeneralName's choice (RFC 5280 4.2.1.6). */
        if ((entry->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) != MBEDTLS_X509_SAN_DNS_NAME)
            continue;
        has_dns_name = true;
        if (pattern_matches((const char *)entry->buf.p, entry->buf.len, name, len))
            return true;
    }
    return !has_dns_name && common_name_matches(&identity->chain, name, len);
}
