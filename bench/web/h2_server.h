/*
 * web/h2_server.h: the server's side of an HTTP/2 connection, over nghttp2, which knows the frames.
 * Read first: web/server.h; RFC 9113 5, 6.8, 8.1, 10.5.
 *
 * Requests are answered side by side, each on a stream of its own, as far as the client's windows
 * let them.
 *
 * What a client can make it do has bounds:
 *
 *     streams at a time               H2_STREAMS_MAX: more are refused (REFUSED_STREAM)
 *     a request's fields              H2_FIELDS_MAX octets (RFC 9113 6.5.2): 431
 *     frames of one field block       H2_CONTINUATIONS_MAX behind the first: ENHANCE_YOUR_CALM
 *     streams cancelled before their  H2_CANCELLED_MAX more than were answered whole, whoever was
 *     response was out                made to cancel them: ENHANCE_YOUR_CALM
 *     SETTINGS and PING to be         nghttp2's; and nothing is taken while frames wait to leave
 *     acknowledged
 *     a response that nobody reads    no `progress`: who owns the connection ends it
 */
#ifndef WEB_H2_SERVER_H
#define WEB_H2_SERVER_H

#include "web/server.h"

#define H2_STREAMS_MAX       100
#define H2_FIELDS_MAX        16384
#define H2_CONTINUATIONS_MAX 7
#define H2_CANCELLED_MAX     100

/** For a connection of this service, which outlives it. NULL: no memory. */
struct web_server *h2_server_new(struct web_service *service);

#endif
