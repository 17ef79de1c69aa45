/*
 * certs.c: a small certification authority in memory.
 */
#include "certs.h"

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "platform.h"

struct authority {
    mbedtls_pk_context key;
    char name[64];
    struct random_seeded random;
    unsigned char serial;
};

struct order {
    const char *subject, *from, *until;
    const char *const *names; /* NULL-terminated DNS names */
    bool with_address;
    bool is_ca;
};

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "certs: %s failed\n", what);
    abort();
}

static void make_ec_key(mbedtls_pk_context *key, struct tlsyn_random *random)
{
    mbedtls_pk_init(key);
    need(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0, "key");
    need(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), platform_random,
                             random) == 0,
         "P-256 key");
}

static void make_rsa_key(mbedtls_pk_context *key, struct tlsyn_random *random)
{
    mbedtls_pk_init(key);
    need(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)) == 0, "key");
    need(mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), platform_random, random, 2048, 65537) == 0,
         "RSA key");
}

static void set_names(mbedtls_x509write_cert *w, const struct order *o)
{
    static unsigned char address[] = {192, 0, 2, 1};
    mbedtls_x509_san_list entries[4] = {{.next = NULL}};
    size_t n = 0;

    for (; o->names != NULL && o->names[n] != NULL; n++) {
        char *name;

        need(n < 3, "number of names");
        name = strdup(o->names[n]);
        entries[n].node.type = MBEDTLS_X509_SAN_DNS_NAME;
        entries[n].node.san.unstructured_name.p = (unsigned char *)name;
        entries[n].node.san.unstructured_name.len = strlen(name);
    }
    if (o->with_address) {
        entries[n].node.type = MBEDTLS_X509_SAN_IP_ADDRESS;
        entries[n].node.san.unstructured_name.p = address;
        entries[n].node.san.unstructured_name.len = sizeof(address);
        n++;
    }
    if (n == 0)
        return;
    for (size_t i = 0; i + 1 < n; i++)
        entries[i].next = &entries[i + 1];
    need(mbedtls_x509write_crt_set_subject_alternative_name(w, entries) == 0, "names");
    for (size_t i = 0; i < n; i++) {
        if (entries[i].node.type == MBEDTLS_X509_SAN_DNS_NAME)
            free(entries[i].node.san.unstructured_name.p);
    }
}

static void issue(struct authority *ca, const struct order *o, mbedtls_pk_context *key, char *pem,
                  size_t size)
{
    mbedtls_x509write_cert w;

    mbedtls_x509write_crt_init(&w);
    ca->serial++;
    mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&w, key);
    mbedtls_x509write_crt_set_issuer_key(&w, &ca->key);
    need(mbedtls_x509write_crt_set_serial_raw(&w, &ca->serial, 1) == 0, "serial");
    need(mbedtls_x509write_crt_set_subject_name(&w, o->subject) == 0, "subject");
    need(mbedtls_x509write_crt_set_issuer_name(&w, ca->name) == 0, "issuer");
    need(mbedtls_x509write_crt_set_validity(&w, o->from, o->until) == 0, "validity");
    need(mbedtls_x509write_crt_set_basic_constraints(&w, o->is_ca, -1) == 0, "constraints");
    need(mbedtls_x509write_crt_set_key_usage(&w, o->is_ca
                                                     ? MBEDTLS_X509_KU_KEY_CERT_SIGN
                                                     : MBEDTLS_X509_KU_DIGITAL_SIGNATURE |
                                                           MBEDTLS_X509_KU_KEY_ENCIPHERMENT) == 0,
         "usage");
    set_names(&w, o);
    need(mbedtls_x509write_crt_pem(&w, (unsigned char *)pem, size, platform_random, &ca->random) ==
             0,
         "signature");
    mbedtls_x509write_crt_free(&w);
}

static void make_authority(struct authority *ca, const char *name, uint64_t seed, char *pem,
                           size_t size)
{
    const struct order order = {
        .subject = name, .from = "20200101000000", .until = "20500101000000", .is_ca = true};

    random_seed(&ca->random, seed);
    ca->serial = 0;
    snprintf(ca->name, sizeof(ca->name), "%s", name);
    make_ec_key(&ca->key, &ca->random.base);
    issue(ca, &order, &ca->key, pem, size);
}

static void make_pair(struct authority *ca, const struct order *o, bool rsa,
                      struct certs_pair *pair)
{
    mbedtls_pk_context key;

    if (rsa)
        make_rsa_key(&key, &ca->random.base);
    else
        make_ec_key(&key, &ca->random.base);
    issue(ca, o, &key, pair->chain, sizeof(pair->chain));
    need(mbedtls_pk_write_key_pem(&key, (unsigned char *)pair->key, sizeof(pair->key)) == 0, "key");
    mbedtls_pk_free(&key);
}

static void make_all(struct certs *c)
{
    static const char *const names[] = {"localhost", "*.wild.test", NULL};
    static const char *const other_names[] = {"named.test", NULL};
    static const char *const sly_names[] = {"a\ntlsyn: all is well\x1b[8m\x9b", NULL};
    const struct order good = {.subject = "CN=leaf",
                               .from = "20300101000000",
                               .until = "20301231235959",
                               .names = names,
                               .with_address = true};
    struct order order = good;
    struct authority ca, other;

    need(platform_init() == 0, "PSA");
    make_authority(&ca, "CN=Test CA,O=tlsyn", 1, c->ca, sizeof(c->ca));
    make_authority(&other, "CN=Other CA", 2, c->other_ca, sizeof(c->other_ca));
    make_pair(&ca, &good, false, &c->ec);
    make_pair(&ca, &good, true, &c->rsa);
    order.names = other_names;
    order.with_address = false;
    make_pair(&ca, &order, false, &c->named);
    order.names = sly_names;
    make_pair(&ca, &order, false, &c->sly);
    order.names = names;
    order.from = "20290101000000";
    order.until = "20291231235959";
    make_pair(&ca, &order, false, &c->expired);
    order.from = "20310101000000";
    order.until = "20311231235959";
    make_pair(&ca, &order, false, &c->future);
    mbedtls_pk_free(&ca.key);
    mbedtls_pk_free(&other.key);
}

const struct certs *certs_get(void)
{
    static struct certs certs;
    static bool made;

    if (!made)
        make_all(&certs);
    made = true;
    return &certs;
}
