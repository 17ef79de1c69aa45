/*
 * support/reference.h: packets built by libnet: code that isn't ours, to hold our emitters and
 * parsers against.
 *
 * libnet builds from the innermost header outwards: reference_open();
 * libnet_build_...(r.net); reference_cull(); look at r.packet; reference_close(). No
 * privilege is needed: nothing is ever sent.
 */
#ifndef TEST_SUPPORT_REFERENCE_H
#define TEST_SUPPORT_REFERENCE_H

#include <libnet.h>

#undef ETHER_ADDR_LEN /* names that wire/ has too */
#undef ICMP6_PACKET_TOO_BIG
#undef ICMP6_TIME_EXCEEDED
#undef ICMP6_ECHO_REPLY
#undef ICMP6_ECHO

struct reference {
    libnet_t *net;
    uint8_t *packet; /* from the Ethernet header on */
    uint32_t len;
};

/** Failures end the test. */
void reference_open(struct reference *r);

/** Puts together what was built, checksums included. */
void reference_cull(struct reference *r);

void reference_close(struct reference *r);

/** Four octets in the form that libnet takes. */
uint32_t reference_ip4(const uint8_t octets[4]);

#endif
