/*
 * tlsyn/certify.h: throwaway certificates: an authority that signs one server certificate and is
 * forgotten. For trying things out and for measurements; nothing here is fit for guarding anything.
 *
 * Pure like the engine: time and randomness come from the caller.
 */
#ifndef TLSYN_CERTIFY_H
#define TLSYN_CERTIFY_H

#include <tlsyn/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_certify_options {
    /* NULL-terminated DNS names and IPv4 addresses; the first is the subject's name */
    const char *const *names;
    bool rsa;    /* the server's key: RSA 2048 (takes up to a second), else P-256 */
    int64_t now; /* seconds since 1970; valid from a day before */
    int days;    /* and until so many days after */
    struct tlsyn_random *random;
};

#define TLSYN_CERTIFY_NAMES 40

/** PEM texts. The authority's key is gone. */
struct tlsyn_certified {
    char ca[2048];
    char chain[2048]; /* the server's certificate */
    char key[2048];   /* its private key */
};

/** 0, -EINVAL (no name, more than TLSYN_CERTIFY_NAMES, or one longer than 200 characters), -ENOMEM,
 * -EPROTO: mbedTLS failed. */
int tlsyn_certify(const struct tlsyn_certify_options *options, struct tlsyn_certified *certified);

#ifdef __cplusplus
}
#endif

#endif
