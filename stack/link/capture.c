/*
 * link/capture.c: wraps a link and writes what passes to a pcapng file, with the TLS
 * secrets inside.
 *
 * Read first: draft-ietf-opsawg-pcapng: 3 (blocks), 4.1 Section Header, 4.2 Interface Description,
 * 4.3 Enhanced Packet, 4.7 Decryption Secrets.
 *
 *     Section Header | Interface Description | { Enhanced Packet | Decryption Secrets }*
 *
 * Blocks are built in a buffer, in this machine's byte order (the section header says which),
 * and only whole blocks leave it: a file that ends early ends between two blocks, unless the
 * disk was full.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "link/frame.h"
#include "link/interface.h"

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u
#define BLOCK_SECRETS   10u
#define BYTE_ORDER_MARK 0x1a2b3c4du
#define SECRETS_TLS     0x544c534bu /* "TLSK" */
#define LINKTYPE_ETHER  1

#define OPTION_END        0
#define OPTION_USERAPPL   4 /* of the section */
#define OPTION_RESOLUTION 9 /* of the interface */
#define OPTION_FLAGS      2 /* of the packet */
#define FLAGS_INBOUND     1u
#define FLAGS_OUTBOUND    2u

#define BUFFER_BYTES  (256u << 10)
#define BLOCK_MAX     (FRAME_MAX + 64) /* any block, secrets included */
#define FLUSH_AFTER   TLSYN_MS(100)
#define SECRET_MAX    4096
#define MODE_OF_FILES 0600 /* there are keys in it */

struct capture {
    struct tlsyn_link link;
    struct tlsyn_link *inner;
    int fd;
    int error;              /* the first of a write; sticky, and nothing is recorded from then on */
    tlsyn_time wall_offset; /* from the link's clock to microseconds since 1970 */
    tlsyn_time flush_at;    /* TLSYN_NEVER: the buffer is empty */
    size_t used;
    size_t block; /* where the open block begins */
    size_t batch; /* where the last receive begins: the secrets that it brings go before it */
    uint8_t buffer[BUFFER_BYTES];
};

static struct capture *capture_of(struct tlsyn_link *link)
{
    return container_of(link, struct capture, link);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void capture_write_out(struct capture *c)
{
    size_t done = 0;

    while (done < c->used && c->error == 0) {
        ssize_t n = write(c->fd, c->buffer + done, c->used - done);

        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            c->error = n == 0 ? -EIO : -errno;
    }
    c->used = 0;
    c->batch = 0;
    c->flush_at = TLSYN_NEVER;
}

static void capture_write_out_if_due(struct capture *c, tlsyn_time now)
{
    if (c->flush_at <= now)
        capture_write_out(c);
}

static void capture_make_due(struct capture *c, tlsyn_time now)
{
    if (c->used > 0 && c->flush_at == TLSYN_NEVER)
        c->flush_at = now + FLUSH_AFTER;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The next n bytes of the open block, padded with zeros to a multiple of four. */
static uint8_t *block_span(struct capture *c, size_t n)
{
    uint8_t *at = c->buffer + c->used;
    size_t padded = (n + 3) & ~(size_t)3;

    memset(at + n, 0, padded - n);
    c->used += padded;
    return at;
}

static void block_u32(struct capture *c, uint32_t value)
{
    memcpy(block_span(c, sizeof(value)), &value, sizeof(value));
}

static void block_u16s(struct capture *c, uint16_t first, uint16_t second)
{
    uint8_t *at = block_span(c, 4);

    memcpy(at, &first, sizeof(first));
    memcpy(at + 2, &second, sizeof(second));
}

static void block_option(struct capture *c, uint16_t code, const void *value, uint16_t len)
{
    block_u16s(c, code, len);
    memcpy(block_span(c, len), value, len);
}

static void block_begin(struct capture *c, uint32_t type)
{
    if (c->used + BLOCK_MAX > sizeof(c->buffer))
        capture_write_out(c);
    c->block = c->used;
    block_u32(c, type);
    block_u32(c, 0);
}

/* The length stands at both ends of a block. */
static void block_end(struct capture *c)
{
    uint32_t len = (uint32_t)(c->used - c->block) + 4;

    memcpy(c->buffer + c->block + 4, &len, sizeof(len));
    block_u32(c, len);
}

static void write_section(struct capture *c)
{
    static const char name[] = "tlsyn";

    block_begin(c, BLOCK_SECTION);
    block_u32(c, BYTE_ORDER_MARK);
    block_u16s(c, 1, 0); /* version 1.0 */
    block_u32(c, UINT32_MAX);
    block_u32(c, UINT32_MAX); /* section length: not given */
    block_option(c, OPTION_USERAPPL, name, sizeof(name) - 1);
    block_u16s(c, OPTION_END, 0);
    block_end(c);
}

static void write_interface(struct capture *c)
{
    static const uint8_t microseconds = 6; /* 10^-6 s */

    block_begin(c, BLOCK_INTERFACE);
    block_u16s(c, LINKTYPE_ETHER, 0);
    block_u32(c, 0); /* no limit on the length of packets */
    block_option(c, OPTION_RESOLUTION, &microseconds, sizeof(microseconds));
    block_u16s(c, OPTION_END, 0);
    block_end(c);
}

static void write_packet(struct capture *c, const struct tlsyn_frame *frame, tlsyn_time when,
                         uint32_t direction)
{
    size_t len = tlsyn_frame_len(frame);
    uint64_t stamp = (uint64_t)(when + c->wall_offset);
    struct tlsyn_frame copy;
    uint8_t *bytes;

    if (c->error || len > FRAME_MAX)
        return;
    block_begin(c, BLOCK_PACKET);
    block_u32(c, 0); /* interface */
    block_u32(c, (uint32_t)(stamp >> 32));
    block_u32(c, (uint32_t)stamp);
    block_u32(c, (uint32_t)len);
    block_u32(c, (uint32_t)len);
    bytes = block_span(c, len);
    frame_gather(frame, bytes);
    copy = frame_with(frame, bytes, len);
    frame_finish_checksum(&copy);
    block_option(c, OPTION_FLAGS, &direction, sizeof(direction));
    block_u16s(c, OPTION_END, 0);
    block_end(c);
}

/* ---- the link -------------------------------------------------------------------------------- */

static int capture_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                           tlsyn_time now)
{
    struct capture *c = capture_of(link);
    int n = tlsyn_link_receive(c->inner, frames, max, now);

    capture_write_out_if_due(c, now);
    if (c->used > BUFFER_BYTES / 2) /* the batch, and the secrets that it brings, stay together */
        capture_write_out(c);
    c->batch = c->used;
    for (int i = 0; i < n; i++)
        write_packet(c, &frames[i], frames[i].when ? frames[i].when : now, FLAGS_INBOUND);
    capture_make_due(c, now);
    return n;
}

static int capture_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                            tlsyn_time now)
{
    struct capture *c = capture_of(link);
    int taken = tlsyn_link_transmit(c->inner, frames, n, now);

    for (int i = 0; i < taken; i++)
        write_packet(c, &frames[i], now, FLAGS_OUTBOUND);
    c->batch = c->used;
    capture_make_due(c, now);
    capture_write_out_if_due(c, now);
    return taken;
}

static int capture_fd(struct tlsyn_link *link)
{
    return tlsyn_link_fd(capture_of(link)->inner);
}

static uint64_t capture_missed(struct tlsyn_link *link)
{
    return tlsyn_link_missed(capture_of(link)->inner);
}

static tlsyn_time capture_next_timeout(struct tlsyn_link *link)
{
    struct capture *c = capture_of(link);
    tlsyn_time next = tlsyn_link_next_timeout(c->inner);

    return c->flush_at < next ? c->flush_at : next;
}

static void capture_close(struct tlsyn_link *link)
{
    struct capture *c = capture_of(link);

    capture_write_out(c);
    close(c->fd);
    tlsyn_link_close(c->inner);
    link_free(c);
}

static const struct tlsyn_link_ops capture_ops = {
    .receive = capture_receive,
    .transmit = capture_transmit,
    .fd = capture_fd,
    .next_timeout = capture_next_timeout,
    .missed = capture_missed,
    .close = capture_close,
};

int tlsyn_capture_wrap(struct tlsyn_link *inner, const char *path, struct tlsyn_link **link)
{
    struct capture *c = link_alloc(sizeof(*c));
    int error;

    if (!c)
        return -ENOMEM;
    c->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE_OF_FILES);
    if (c->fd < 0) {
        error = -errno;
        link_free(c);
        return error;
    }
    c->link.ops = &capture_ops;
    c->link.caps = inner->caps;
    c->inner = inner;
    c->wall_offset = -interface_clock_offset();
    write_section(c);
    write_interface(c);
    error = tlsyn_capture_flush(&c->link);
    if (error) {
        close(c->fd);
        link_free(c);
        return error;
    }
    tlsyn_link_stamp(inner);
    *link = &c->link;
    return 0;
}

/* Moves the block that was just written before the packets of the last receive: a reader needs the
 * keys when it meets the ServerHello, whose arrival made them. */
static void move_before_batch(struct capture *c)
{
    uint8_t block[SECRET_MAX + 64];
    size_t len = c->used - c->block;

    memcpy(block, c->buffer + c->block, len);
    memmove(c->buffer + c->batch + len, c->buffer + c->batch, c->block - c->batch);
    memcpy(c->buffer + c->batch, block, len);
    c->batch += len;
}

int tlsyn_capture_secret(struct tlsyn_link *link, const char *line)
{
    struct capture *c = capture_of(link);
    size_t len = strlen(line) + 1; /* with a newline in place of the zero */
    uint8_t *bytes;

    if (len > SECRET_MAX)
        return -EMSGSIZE;
    if (c->error)
        return c->error;
    block_begin(c, BLOCK_SECRETS);
    block_u32(c, SECRETS_TLS);
    block_u32(c, (uint32_t)len);
    bytes = block_span(c, len);
    memcpy(bytes, line, len);
    bytes[len - 1] = '\n';
    block_end(c);
    move_before_batch(c);
    return 0;
}

int tlsyn_capture_flush(struct tlsyn_link *link)
{
    struct capture *c = capture_of(link);

    capture_write_out(c);
    return c->error;
}
