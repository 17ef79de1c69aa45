/*
 * conformance/settings.h: --so_flags: "name=value,name=value", in the words of Linux's sysctls
 * where there is one.
 *
 *     address=192.168.0.1/16  gateway=192.168.0.2      may be given more than once
 *     tls=off                                          what scripts are written for
 *     mtu=1500  timestamps=0|1  sack=0|1  window_scaling=0|1  ecn=0|1|2|3  congestion_control=cubic
 *     pacing=0|1  metrics=0|1                          what was measured is remembered
 *     gso=BYTES                                        trains of segments are so long ...
 *     cut=0|1                                          ... and are cut, for the link takes none
 *     rmem=BYTES  wmem=BYTES                           the most that buffers grow to
 *     delack=MS  rto_min=MS  rto_max=MS  challenges=PER_SECOND
 *     fastopen=BITS  fastopen_key=a0bf63f7-ed803d81-cd641d30-cebc4a90
 */
#ifndef TEST_CONFORMANCE_SETTINGS_H
#define TEST_CONFORMANCE_SETTINGS_H

#include <tlsyn/conn.h>

#define SETTINGS_ADDRESSES 8

/** Of the sysctl net.ipv4.tcp_fastopen. */
#define FASTOPEN_EVERY_LISTENER 0x400

struct settings_address {
    struct tlsyn_addr addr;
    int prefix_len; /* of a gateway: unused */
};

struct settings {
    struct tlsyn_limits limits;
    struct tlsyn_conn_options conn;
    struct settings_address address[SETTINGS_ADDRESSES], gateway[SETTINGS_ADDRESSES];
    int addresses, gateways;
    uint16_t mtu;
    uint32_t gso_max; /* bytes of text in a datagram that stands for several */
    bool cuts;
    unsigned long fastopen;
    uint8_t fastopen_key[TLSYN_COOKIE_KEY];
    bool has_fastopen_key;
};

/** 0; -EINVAL: `*wrong` (room for 64) is the word that is none. NULL flags: the defaults alone. */
int settings_parse(const char *flags, struct settings *settings, char *wrong);

#endif
