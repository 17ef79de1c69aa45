/* support/frames.c: frames with a number inside. */
#include "support/frames.h"

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

#define TCP_AT (ETHER_HEADER_LEN + IP4_HEADER_LEN)

static const uint8_t client[4] = {10, 0, 0, 1}, server[4] = {10, 0, 0, 2};

static void put_field(struct test_frame *f, uint16_t value)
{
    f->bytes[TCP_AT + TCP_CHECKSUM_OFFSET] = (uint8_t)(value >> 8);
    f->bytes[TCP_AT + TCP_CHECKSUM_OFFSET + 1] = (uint8_t)value;
}

static struct checksum pseudo_sum(size_t len)
{
    struct tlsyn_addr src = tlsyn_addr_ip4(client), dst = tlsyn_addr_ip4(server);
    struct checksum sum = {0};

    checksum_pseudo(&sum, &src, &dst, 6, (uint32_t)(len - TCP_AT));
    return sum;
}

static void make_headers(struct test_frame *f, size_t len)
{
    static const uint8_t tcp[20] = {0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff};
    struct wire_ether ether = {
        .dst = {2, 0, 0, 0, 0, 2}, .src = {2, 0, 0, 0, 0, 1}, .type = ETHER_TYPE_IP4};
    struct wire_ip4 ip = {.src = tlsyn_addr_ip4(client),
                          .dst = tlsyn_addr_ip4(server),
                          .ttl = 64,
                          .protocol = 6,
                          .total_len = (uint16_t)(len - ETHER_HEADER_LEN),
                          .df = true};

    wire_ether_emit(&ether, f->bytes, ETHER_HEADER_LEN);
    wire_ip4_emit(&ip, f->bytes + ETHER_HEADER_LEN, IP4_HEADER_LEN);
    memcpy(f->bytes + TCP_AT, tcp, sizeof(tcp));
}

void test_frame_make(struct test_frame *f, size_t len, uint32_t number)
{
    struct writer w = writer_of(f->bytes + TEST_FRAME_HEADERS, 4);
    struct checksum sum;

    memset(&f->frame, 0, sizeof(f->frame));
    f->frame.iov[0] = (struct iovec){.iov_base = f->bytes, .iov_len = len};
    f->frame.iovcnt = 1;
    for (size_t i = TEST_FRAME_HEADERS; i < len; i++)
        f->bytes[i] = (uint8_t)(i * 7 + number);
    make_headers(f, len);
    put_u32(&w, number);
    put_field(f, 0);
    sum = pseudo_sum(len);
    checksum_add(&sum, f->bytes + TCP_AT, len - TCP_AT);
    put_field(f, checksum_finish(&sum));
}

void test_frame_unfinish(struct test_frame *f)
{
    struct checksum sum = pseudo_sum(f->frame.iov[0].iov_len);

    put_field(f, checksum_fold(&sum));
    f->frame.flags = TLSYN_FRAME_CSUM_PARTIAL;
    f->frame.csum_start = TCP_AT;
    f->frame.csum_offset = TCP_CHECKSUM_OFFSET;
}

void test_frame_coalesce(struct test_frame *f, uint16_t mss)
{
    test_frame_unfinish(f);
    f->frame.gso_type = TLSYN_GSO_TCP4;
    f->frame.gso_size = mss;
    f->frame.hdr_len = TEST_FRAME_HEADERS;
}

uint32_t test_frame_number(const struct tlsyn_frame *frame)
{
    const uint8_t *bytes = frame->iov[0].iov_base;
    struct reader r = reader_of(bytes + TEST_FRAME_HEADERS, 4);

    return get_u32(&r);
}

bool test_frame_checksum_good(const struct tlsyn_frame *frame)
{
    const uint8_t *bytes = frame->iov[0].iov_base;
    size_t len = frame->iov[0].iov_len;
    struct checksum sum = pseudo_sum(len);

    checksum_add(&sum, bytes + TCP_AT, len - TCP_AT);
    return checksum_good(&sum);
}
