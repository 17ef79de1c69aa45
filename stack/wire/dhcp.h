/*
 * wire/dhcp.h: a DHCP message (RFC 2131 2) with the options (RFC 2132) that a client
 * sends and reads.
 */
#ifndef TLSYN_WIRE_DHCP_H
#define TLSYN_WIRE_DHCP_H

#include <tlsyn/types.h>

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

/* RFC 1542 2.1: relays may drop what is shorter than a BOOTP message of 300 octets. */
#define DHCP_MESSAGE_MIN 300
#define DHCP_MESSAGE_MAX 576 /* of what we send; RFC 2131 2: what every host takes */

#define DHCP_DNS_MAX      3
#define DHCP_HOSTNAME_MAX 63

enum dhcp_op {
    DHCP_BOOTREQUEST = 1,
    DHCP_BOOTREPLY = 2,
};

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
};

/** Unspecified addresses and zero stand for options that are absent. */
struct wire_dhcp {
    enum dhcp_op op;
    enum dhcp_type type;
    uint32_t xid;
    uint16_t secs;  /* since the client began */
    bool broadcast; /* the client has no address yet: answer everybody */
    struct tlsyn_addr ciaddr, yiaddr;
    uint8_t chaddr[6];
    struct tlsyn_addr requested, server, mask, router;
    struct tlsyn_addr dns[DHCP_DNS_MAX];
    uint8_t dns_count;
    uint32_t lease, t1, t2; /* seconds; UINT32_MAX: for ever */
    char hostname[DHCP_HOSTNAME_MAX + 1];
};

/**
 * 0; -EMSGSIZE: an option runs past the end, or the fixed part does; -EBADMSG: no DHCP message
 * (another hardware, cookie or op, no message type, an option of the wrong length). Option overload
 * (RFC 2132 9.3) is followed. Of an option that comes twice the first counts. Not read: option 61
 * and those that mean nothing to a client of ours.
 */
int wire_dhcp_parse(const uint8_t *bytes, size_t len, struct wire_dhcp *dhcp);

/** Writes a client's or a server's message, padded to DHCP_MESSAGE_MIN; its length, or -ENOSPC. */
int wire_dhcp_emit(const struct wire_dhcp *dhcp, uint8_t *bytes, size_t room);

#endif
