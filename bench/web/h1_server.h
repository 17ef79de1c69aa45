/*
 * web/h1_server.h: the server's side of an HTTP/1.1 connection. Read first: web/server.h; RFC
 * 9112 9.
 *
 *        +-------------------------------------------------------------+
 *        v                                                             | kept
 *     READING --(header)--> RECEIVING --(complete, or refused)--> SENDING --> ENDED
 *
 * One request at a time: those that a client pipelines wait for their turn where they are.
 */
#ifndef WEB_H1_SERVER_H
#define WEB_H1_SERVER_H

#include "web/server.h"

/** For a connection of this service, which outlives it. NULL: no memory. */
struct web_server *h1_server_new(struct web_service *service);

#endif
