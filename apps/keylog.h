/*
 * keylog.h: where TLS secrets go when the user asks for them: the file that SSLKEYLOGFILE names,
 * and the capture.
 */
#ifndef KEYLOG_H
#define KEYLOG_H

#include <stdio.h>
#include <tlsyn/tls.h>

struct keylog {
    struct tlsyn_tls_keylog base;
    FILE *file;                 /* or NULL */
    struct tlsyn_link *capture; /* or NULL; the caller's */
};

/** Opens the file of SSLKEYLOGFILE, if the variable is set, for appending, readable by its owner
 * only. `capture` may be NULL. 0 or -errno from opening. */
int keylog_init(struct keylog *keylog, struct tlsyn_link *capture);
void keylog_fini(struct keylog *keylog);

/** What to put into tlsyn_tls_options: NULL when nobody wants the secrets. */
struct tlsyn_tls_keylog *keylog_sink(struct keylog *keylog);

#endif
