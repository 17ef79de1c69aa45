/*
 * support/seg.c: segments described, printed and compared.
 */
#include "support/seg.h"

#include <stdio.h>
#include <string.h>

#include "support/bulk.h"

size_t seg_len(const struct seg *seg)
{
    return seg->len || !seg->text ? seg->len : strlen(seg->text);
}

size_t seg_space(const struct seg *seg)
{
    return seg_len(seg) + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
}

void seg_text(const struct seg *seg, int64_t at, uint8_t *bytes)
{
    size_t len = seg_len(seg);

    if (seg->text) {
        memcpy(bytes, seg->text, len);
        return;
    }
    bulk_fill(bytes, len, (uint64_t)(at - 1));
}

void seg_print(const struct wire_tcp *segment, tcp_seq seq_from, tcp_seq ack_from, char *line,
               size_t room)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = {{TCP_SYN, "SYN "}, {TCP_FIN, "FIN "}, {TCP_RST, "RST "}, {TCP_ACK, "ACK "}};
    char flags[32] = "";

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (segment->flags & names[i].bit)
            strcat(flags, names[i].name);
    snprintf(line, room, "%sseq=%ld ack=%ld wnd=%u len=%u", flags,
             (long)seq_diff(segment->seq, seq_from),
             segment->flags & TCP_ACK ? (long)seq_diff(segment->ack, ack_from) : 0L, segment->wnd,
             segment->text_len);
}

static bool text_differs(const struct seg *expected, const struct wire_tcp *segment, int64_t at)
{
    uint8_t bytes[65536];

    if (segment->flags & TCP_SYN)
        at++;
    seg_text(expected, at, bytes);
    return memcmp(bytes, segment->text, segment->text_len) != 0;
}

const char *seg_differs(const struct seg *expected, const struct wire_tcp *segment,
                        tcp_seq seq_from, tcp_seq ack_from)
{
    const uint8_t compared = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK;
    int64_t seq = seq_diff(segment->seq, seq_from), ack = seq_diff(segment->ack, ack_from);

    if ((segment->flags & compared) != (expected->flags & compared))
        return "flags";
    if (expected->seq != SEG_ANY && expected->seq != seq)
        return "seq";
    if (expected->ack != SEG_ANY && expected->ack != ack)
        return "ack";
    if (expected->wnd != SEG_ANY && expected->wnd != segment->wnd)
        return "wnd";
    if (seg_len(expected) != segment->text_len)
        return "len";
    return segment->text_len && text_differs(expected, segment, seq) ? "text" : NULL;
}
