/* From a captured frame to a TCP segment; the capture is not trusted. Private to the ladder's
 * files. */
#ifndef TLSYN_REPORT_LADDER_FRAME_H
#define TLSYN_REPORT_LADDER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ladder_endpoint {
    int family; /* AF_INET or AF_INET6 */
    uint8_t address[16];
    uint16_t port;
};

struct ladder_segment {
    struct ladder_endpoint from, to;
    uint32_t seq, ack;
    uint8_t flags;
    const uint8_t *options, *text; /* into the frame */
    size_t options_length;
    size_t captured; /* bytes of text that are in the frame */
    uint32_t length; /* bytes of text that the IP header says there are */
};

/* Whether frames of this link type (DLT_*) are read. */
bool ladder_frame_knows(int link_type);

/* Parse a frame of n captured bytes of a libpcap link type (DLT_*). 0; -EINVAL: not a whole TCP
 * header over IP (fragments included). */
int ladder_frame_parse(int link_type, const uint8_t *bytes, size_t n,
                       struct ladder_segment *segment);

#endif
