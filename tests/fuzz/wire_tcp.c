/*
 * fuzz_wire, tcp: the input is a segment. What is parsed lies inside, is emitted, and is parsed to
 * the same again.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/tcp.h"

static void compare(const struct wire_tcp *a, const struct wire_tcp *b)
{
    must(a->src_port == b->src_port && a->dst_port == b->dst_port);
    must(a->seq == b->seq && a->ack == b->ack);
    must(a->flags == b->flags && a->wnd == b->wnd && a->urg == b->urg);
    must(memcmp(&a->options, &b->options, sizeof(a->options)) == 0);
}

void fuzz_tcp(const uint8_t *data, size_t size)
{
    uint8_t bytes[TCP_HEADER_MAX];
    struct wire_tcp tcp, back;
    int len;

    if (wire_tcp_parse(data, size, &tcp) < 0)
        return;
    must(inside(tcp.text, tcp.text_len, data, size));
    len = wire_tcp_emit(&tcp, bytes, sizeof(bytes));
    if (len == -ENOSPC) {
        /* Options that were packed more tightly than we pad them: only where there are long
         * ones. */
        must(tcp.options.sack_count > 0 || tcp.options.accecn_fields > 0);
        return;
    }
    must(len >= TCP_HEADER_LEN && len % 4 == 0);
    must(wire_tcp_parse(bytes, (size_t)len, &back) == 0);
    must(back.text_len == 0);
    compare(&tcp, &back);
}
