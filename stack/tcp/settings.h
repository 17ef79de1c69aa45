/*
 * tcp/settings.h: what a user may choose for a connection, when it is made and later.
 */
#ifndef TLSYN_TCP_SETTINGS_H
#define TLSYN_TCP_SETTINGS_H

#include "tcp/conn.h"

/** 0, or -EINVAL: a time is negative. */
int settings_check(const struct tlsyn_conn_options *options);

/** Puts options that were checked in force on a connection that holds no bytes yet. */
void settings_init(struct tlsyn_conn *conn, const struct tlsyn_conn_options *options);

#endif
