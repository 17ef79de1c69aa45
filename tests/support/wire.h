/*
 * support/wire.h: a wire of this machine for one test: a veth pair in a network namespace that ends
 * with the process.
 */
#ifndef TEST_SUPPORT_WIRE_H
#define TEST_SUPPORT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define TEST_WIRE_NEAR "near"
#define TEST_WIRE_FAR  "far"

static const uint8_t test_wire_near_hwaddr[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t test_wire_far_hwaddr[6] = {2, 0, 0, 0, 0, 2};

/** Enters a network namespace of our own, with nothing in it. False: there is none to be had, and a
 * line was printed that says why. */
bool test_namespace(void);

/**
 * Moves the calling process into a new network namespace (in a new user namespace, if need be) with
 * both ends of a pair in it, up, MTU 1500; near has the address 10.0.0.1/24. False, with a line on
 * stdout, where namespaces are forbidden or the tests run in one process (CK_FORK=no): then the
 * test has nothing to stand on and returns.
 */
bool test_wire_open(void);

/** Gives near fd00::1/64 too. False, with a line on stdout: the kernel has no IPv6. */
bool test_wire_ip6(void);

/** An end that segments nothing by itself and computes no checksum. */
void test_wire_no_offload(const char *name);

/** Sets an end down. */
void test_wire_down(const char *name);

#endif
