/*
 * nonces.h: under which number was each record sealed?
 */
#ifndef TLSYN_TESTS_NONCES_H
#define TLSYN_TESTS_NONCES_H

#include "pair.h"

/** What a server has sent under its application keys. */
struct nonces {
    uint64_t records; /* that open under these keys */
    uint64_t data;    /* bytes of application data in them */
    int alert;        /* the description in the last alert; -1: none */
};

/**
 * Opens what `heard` has of the server's stream with the secret that its key log has under
 * SERVER_TRAFFIC_SECRET_0 (the last one), trying every number for every record. Aborts the test
 * unless the first record that opens has the number 0, each one behind it the next number, and all
 * behind the first one open: a number that came twice, or was left out, fails.
 */
struct nonces nonces_check(const struct pair *p);

#endif
