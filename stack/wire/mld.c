/*
 * wire/mld.c: multicast listener discovery. Read first: RFC 3810 5 and 8.1, RFC 2710 3.
 */
#include "wire/mld.h"

#include <errno.h>

#include "wire/bytes.h"
#include "wire/ip6.h"

/* RFC 3810 5.1.3: a floating-point number from 32768 on. */
static uint32_t response_delay(uint16_t code)
{
    uint32_t mantissa = (code & 0xfffu) | 0x1000, exponent = code >> 12 & 7;

    return code < 0x8000 ? code : mantissa << (exponent + 3);
}

int wire_mld_query_parse(const uint8_t *bytes, size_t len, struct wire_mld_query *query)
{
    struct reader r = reader_of(bytes, len);
    uint8_t type = get_u8(&r);
    uint16_t code;

    get_skip(&r, 3); /* code, checksum */
    code = get_u16(&r);
    get_skip(&r, 2);
    get_bytes(&r, query->group.byte, sizeof(query->group.byte));
    if (r.overrun)
        return -EMSGSIZE;
    if (type != ICMP6_MLD_QUERY)
        return -EPROTONOSUPPORT;
    if (len != MLD1_LEN && len < MLD2_QUERY_LEN) /* RFC 3810 8.1 */
        return -EMSGSIZE;
    query->version1 = len == MLD1_LEN;
    query->max_delay_ms = query->version1 ? code : response_delay(code);
    return tlsyn_addr_unspecified(&query->group) || ip6_is_multicast(&query->group) ? 0 : -EBADMSG;
}

int wire_mld_report_emit(uint8_t record, const struct tlsyn_addr *group, int count, uint8_t *bytes,
                         size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_u8(&w, ICMP6_MLD2_REPORT);
    put_u8(&w, 0);
    put_u32(&w, 0); /* checksum, reserved */
    put_u16(&w, (uint16_t)count);
    for (int i = 0; i < count; i++) {
        put_u8(&w, record);
        put_u8(&w, 0);
        put_u16(&w, 0);
        put_bytes(&w, group[i].byte, sizeof(group[i].byte));
    }
    return w.overrun ? -ENOSPC : (int)(w.at - bytes);
}

int wire_mld1_emit(uint8_t type, const struct tlsyn_addr *group, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_u8(&w, type);
    put_u8(&w, 0);
    put_u16(&w, 0);
    put_u32(&w, 0);
    put_bytes(&w, group->byte, sizeof(group->byte));
    return w.overrun ? -ENOSPC : MLD1_LEN;
}
