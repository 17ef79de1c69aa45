/* Captures written byte by byte (pcap format, Ethernet, IPv4), from the RFCs' layouts, and TLS
 * records to put into them. Failing is ck_assert's business.
 */
#ifndef TEST_PCAP_FILE_H
#define TEST_PCAP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/ladder.h"

enum { SYN = LADDER_SYN, ACK = LADDER_ACK, FIN = LADDER_FIN, RST = LADDER_RST };

/* A capture being written. */
struct capture {
    uint8_t bytes[262144];
    size_t n;
};

/* One segment to write. The client's numbers wrap. */
struct packet {
    uint32_t ms;
    bool from_server;
    uint8_t flags;
    uint32_t seq, ack; /* relative */
    const uint8_t *options;
    size_t options_length;
    const void *text;
    size_t length;
    uint16_t client_port; /* 0: 40000 */
};

void put(struct capture *capture, const void *bytes, size_t n);
void put32(struct capture *capture, uint32_t x); /* host order: pcap files tell by magic */
void be16(uint8_t *p, size_t x);
void be32(uint8_t *p, uint32_t x);

void capture_init(struct capture *capture, uint32_t link_type);
void capture_add(struct capture *capture, const struct packet *packet);

/* ladder_read_stream() of it. */
int read_capture(struct ladder *ladder, struct capture *capture, const struct ladder_flow *flow,
                 size_t limit);

/* Append a record; returns the new length. */
size_t record(uint8_t *out, size_t n, uint8_t type, const void *body, size_t length);

/* A handshake message of `length` bytes of filling behind its header. */
size_t message(uint8_t *out, size_t n, uint8_t type, size_t length);

/* A ServerHello; TLS 1.3 by its extension, or 1.2 without. */
size_t server_hello(uint8_t *out, size_t n, bool tls13);

#endif
