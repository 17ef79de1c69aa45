/*
 * peer/socket.h: what both ends ask of a connection's socket.
 */
#ifndef PEER_SOCKET_H
#define PEER_SOCKET_H

/** Without Nagle's algorithm, each wait bounded, and reset by close(2): no TIME-WAIT, and nothing
 * on its way afterwards. 0 or -errno. */
int peer_socket_prepare(int fd, int timeout_ms);

#endif
