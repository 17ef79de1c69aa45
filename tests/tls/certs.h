/*
 * certs.h: certificates made on the spot, so that none lies about with a date on which the tests
 * begin to fail.
 */
#ifndef TLSYN_TESTS_CERTS_H
#define TLSYN_TESTS_CERTS_H

#include <stdint.h>

/** The day of the tests: 2030-06-15 12:00:00 UTC. */
#define CERTS_NOW INT64_C(1907755200)

struct certs_pair {
    char chain[4096]; /* PEM */
    char key[4096];
};

struct certs {
    char ca[2048];             /* PEM: ECDSA P-256, 2020 to 2050 */
    char other_ca[2048];       /* signed nothing */
    struct certs_pair ec;      /* localhost, *.wild.test, 192.0.2.1: P-256, 2030 */
    struct certs_pair rsa;     /* the same names: RSA-2048 */
    struct certs_pair named;   /* named.test: P-256 */
    struct certs_pair sly;     /* a name with control characters in it: P-256, 2030 */
    struct certs_pair expired; /* localhost, until 2029-12-31 */
    struct certs_pair future;  /* localhost, from 2031-01-01 */
};

/** Makes them once per process; aborts if it can't. */
const struct certs *certs_get(void);

#endif
