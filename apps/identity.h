/*
 * identity.h: a server's certificate and key: from files, or made for one run.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <tlsyn/tls.h>

struct identity_options {
    const char *cert, *key;   /* files, or NULL */
    const char *self_signed;  /* where the throwaway authority's certificate goes, or NULL */
    const char *const *names; /* in a throwaway certificate; NULL-terminated */
    bool rsa;                 /* its key is for RSA key exchange */
};

/** CLI_OK, or says which options are missing or too many. */
int identity_check(const struct identity_options *options, const char *command);

/** CLI_OK, or says what is wrong with the files. */
int identity_give(const struct identity_options *options, struct tlsyn_tls_config *config);

/** Reads the files anew, for the connections that begin from now on, and says so; what cannot be
 * used, which is said, changes nothing. */
void identity_renew(const struct identity_options *options, struct tlsyn_tls_config *config);

#endif
