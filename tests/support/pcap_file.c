/* Captures written byte by byte. Read first: the pcap file format, RFC 791 3.1, RFC 9293 3.1. */
#include "support/pcap_file.h"

#include <check.h>
#include <string.h>

enum { CLIENT_ISS = 0xfffffff0, SERVER_ISS = 5000 };

void put(struct capture *capture, const void *bytes, size_t n)
{
    ck_assert_uint_le(capture->n + n, sizeof capture->bytes);
    memcpy(capture->bytes + capture->n, bytes, n);
    capture->n += n;
}

void put32(struct capture *capture, uint32_t x)
{
    put(capture, &x, 4);
}

void be16(uint8_t *p, size_t x)
{
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
}

void be32(uint8_t *p, uint32_t x)
{
    be16(p, x >> 16);
    be16(p + 2, x & 0xffff);
}

void capture_init(struct capture *capture, uint32_t link_type)
{
    const uint16_t version[2] = {2, 4};
    capture->n = 0;
    put32(capture, 0xa1b2c3d4);
    put(capture, version, 4);
    put32(capture, 0);
    put32(capture, 0);
    put32(capture, 262144);
    put32(capture, link_type);
}

void capture_add(struct capture *capture, const struct packet *packet)
{
    uint8_t frame[2048] = {0};
    uint8_t *ip = frame + 14;
    uint8_t *tcp = ip + 20;
    size_t header = 20 + packet->options_length;
    uint16_t client = packet->client_port != 0 ? packet->client_port : 40000;
    uint32_t mine = packet->from_server ? SERVER_ISS : CLIENT_ISS;
    uint32_t peer = packet->from_server ? CLIENT_ISS : SERVER_ISS;

    be16(frame + 12, 0x0800);
    ip[0] = 0x45;
    be16(ip + 2, 20 + header + packet->length);
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + (packet->from_server ? 16 : 12), "\x0a\x00\x00\x01", 4);
    memcpy(ip + (packet->from_server ? 12 : 16), "\x0a\x00\x00\x02", 4);
    be16(tcp, packet->from_server ? 443 : client);
    be16(tcp + 2, packet->from_server ? client : 443);
    be32(tcp + 4, mine + packet->seq);
    be32(tcp + 8, (packet->flags & ACK) != 0 ? peer + packet->ack : 0);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = packet->flags;
    if (packet->options_length > 0)
        memcpy(tcp + 20, packet->options, packet->options_length);
    if (packet->length > 0)
        memcpy(tcp + header, packet->text, packet->length);
    uint32_t size = (uint32_t)(34 + header + packet->length);
    put32(capture, 1000 + packet->ms / 1000);
    put32(capture, packet->ms % 1000 * 1000);
    put32(capture, size);
    put32(capture, size);
    put(capture, frame, size);
}

int read_capture(struct ladder *ladder, struct capture *capture, const struct ladder_flow *flow,
                 size_t limit)
{
    char error[LADDER_ERROR_MAX];
    FILE *file = fmemopen(capture->bytes, capture->n, "rb");
    int result = ladder_read_stream(ladder, file, flow, limit, error);
    ck_assert_int_eq(result < 0, error[0] != '\0');
    return result;
}

size_t record(uint8_t *out, size_t n, uint8_t type, const void *body, size_t length)
{
    out[n] = type;
    be16(out + n + 1, 0x0303);
    be16(out + n + 3, length);
    memcpy(out + n + 5, body, length);
    return n + 5 + length;
}

size_t message(uint8_t *out, size_t n, uint8_t type, size_t length)
{
    be32(out + n, (uint32_t)length);
    out[n] = type;
    memset(out + n + 4, 0xaa, length);
    return n + 4 + length;
}

size_t server_hello(uint8_t *out, size_t n, bool tls13)
{
    size_t body = n + 4;
    size_t length = 2 + 32 + 1 + 3 + (tls13 ? 2 + 6 : 0);
    message(out, n, 2, length);
    be16(out + body, 0x0303);
    out[body + 34] = 0;
    if (tls13)
        memcpy(out + body + 38, "\x00\x06\x00\x2b\x00\x02\x03\x04", 8);
    return n + 4 + length;
}
