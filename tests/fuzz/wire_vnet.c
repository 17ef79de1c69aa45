/*
 * fuzz_wire, vnet: the input is a virtio_net_hdr and the frame behind it. Whatever it says, what
 * was taken points into the frame, and a frame that may be transmitted again gets a header that
 * says the same.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/vnet.h"

static void compare(const struct tlsyn_frame *a, const struct tlsyn_frame *b)
{
    must(a->flags == b->flags);
    must(a->gso_type == b->gso_type && a->gso_size == b->gso_size && a->hdr_len == b->hdr_len);
    must(a->csum_start == b->csum_start && a->csum_offset == b->csum_offset);
}

void fuzz_vnet(const uint8_t *data, size_t size)
{
    uint8_t header[VNET_HEADER_LEN];
    struct tlsyn_frame frame, back;
    size_t len;

    if (size < VNET_HEADER_LEN)
        return;
    len = size - VNET_HEADER_LEN;
    frame = (struct tlsyn_frame){.iovcnt = 1};
    frame.iov[0].iov_base = malloc(len ? len : 1); /* a frame of its own, for the sanitizer */
    frame.iov[0].iov_len = len;
    memcpy(frame.iov[0].iov_base, data + VNET_HEADER_LEN, len);
    back = frame;
    if (vnet_parse(data, &frame) == 0) {
        bool partial = frame.flags & TLSYN_FRAME_CSUM_PARTIAL;

        must(!partial || (size_t)frame.csum_start + frame.csum_offset + 2 <= len);
        must(frame.hdr_len <= len);
        must((frame.gso_type == TLSYN_GSO_NONE) == (frame.gso_size == 0));
        if (frame.gso_type != TLSYN_GSO_NONE && !partial) {
            must(vnet_emit(&frame, header) == -EINVAL);
        } else {
            frame.flags &= partial ? 0xff : (uint8_t)~TLSYN_FRAME_CSUM_VERIFIED;
            must(vnet_emit(&frame, header) == 0);
            must(vnet_parse(header, &back) == 0);
            compare(&frame, &back);
        }
    }
    free(frame.iov[0].iov_base);
}
