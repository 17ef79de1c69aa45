/*
 * fuzz_wire, tcp_options: the input is the options of a header. What is parsed keeps its bounds, is
 * emitted, and is parsed to the same again.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/tcp_options.h"

void fuzz_tcp_options(const uint8_t *data, size_t size)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    struct tcp_options o, back;
    int len, result;

    if (size > TCP_OPTIONS_MAX)
        return;
    result = tcp_options_parse(data, size, &o);
    must(result == 0 || result == -EBADMSG);
    if (result < 0)
        return;
    must(o.sack_count <= TCP_SACK_BLOCKS_MAX);
    must(o.cookie_len <= TCP_COOKIE_MAX && o.cookie_len % 2 == 0);
    must(o.has_fastopen || o.cookie_len == 0);
    len = tcp_options_emit(&o, bytes, sizeof(bytes));
    if (len == -ENOSPC) {
        /* Options that were packed more tightly than we pad them: only where there are long
         * ones. */
        must(o.sack_count > 0 || o.accecn_fields > 0);
        return;
    }
    must(len % 4 == 0);
    must(tcp_options_parse(bytes, (size_t)len, &back) == 0);
    must(memcmp(&o, &back, sizeof(o)) == 0);
    for (int room = 0; room < len; room++)
        must(tcp_options_emit(&o, bytes, (size_t)room) == -ENOSPC);
}
