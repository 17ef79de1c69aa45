/*
 * socket/address.h: struct sockaddr of either family, and what Linux says about wrong ones.
 */
#ifndef TLSYN_SOCKET_ADDRESS_H
#define TLSYN_SOCKET_ADDRESS_H

#include <sys/socket.h>

#include <tlsyn/types.h>

/** "10.0.0.1/24", "2001:db8::1/64"; without a length 32 or 128. 0 or -EINVAL. */
int address_parse(const char *text, struct tlsyn_addr *address, int *prefix_len);

/** The unspecified address of a family. */
struct tlsyn_addr address_any(int domain);

/** Whether it is a group's of IPv4. */
bool address_is_group4(const struct tlsyn_addr *address);

/** From the program, for a socket of this domain. 0, -EFAULT, -EINVAL (length), -EAFNOSUPPORT. */
int address_take(int domain, const struct sockaddr *from, socklen_t length,
                 struct tlsyn_endpoint *to);

/** To the program: as much as fits into *length bytes; *length becomes what it takes. 0, -EFAULT,
 * -EINVAL. */
int address_give(int domain, const struct tlsyn_endpoint *from, struct sockaddr *to,
                 socklen_t *length);

#endif
