/*
 * tlsyn/tls_socket.h: TLS under sockets: the one call that is new, and no new call for a server.
 *
 *     client   tlsyn_socket -> tlsyn_connect_ssl          -> tlsyn_send, tlsyn_recv ... (plaintext)
 *     server   tlsyn_socket -> tlsyn_socket_tls -> tlsyn_bind -> tlsyn_listen
 *                  -> tlsyn_accept -> tlsyn_send, tlsyn_recv ... (plaintext)
 *
 * tlsyn_connect_ssl() does the handshake of TLS inside that of TCP: the ClientHello rides in the
 * SYN. A server that does not take it there gets it as ordinary text, with no round trip lost. A
 * listening socket with a TLS configuration takes either; tlsyn_accept() returns connections whose
 * TLS handshake is complete, but for early data.
 *
 * A handshake that fails is errno EPROTO, from tlsyn_connect_ssl(), or where it would block from
 * SO_ERROR; the sentence is tlsyn_getsockopt(fd, SOL_TLSYN, TLSYN_ENGINE_ERROR). A stream that ends
 * without close_notify is ECONNRESET.
 *
 * Early data, where the options of both ends allow it (`early_data` of tlsyn/tls.h). A client puts
 * TLS under its socket with tlsyn_socket_tls_client() and opens by sending, as with Fast Open:
 * tlsyn_sendto() with MSG_FASTOPEN, or with TCP_FASTOPEN_CONNECT by its first send behind a
 * tlsyn_connect() that does nothing yet. What the ticket of an earlier visit allows rides in the
 * SYN; the rest, or all where there is no such ticket, follows behind the handshake, as does what
 * the server rejected: the stream arrives whole, and once. (Where the options offer more than one
 * application protocol nothing is early: what was written for one might be heard by another.) Send
 * so only what may be done twice (RFC 8446 8, RFC 8470). A server that went back to TLS 1.2
 * meanwhile ends the connection (RFC 8446 D.3): EPROTO, and the next attempt is without. To a
 * server tlsyn_accept() gives the connection as soon as early data is there to be read, and
 * SOL_TLSYN, TLSYN_EARLY says while it lasts that the client may be somebody who repeats another's
 * bytes. What is written then leaves with the server's first flight.
 *
 * Returning clients: with `sessions` in the client's options, or a `store`, and `tickets` or
 * `sessions` in the server's, the next tlsyn_connect_ssl() to the same name and port offers what
 * the last one got.
 *
 * The configuration (tlsyn/tls.h) outlives the sockets that use it, and serves those of one
 * net. Its clock is that of the net's stack: wall_at is tlsyn_clock() where the net has no
 * clock of its own.
 */
#ifndef TLSYN_TLS_SOCKET_H
#define TLSYN_TLS_SOCKET_H

#include <tlsyn/socket.h>
#include <tlsyn/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Puts TLS under a stream socket that is not connected: a client's or a server's, as the config's
 * role says. 0; -1 with errno EOPNOTSUPP, EISCONN, ENOMEM. */
int tlsyn_socket_tls(int fd, struct tlsyn_tls_config *config);

/** The same for a client that will open with tlsyn_sendto() and MSG_FASTOPEN, or with
 * tlsyn_connect(); `server_name` as in tlsyn_tls_attach(). */
int tlsyn_socket_tls_client(int fd, struct tlsyn_tls_config *config, const char *server_name);

/** connect(2) with the TLS handshake inside. What may ride in the SYN: TLSYN_CONNECT_LEVEL.
 * `server_name` as in tlsyn_tls_attach(). 0; -1 with errno as connect(2) (EINPROGRESS: POLLOUT says
 * when the handshake is done), EPROTO, or EINVAL: no name to verify. */
int tlsyn_connect_ssl(int fd, const struct sockaddr *address, socklen_t length,
                      struct tlsyn_tls_config *config, const char *server_name);

#ifdef __cplusplus
}
#endif

#endif
