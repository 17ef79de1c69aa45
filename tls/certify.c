/*
 * certify.c: throwaway certificates. Read first: RFC 5280 4.1, 4.2.1.
 */
#include <tlsyn/certify.h>

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <time.h>

#include "platform.h"

#define NAME_LENGTH_MAX 200
#define SERIAL_BYTES    16
#define DAY             86400
#define CA_NAME         "CN=tlsyn throwaway CA"

/* One certificate to be signed. */
struct order {
    const char *subject;
    const char *const *names; /* or NULL */
    bool is_ca;
    mbedtls_pk_context *key; /* the subject's */
    mbedtls_pk_context *signer;
};

static int make_key(mbedtls_pk_context *key, bool rsa, struct tlsyn_random *random)
{
    int code =
        mbedtls_pk_setup(key, mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY));

    if (code != 0)
        return code;
    if (rsa)
        return mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), platform_random, random, 2048, 65537);
    return mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), platform_random,
                               random);
}

static int count_names(const char *const *names)
{
    int n = 0;

    for (; names && names[n]; n++) {
        if (n == TLSYN_CERTIFY_NAMES || strlen(names[n]) > NAME_LENGTH_MAX)
            return -EINVAL;
    }
    return n > 0 ? n : -EINVAL;
}

/* RFC 5280 4.2.1.6: an address is an iPAddress, not a name that looks like one. */
static int set_names(mbedtls_x509write_cert *w, const char *const *names)
{
    mbedtls_x509_san_list entry[TLSYN_CERTIFY_NAMES] = {{.next = NULL}};
    unsigned char text[TLSYN_CERTIFY_NAMES][NAME_LENGTH_MAX + 1];

    for (size_t i = 0; names[i]; i++) {
        mbedtls_x509_subject_alternative_name *node = &entry[i].node;
        size_t address = inet_pton(AF_INET, names[i], text[i]) == 1    ? 4
                         : inet_pton(AF_INET6, names[i], text[i]) == 1 ? 16
                                                                       : 0;

        node->type = address ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
        node->san.unstructured_name.p = text[i];
        node->san.unstructured_name.len = address ? address : strlen(names[i]);
        if (!address)
            memcpy(text[i], names[i], strlen(names[i]) + 1);
        if (i > 0)
            entry[i - 1].next = &entry[i];
    }
    return mbedtls_x509write_crt_set_subject_alternative_name(w, entry);
}

static void date_text(int64_t seconds, char text[16])
{
    time_t when = (time_t)seconds;
    struct tm tm = {0};

    (void)gmtime_r(&when, &tm);
    (void)strftime(text, 16, "%Y%m%d%H%M%S", &tm);
}

static int set_validity(mbedtls_x509write_cert *w, const struct tlsyn_certify_options *o)
{
    char from[16];
    char until[16];

    date_text(o->now - DAY, from);
    date_text(o->now + (int64_t)o->days * DAY, until);
    return mbedtls_x509write_crt_set_validity(w, from, until);
}

static int set_serial(mbedtls_x509write_cert *w, struct tlsyn_random *random)
{
    unsigned char serial[SERIAL_BYTES];

    random->fill(random, serial, sizeof(serial));
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and no leading zero */
    return mbedtls_x509write_crt_set_serial_raw(w, serial, sizeof(serial));
}

static int set_usage(mbedtls_x509write_cert *w, bool is_ca)
{
    unsigned int usage = is_ca
                             ? MBEDTLS_X509_KU_KEY_CERT_SIGN
                             : MBEDTLS_X509_KU_DIGITAL_SIGNATURE | MBEDTLS_X509_KU_KEY_ENCIPHERMENT;
    int code = mbedtls_x509write_crt_set_basic_constraints(w, is_ca, is_ca ? 0 : -1);

    if (code == 0)
        code = mbedtls_x509write_crt_set_key_usage(w, usage);
    if (code == 0)
        code = mbedtls_x509write_crt_set_subject_key_identifier(w);
    return code == 0 ? mbedtls_x509write_crt_set_authority_key_identifier(w) : code;
}

static int issue(const struct tlsyn_certify_options *o, const struct order *order, char *pem,
                 size_t size)
{
    mbedtls_x509write_cert w;
    int code = 0;

    mbedtls_x509write_crt_init(&w);
    mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&w, order->key);
    mbedtls_x509write_crt_set_issuer_key(&w, order->signer);
    code = mbedtls_x509write_crt_set_subject_name(&w, order->subject);
    if (code == 0)
        code = mbedtls_x509write_crt_set_issuer_name(&w, CA_NAME);
    if (code == 0)
        code = set_serial(&w, o->random);
    if (code == 0)
        code = set_validity(&w, o);
    if (code == 0)
        code = set_usage(&w, order->is_ca);
    if (code == 0 && order->names)
        code = set_names(&w, order->names);
    if (code == 0)
        code =
            mbedtls_x509write_crt_pem(&w, (unsigned char *)pem, size, platform_random, o->random);
    mbedtls_x509write_crt_free(&w);
    return code;
}

static int issue_both(const struct tlsyn_certify_options *o, mbedtls_pk_context *ca_key,
                      mbedtls_pk_context *key, struct tlsyn_certified *out)
{
    char subject[NAME_LENGTH_MAX + 8];
    struct order ca = {.subject = CA_NAME, .is_ca = true, .key = ca_key, .signer = ca_key};
    struct order leaf = {.subject = subject, .names = o->names, .key = key, .signer = ca_key};
    int code = 0;

    /* RFC 5280 allows a common name of 64 characters; the names that count stand in the
     * extension. */
    (void)snprintf(subject, sizeof(subject), "CN=%.64s", o->names[0]);
    code = issue(o, &ca, out->ca, sizeof(out->ca));
    if (code == 0)
        code = issue(o, &leaf, out->chain, sizeof(out->chain));
    if (code == 0)
        code = mbedtls_pk_write_key_pem(key, (unsigned char *)out->key, sizeof(out->key));
    return code;
}

int tlsyn_certify(const struct tlsyn_certify_options *options, struct tlsyn_certified *certified)
{
    const struct platform_clock clock = {.wall = options->now};
    mbedtls_pk_context ca_key;
    mbedtls_pk_context key;
    int code = count_names(options->names);

    if (code < 0)
        return code;
    code = platform_init();
    if (code < 0)
        return code;
    platform_use(&clock, 0, options->random);
    mbedtls_pk_init(&ca_key);
    mbedtls_pk_init(&key);
    code = make_key(&ca_key, false, options->random);
    if (code == 0)
        code = make_key(&key, options->rsa, options->random);
    if (code == 0)
        code = issue_both(options, &ca_key, &key, certified);
    mbedtls_pk_free(&ca_key);
    mbedtls_pk_free(&key);
    if (code == 0)
        return 0;
    mbedtls_platform_zeroize(certified, sizeof(*certified));
    return code == MBEDTLS_ERR_X509_ALLOC_FAILED || code == MBEDTLS_ERR_PK_ALLOC_FAILED ? -ENOMEM
                                                                                        : -EPROTO;
}
