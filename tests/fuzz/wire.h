/*
 * fuzz/wire.h: what fuzz_wire asks of each parser of stack/wire: the law that holds for any bytes.
 */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <stddef.h>
#include <stdint.h>

void fuzz_arp(const uint8_t *data, size_t size);
void fuzz_dhcp(const uint8_t *data, size_t size);
void fuzz_ether(const uint8_t *data, size_t size);
void fuzz_icmp4(const uint8_t *data, size_t size);
void fuzz_icmp6(const uint8_t *data, size_t size);
void fuzz_ip4(const uint8_t *data, size_t size);
void fuzz_ip6(const uint8_t *data, size_t size);
void fuzz_print(const uint8_t *data, size_t size);
void fuzz_tcp(const uint8_t *data, size_t size);
void fuzz_tcp_options(const uint8_t *data, size_t size);
void fuzz_udp(const uint8_t *data, size_t size);
void fuzz_vnet(const uint8_t *data, size_t size);

#endif
