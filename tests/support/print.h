/*
 * support/print.h: a packet in one line of text, for people who read a test. Lines look like
 * tcpdump's:
 *
 *     10.0.0.1:1234 > 10.0.0.2:443 [S.] seq 1 ack 1 win 65535 <mss 1460,sackOK,TS val 7 ecr
 *         3,wscale 8> len 100
 *     10.0.0.1 > 10.0.0.2 icmp echo id 7 seq 1 len 56
 *     arp who-has 10.0.0.2 tell 10.0.0.1
 *     fe80::1 > ff02::1:ff00:2 icmp6 who-has fd77::2 from 02:00:00:00:00:01
 *
 * Each function returns the line's length, or -ENOSPC; the line is terminated by NUL in either
 * case.
 */
#ifndef TEST_SUPPORT_PRINT_H
#define TEST_SUPPORT_PRINT_H

#include <tlsyn/types.h>

#include "wire/tcp.h"

#define PRINT_ADDR_MAX 40  /* bytes that any address needs, NUL included */
#define PRINT_LINE_MAX 600 /* bytes that any packet needs, NUL included */

/** "10.0.0.1"; an IPv6 address as in RFC 5952 4. */
int print_addr(const struct tlsyn_addr *addr, char *line, size_t size);

/** A segment between two addresses. */
int print_tcp(const struct tlsyn_addr *src, const struct tlsyn_addr *dst,
              const struct wire_tcp *tcp, char *line, size_t size);

/** An Ethernet frame of any content, malformed ones included. */
int print_frame(const uint8_t *frame, size_t len, char *line, size_t size);

#endif
