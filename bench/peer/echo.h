/*
 * peer/echo.h: the kernel's ping: ICMP echo requests (RFC 792) from a raw socket, answered by the
 * other host's kernel, timed as ping(8) does: from before the send to the kernel's timestamp of the
 * answer's arrival.
 */
#ifndef PEER_ECHO_H
#define PEER_ECHO_H

#include <stdint.h>

struct peer_echo {
    int fd;
    uint16_t id, sequence;
};

/** Opens towards an IPv4 address. Needs CAP_NET_RAW. 0 or -errno. */
int peer_echo_open(struct peer_echo *echo, const char *address);
void peer_echo_close(struct peer_echo *echo);

/** One echo with 56 bytes of payload, as ping(8) sends by default. 0 and the round trip in
 * microseconds, -ETIMEDOUT, or another -errno. */
int peer_echo(struct peer_echo *echo, int timeout_ms, double *rtt_us);

#endif
