/*
 * wire/dhcp.c: the DHCP message. Read first: RFC 2131 2, RFC 2132 2 and 9.
 */
#include "wire/dhcp.h"

#include <errno.h>

#include "wire/bytes.h"

#define HTYPE_ETHERNET 1
#define FLAG_BROADCAST 0x8000
#define MAGIC_COOKIE   0x63825363
#define SNAME_LEN      64
#define FILE_LEN       128

enum option {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_HOSTNAME = 12,
    OPTION_REQUESTED = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_MAX_SIZE = 57,
    OPTION_T1 = 58,
    OPTION_T2 = 59,
    OPTION_END = 255,
};

/* --- reading ---------------------------------------------------------------------------------- */

static struct tlsyn_addr get_addr(struct reader *r)
{
    uint8_t octets[4];

    get_bytes(r, octets, sizeof(octets));
    return tlsyn_addr_ip4(octets);
}

static void first_addr(struct reader *value, struct tlsyn_addr *addr)
{
    struct tlsyn_addr read = get_addr(value);

    if (tlsyn_addr_unspecified(addr))
        *addr = read;
}

static void first_number(struct reader *value, uint32_t *number)
{
    uint32_t read = get_u32(value);

    if (*number == 0)
        *number = read;
}

static void take_dns(struct reader *value, struct wire_dhcp *dhcp)
{
    while (value->left > 0 && dhcp->dns_count < DHCP_DNS_MAX)
        dhcp->dns[dhcp->dns_count++] = get_addr(value);
}

/* `overload` says which of the fixed fields hold options too. */
static void take_option(uint8_t kind, struct reader *value, struct wire_dhcp *dhcp,
                        uint8_t *overload)
{
    switch (kind) {
    case OPTION_TYPE:
        dhcp->type = dhcp->type ? dhcp->type : (enum dhcp_type)get_u8(value);
        break;
    case OPTION_OVERLOAD:
        *overload = get_u8(value) & 3;
        break;
    case OPTION_MASK:
        first_addr(value, &dhcp->mask);
        break;
    case OPTION_ROUTER: /* several, the best one first */
        first_addr(value, &dhcp->router);
        break;
    case OPTION_DNS:
        take_dns(value, dhcp);
        break;
    case OPTION_REQUESTED:
        first_addr(value, &dhcp->requested);
        break;
    case OPTION_SERVER:
        first_addr(value, &dhcp->server);
        break;
    case OPTION_LEASE:
        first_number(value, &dhcp->lease);
        break;
    case OPTION_T1:
        first_number(value, &dhcp->t1);
        break;
    case OPTION_T2:
        first_number(value, &dhcp->t2);
        break;
    default:
        break;
    }
}

static int take_options(struct reader r, struct wire_dhcp *dhcp, uint8_t *overload)
{
    while (r.left > 0) {
        uint8_t kind = get_u8(&r);

        if (kind == OPTION_PAD)
            continue;
        if (kind == OPTION_END)
            return 0;
        uint8_t len = get_u8(&r);
        struct reader value = reader_of(get_span(&r, len), len);
        if (r.overrun)
            return -EMSGSIZE;
        take_option(kind, &value, dhcp, overload);
        if (value.overrun)
            return -EBADMSG;
    }
    return 0;
}

int wire_dhcp_parse(const uint8_t *bytes, size_t len, struct wire_dhcp *dhcp)
{
    struct reader r = reader_of(bytes, len);
    uint8_t overload = 0, unused = 0;

    *dhcp = (struct wire_dhcp){.op = (enum dhcp_op)get_u8(&r)};
    uint16_t hardware = get_u16(&r); /* htype, hlen */
    get_skip(&r, 1);                 /* hops */
    dhcp->xid = get_u32(&r);
    dhcp->secs = get_u16(&r);
    dhcp->broadcast = get_u16(&r) & FLAG_BROADCAST;
    dhcp->ciaddr = get_addr(&r);
    dhcp->yiaddr = get_addr(&r);
    get_skip(&r, 8); /* siaddr, giaddr: the relays' affair */
    get_bytes(&r, dhcp->chaddr, sizeof(dhcp->chaddr));
    get_skip(&r, 16 - sizeof(dhcp->chaddr));
    const uint8_t *sname = get_span(&r, SNAME_LEN), *file = get_span(&r, FILE_LEN);
    uint32_t cookie = get_u32(&r);
    if (r.overrun)
        return -EMSGSIZE;
    if (cookie != MAGIC_COOKIE || hardware != (HTYPE_ETHERNET << 8 | sizeof(dhcp->chaddr)) ||
        (dhcp->op != DHCP_BOOTREQUEST && dhcp->op != DHCP_BOOTREPLY))
        return -EBADMSG;
    int error = take_options(r, dhcp, &overload);
    if (error == 0 && overload & 1)
        error = take_options(reader_of(file, FILE_LEN), dhcp, &unused);
    if (error == 0 && overload & 2)
        error = take_options(reader_of(sname, SNAME_LEN), dhcp, &unused);
    if (error == 0 && (dhcp->type < DHCP_DISCOVER || dhcp->type > DHCP_RELEASE))
        error = -EBADMSG;
    return error;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_addr(struct writer *w, const struct tlsyn_addr *addr)
{
    put_bytes(w, tlsyn_addr_octets(addr), 4);
}

static void put_head(struct writer *w, enum option kind, size_t len)
{
    put_u8(w, (uint8_t)kind);
    put_u8(w, (uint8_t)len);
}

static void put_addr_option(struct writer *w, enum option kind, const struct tlsyn_addr *addr)
{
    if (tlsyn_addr_unspecified(addr))
        return;
    put_head(w, kind, 4);
    put_addr(w, addr);
}

static void put_number_option(struct writer *w, enum option kind, uint32_t number)
{
    if (number == 0)
        return;
    put_head(w, kind, 4);
    put_u32(w, number);
}

/* RFC 2131 3.5: a client says what it wants to know, and how long a message it takes. */
static void put_wishes(struct writer *w)
{
    static const uint8_t wanted[] = {OPTION_MASK,  OPTION_ROUTER, OPTION_DNS,
                                     OPTION_LEASE, OPTION_T1,     OPTION_T2};

    put_head(w, OPTION_PARAMETERS, sizeof(wanted));
    put_bytes(w, wanted, sizeof(wanted));
    put_head(w, OPTION_MAX_SIZE, 2);
    put_u16(w, 1500);
}

static void put_options(struct writer *w, const struct wire_dhcp *dhcp)
{
    size_t name = strlen(dhcp->hostname);

    put_head(w, OPTION_TYPE, 1);
    put_u8(w, (uint8_t)dhcp->type);
    put_addr_option(w, OPTION_REQUESTED, &dhcp->requested);
    put_addr_option(w, OPTION_SERVER, &dhcp->server);
    put_addr_option(w, OPTION_MASK, &dhcp->mask);
    put_addr_option(w, OPTION_ROUTER, &dhcp->router);
    if (dhcp->dns_count > 0)
        put_head(w, OPTION_DNS, 4u * dhcp->dns_count);
    for (int i = 0; i < dhcp->dns_count; i++)
        put_addr(w, &dhcp->dns[i]);
    put_number_option(w, OPTION_LEASE, dhcp->lease);
    put_number_option(w, OPTION_T1, dhcp->t1);
    put_number_option(w, OPTION_T2, dhcp->t2);
    if (name > 0) {
        put_head(w, OPTION_HOSTNAME, name);
        put_bytes(w, (const uint8_t *)dhcp->hostname, name);
    }
    /* RFC 2131 table 5: MUST NOT in what asks for nothing. */
    if (dhcp->type == DHCP_DISCOVER || dhcp->type == DHCP_REQUEST)
        put_wishes(w);
    put_u8(w, OPTION_END);
}

int wire_dhcp_emit(const struct wire_dhcp *dhcp, uint8_t *bytes, size_t room)
{
    static const uint8_t zero[SNAME_LEN + FILE_LEN];
    struct writer w = writer_of(bytes, room);

    put_u8(&w, (uint8_t)dhcp->op);
    put_u16(&w, HTYPE_ETHERNET << 8 | sizeof(dhcp->chaddr));
    put_u8(&w, 0);
    put_u32(&w, dhcp->xid);
    put_u16(&w, dhcp->secs);
    put_u16(&w, dhcp->broadcast ? FLAG_BROADCAST : 0);
    put_addr(&w, &dhcp->ciaddr);
    put_addr(&w, &dhcp->yiaddr);
    put_bytes(&w, zero, 8);
    put_bytes(&w, dhcp->chaddr, sizeof(dhcp->chaddr));
    put_bytes(&w, zero, 16 - sizeof(dhcp->chaddr));
    put_bytes(&w, zero, SNAME_LEN + FILE_LEN);
    put_u32(&w, MAGIC_COOKIE);
    put_options(&w, dhcp);
    while (!w.overrun && room - w.room < DHCP_MESSAGE_MIN)
        put_u8(&w, OPTION_PAD);
    return w.overrun ? -ENOSPC : (int)(room - w.room);
}
