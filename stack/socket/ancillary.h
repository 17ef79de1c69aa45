/*
 * socket/ancillary.h: what a struct msghdr says about a datagram beside its bytes.
 */
#ifndef TLSYN_SOCKET_ANCILLARY_H
#define TLSYN_SOCKET_ANCILLARY_H

#include "socket/sock.h"

/** Reads what is to be sent along; `how->to` is set already. 0, -EINVAL or -EFAULT. */
int ancillary_take(const struct sock *sock, const struct msghdr *message, struct sock_sending *how);

/** Tells what the socket's options ask for: msg_control, msg_controllen and MSG_CTRUNC. */
void ancillary_give(const struct sock *sock, const struct sock_received *about,
                    struct msghdr *message);

#endif
