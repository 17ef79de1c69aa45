/*
 * nonces.c: an observer with the server's keys, who takes no record's number for granted. With
 * primitives of its own, so that it does not share the mistakes of tls/record.c.
 */
#include "nonces.h"

#include <check.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 5
#define TAG    16
#define DATA   23
#define ALERT  21

struct observer {
    mbedtls_gcm_context gcm;
    uint8_t iv[12];
};

static void unhex(const char *text, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char octet[3] = {text[2 * i], text[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(octet, NULL, 16);
    }
}

/* "SERVER_TRAFFIC_SECRET_0 RANDOM SECRET" */
static void find_secret(const struct lines *l, uint8_t secret[32])
{
    static const char label[] = "SERVER_TRAFFIC_SECRET_0 ";
    const char *found = NULL;

    for (int i = 0; i < l->n; i++) {
        if (strncmp(l->line[i], label, strlen(label)) == 0)
            found = l->line[i] + strlen(label) + 64 + 1;
    }
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(strlen(found), 64); /* SHA-256 */
    unhex(found, secret, 32);
}

static void expand(const uint8_t secret[32], const char *info, size_t info_len, uint8_t *out,
                   size_t n)
{
    ck_assert_int_eq(mbedtls_hkdf_expand(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), secret, 32,
                                         (const uint8_t *)info, info_len, out, n),
                     0);
}

static void observer_init(struct observer *o, const struct lines *l)
{
    uint8_t secret[32], key[16];

    find_secret(l, secret);
    expand(secret, "\0\x10\x09tls13 key", 13, key, sizeof(key));
    expand(secret, "\0\x0c\x08tls13 iv", 12, o->iv, sizeof(o->iv));
    mbedtls_gcm_init(&o->gcm);
    ck_assert_int_eq(mbedtls_gcm_setkey(&o->gcm, MBEDTLS_CIPHER_ID_AES, key, 128), 0);
}

static bool opens(struct observer *o, uint64_t number, const uint8_t *record, size_t len,
                  uint8_t *text)
{
    uint8_t nonce[12];

    memcpy(nonce, o->iv, 12);
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(number >> 8 * i);
    return mbedtls_gcm_auth_decrypt(&o->gcm, len - HEADER - TAG, nonce, 12, record, HEADER,
                                    record + len - TAG, TAG, record + HEADER, text) == 0;
}

static void note(struct nonces *n, const uint8_t *text, size_t len)
{
    while (len > 0 && text[len - 1] == 0)
        len--;
    ck_assert_uint_gt(len, 0);
    if (text[len - 1] == DATA)
        n->data += len - 1;
    if (text[len - 1] == ALERT)
        n->alert = text[1];
    n->records++;
}

struct nonces nonces_check(const struct pair *p)
{
    static uint8_t text[16384 + 256];
    const uint8_t *at = p->wire.heard[1], *end = at + p->wire.heard_len[1];
    struct nonces n = {.alert = -1};
    uint64_t all = 0;
    struct observer o;

    observer_init(&o, &p->server_lines);
    while (end - at >= HEADER) {
        size_t len = HEADER + (size_t)(at[3] << 8 | at[4]);
        uint64_t number = 0;
        bool opened = false;

        if ((size_t)(end - at) < len)
            break; /* the observer came to the end of his paper */
        for (; at[0] == DATA && number <= all && !opened; number += !opened)
            opened = opens(&o, number, at, len, text);
        if (opened)
            ck_assert_uint_eq(number, n.records);
        else
            ck_assert_uint_eq(n.records, 0); /* those of the handshake stand before */
        if (opened)
            note(&n, text, len - HEADER - TAG);
        all++;
        at += len;
    }
    mbedtls_gcm_free(&o.gcm);
    return n;
}
