/*
 * describe.h: a connection in words and in JSON: what was negotiated, which mode was used and why,
 * how long it took.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <tlsyn/tls.h>

/** Everything worth telling, taken while the connection still lives. */
struct description {
    struct tlsyn_conn_info conn;
    struct tlsyn_tls_info tls;
    char version[16], suite[64], alpn[64]; /* "": none */
    char peer[2048];                       /* the leaf certificate, "" if there is none */
    bool early_asked;                      /* by the user; the caller's to set */
};

void describe_take(struct description *d, struct tlsyn_conn *conn, const struct tlsyn_tls *tls);

/** "embedded" if text of the SYN was acknowledged by the SYN-ACK (active) or admitted (passive),
 * else "sequential". */
const char *describe_mode(const struct tlsyn_conn_info *info);

/** Lines on stderr: for -v. */
void describe_detail(const struct description *d);

/** A JSON object on stdout, with a newline. */
void describe_json(const struct description *d);

#endif
