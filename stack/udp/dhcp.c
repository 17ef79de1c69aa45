/*
 * udp/dhcp.c: the DHCP client. Read first: RFC 2131 3.1, 4.1, 4.4.
 *
 * Until it has an address the client speaks from 0.0.0.0 to everybody and asks to be answered the
 * same way (RFC 2131 4.1). The random wait before the first message (4.4.1) is left out: it is
 * for rooms of hosts that are switched on together, and would stand before every command of a
 * user at a terminal.
 */
#include "udp/dhcp.h"

#include <errno.h>

#include "core/random.h"

#define RETRANSMIT_FIRST  TLSYN_SECONDS(4) /* RFC 2131 4.1: doubled up to 64 s, each +- 1 s */
#define RETRANSMIT_SHIFTS 4
#define REQUESTS_MAX      4                 /* unanswered, then anew from SELECTING (4.4.2) */
#define CHECK_TIME        TLSYN_SECONDS(1)  /* three ARP probes and a little (ip/arp.h) */
#define DECLINE_WAIT      TLSYN_SECONDS(10) /* RFC 2131 3.1 (5) */
#define RENEW_WAIT_MIN    TLSYN_SECONDS(60) /* RFC 2131 4.4.5 */
#define LEASE_FOR_EVER    UINT32_MAX

static const struct tlsyn_addr any_ip4 = {.byte = {[10] = 0xff, [11] = 0xff}};
static const struct tlsyn_addr everybody = {
    .byte = {[10] = 0xff, [11] = 0xff, [12] = 0xff, [13] = 0xff, [14] = 0xff, [15] = 0xff}};

static tlsyn_time now_of(const struct tlsyn_dhcp *d)
{
    return d->udp->cx->now;
}

static void wait_until(struct tlsyn_dhcp *d, tlsyn_time when)
{
    timer_set(&d->udp->cx->wheel, &d->timer, when);
}

/* --- what is said ----------------------------------------------------------------------------- */

/* What every message has; ciaddr only where the client may answer for the address
 * (RFC 2131 table 5). */
static struct wire_dhcp message(const struct tlsyn_dhcp *d, enum dhcp_type type)
{
    tlsyn_time secs = (now_of(d) - d->began) / TLSYN_SECONDS(1);
    struct wire_dhcp m = {
        .op = DHCP_BOOTREQUEST,
        .type = type,
        .xid = d->xid,
        .secs = (uint16_t)(secs < UINT16_MAX ? secs : UINT16_MAX),
        .broadcast = !d->in_force,
        .ciaddr = d->in_force ? d->lease.address : any_ip4,
        .yiaddr = any_ip4,
    };

    memcpy(m.chaddr, tlsyn_iface_link(d->iface)->caps.hwaddr, sizeof(m.chaddr));
    memcpy(m.hostname, d->hostname, sizeof(m.hostname));
    return m;
}

/* What does not get out is said again: the timer runs. */
static void say(struct tlsyn_dhcp *d, const struct wire_dhcp *m, const struct tlsyn_addr *to)
{
    const struct tlsyn_endpoint server = {.addr = *to, .port = DHCP_SERVER_PORT};
    uint8_t bytes[DHCP_MESSAGE_MAX];
    int len = wire_dhcp_emit(m, bytes, sizeof(bytes));

    if (len > 0)
        tlsyn_udp_send(d->endpoint, &server, bytes, (size_t)len);
}

/* RFC 2131 4.1: randomized exponential backoff. */
static tlsyn_time backoff(struct tlsyn_dhcp *d)
{
    int shift = d->attempts < RETRANSMIT_SHIFTS ? d->attempts : RETRANSMIT_SHIFTS;
    uint32_t jitter = random_below(d->udp->cx->random, 2000001);

    if (d->attempts < UINT8_MAX)
        d->attempts++;
    return (RETRANSMIT_FIRST << shift) - TLSYN_SECONDS(1) + jitter;
}

static void discover(struct tlsyn_dhcp *d)
{
    struct wire_dhcp m = message(d, DHCP_DISCOVER);

    m.requested = d->requested;
    say(d, &m, &everybody);
    wait_until(d, now_of(d) + backoff(d));
}

/* RFC 2131 4.3.2: in REQUESTING the message names the address and the server that it takes up. */
static void request(struct tlsyn_dhcp *d)
{
    struct wire_dhcp m = message(d, DHCP_REQUEST);

    m.requested = d->lease.address;
    m.server = d->lease.server;
    say(d, &m, &everybody);
    wait_until(d, now_of(d) + backoff(d));
}

/* RFC 2131 4.4.5: half of what is left until the next change of state, a minute at least. */
static void renew(struct tlsyn_dhcp *d, tlsyn_time until)
{
    struct wire_dhcp m = message(d, DHCP_REQUEST);
    tlsyn_time wait = (until - now_of(d)) / 2;
    tlsyn_time next = now_of(d) + (wait > RENEW_WAIT_MIN ? wait : RENEW_WAIT_MIN);

    say(d, &m, d->state == DHCP_RENEWING ? &d->lease.server : &everybody);
    wait_until(d, next < until ? next : until);
}

/* --- from state to state ---------------------------------------------------------------------- */

static void enter(struct tlsyn_dhcp *d, enum dhcp_state state)
{
    d->state = state;
    d->attempts = 0;
}

static void begin(struct tlsyn_dhcp *d)
{
    uint8_t bytes[sizeof(d->xid)];

    d->udp->cx->random->fill(d->udp->cx->random, bytes, sizeof(bytes));
    memcpy(&d->xid, bytes, sizeof(bytes));
    d->began = now_of(d);
    enter(d, DHCP_SELECTING);
}

/* The address goes; then the user hears of it, who may stop the client: nothing follows. */
static void lose(struct tlsyn_dhcp *d)
{
    bool told = d->in_force;

    if (d->in_force)
        tlsyn_iface_address_remove(d->iface, &d->lease.address);
    d->in_force = false;
    begin(d);
    discover(d);
    if (told && d->handler->events->on_lost)
        d->handler->events->on_lost(d->handler, d);
}

static void set_times(struct tlsyn_dhcp *d, const struct wire_dhcp *ack)
{
    uint32_t lease = ack->lease, t1 = ack->t1, t2 = ack->t2;

    if (t2 == 0 || t2 >= lease)
        t2 = (uint32_t)((uint64_t)lease * 7 / 8); /* RFC 2131 4.4.5 */
    if (t1 == 0 || t1 >= t2)
        t1 = lease / 2 < t2 ? lease / 2 : t2;
    d->lease.expires = d->t1 = d->t2 = TLSYN_NEVER;
    if (lease == LEASE_FOR_EVER)
        return;
    /* RFC 2131 4.4.1: from when the request left, which is surely not later than the
     * server reckons. */
    d->lease.expires = d->began + TLSYN_SECONDS(lease);
    d->t1 = d->began + TLSYN_SECONDS(t1);
    d->t2 = d->began + TLSYN_SECONDS(t2);
}

static void bind_address(struct tlsyn_dhcp *d)
{
    const struct tlsyn_dhcp_lease *lease = &d->lease;

    if (tlsyn_iface_address(d->iface, &lease->address, lease->prefix_len) < 0) {
        lose(d);
        return;
    }
    /* A router that is in no network of ours is of no use, and no reason to do without the
     * address. */
    if (!tlsyn_addr_unspecified(&lease->router))
        ip_route_add(d->udp->ip, &any_ip4, 0, &lease->router);
    tlsyn_iface_announce(d->iface);
    d->in_force = true;
    enter(d, DHCP_BOUND);
    wait_until(d, d->t1);
    if (d->handler->events->on_lease)
        d->handler->events->on_lease(d->handler, d, lease);
}

/* RFC 2131 4.4.1 and 3.1 (5): somebody has it already. */
static void decline(struct tlsyn_dhcp *d)
{
    struct wire_dhcp m = message(d, DHCP_DECLINE);

    m.requested = d->lease.address;
    m.server = d->lease.server;
    say(d, &m, &everybody);
    begin(d);
    d->requested = any_ip4;
    wait_until(d, now_of(d) + DECLINE_WAIT);
}

static void fire(struct timer *timer)
{
    struct tlsyn_dhcp *d = container_of(timer, struct tlsyn_dhcp, timer);
    tlsyn_time now = now_of(d);

    if (d->in_force && now >= d->lease.expires) {
        lose(d);
        return;
    }
    if (d->state == DHCP_BOUND) { /* T1 */
        enter(d, DHCP_RENEWING);
        d->began = now;
    }
    if (d->state == DHCP_RENEWING && now >= d->t2)
        enter(d, DHCP_REBINDING);
    switch (d->state) {
    case DHCP_SELECTING:
        discover(d);
        break;
    case DHCP_REQUESTING:
        if (d->attempts < REQUESTS_MAX)
            request(d);
        else
            lose(d);
        break;
    case DHCP_CHECKING:
        if (tlsyn_iface_conflict(d->iface))
            decline(d);
        else
            bind_address(d);
        break;
    default:
        renew(d, d->state == DHCP_RENEWING ? d->t2 : d->lease.expires);
        break;
    }
}

/* --- what is heard ---------------------------------------------------------------------------- */

/* The mask's length; -EBADMSG: it has holes. Without a mask that of the old classes is all
 * there is (RFC 950). */
static int prefix_of(const struct wire_dhcp *m)
{
    const uint8_t *address = tlsyn_addr_octets(&m->yiaddr);
    const uint8_t *o = tlsyn_addr_octets(&m->mask);
    int len = 0;

    if (tlsyn_addr_unspecified(&m->mask))
        return address[0] < 128 ? 8 : address[0] < 192 ? 16 : 24;
    uint32_t mask = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
    while (mask & 0x80000000) {
        mask <<= 1;
        len++;
    }
    return mask == 0 ? len : -EBADMSG;
}

/* True if it lends something that can be used; d->lease then says what. */
static bool take_terms(struct tlsyn_dhcp *d, const struct wire_dhcp *m)
{
    int prefix_len = prefix_of(m);

    if (prefix_len < 0 || tlsyn_addr_unspecified(&m->yiaddr) || tlsyn_addr_unspecified(&m->server))
        return false;
    d->lease.address = m->yiaddr;
    d->lease.prefix_len = prefix_len;
    d->lease.router = m->router;
    d->lease.server = m->server;
    d->lease.dns_count = m->dns_count;
    memcpy(d->lease.dns, m->dns, sizeof(d->lease.dns));
    return true;
}

static void offered(struct tlsyn_dhcp *d, const struct wire_dhcp *m)
{
    if (d->state != DHCP_SELECTING || d->attempts == 0 || !take_terms(d, m))
        return;
    enter(d, DHCP_REQUESTING);
    d->began = now_of(d);
    request(d);
}

static void check(struct tlsyn_dhcp *d)
{
    if (tlsyn_iface_probe(d->iface, &d->lease.address) < 0) {
        lose(d);
        return;
    }
    enter(d, DHCP_CHECKING);
    wait_until(d, now_of(d) + CHECK_TIME);
}

static void acknowledged(struct tlsyn_dhcp *d, const struct wire_dhcp *m)
{
    if (m->lease == 0 || !tlsyn_addr_eq(&m->yiaddr, &d->lease.address))
        return;
    if (d->state == DHCP_REQUESTING && tlsyn_addr_eq(&m->server, &d->lease.server) &&
        take_terms(d, m)) {
        set_times(d, m);
        check(d);
    } else if (d->state == DHCP_RENEWING || d->state == DHCP_REBINDING) {
        d->lease.server = tlsyn_addr_unspecified(&m->server) ? d->lease.server : m->server;
        set_times(d, m);
        enter(d, DHCP_BOUND);
        wait_until(d, d->t1);
    }
}

static void refused(struct tlsyn_dhcp *d, const struct wire_dhcp *m)
{
    bool asked = d->state == DHCP_REQUESTING || d->state == DHCP_RENEWING;

    if (d->state == DHCP_REBINDING || (asked && tlsyn_addr_eq(&m->server, &d->lease.server))) {
        d->requested = any_ip4;
        lose(d);
    }
}

static void on_datagram(struct tlsyn_udp_handler *base, struct tlsyn_udp *udp,
                        const struct tlsyn_udp_datagram *datagram)
{
    struct tlsyn_dhcp *d = container_of(base, struct tlsyn_dhcp, base);
    const uint8_t *own = tlsyn_iface_link(d->iface)->caps.hwaddr;
    struct wire_dhcp m;

    (void)udp;
    if (datagram->from.port != DHCP_SERVER_PORT ||
        wire_dhcp_parse(datagram->bytes, datagram->len, &m) < 0 || m.op != DHCP_BOOTREPLY ||
        m.xid != d->xid || memcmp(m.chaddr, own, sizeof(m.chaddr)) != 0)
        return;
    if (m.type == DHCP_OFFER)
        offered(d, &m);
    else if (m.type == DHCP_ACK)
        acknowledged(d, &m);
    else if (m.type == DHCP_NAK)
        refused(d, &m);
}

/* --- life ------------------------------------------------------------------------------------- */

static const struct tlsyn_udp_events events = {.on_datagram = on_datagram};

static int open_endpoint(struct tlsyn_dhcp *d)
{
    const struct tlsyn_udp_options options = {
        .local = {.addr = any_ip4, .port = DHCP_CLIENT_PORT},
        .broadcast = true,
    };

    d->base.events = &events;
    return udp_open(d->udp, &options, &d->base, &d->endpoint);
}

int dhcp_start(struct udp *udp, struct tlsyn_iface *iface, const struct tlsyn_dhcp_options *options,
               struct tlsyn_dhcp_handler *handler, struct tlsyn_dhcp **dhcp)
{
    size_t name = options->hostname ? strlen(options->hostname) : 0;

    if (name > DHCP_HOSTNAME_MAX)
        return -EINVAL;
    struct tlsyn_dhcp *d = context_alloc(udp->cx, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->udp = udp;
    d->iface = iface;
    d->handler = handler;
    d->requested = options->requested;
    memcpy(d->hostname, options->hostname ? options->hostname : "", name);
    timer_init(&d->timer, fire);
    int error = open_endpoint(d);
    if (error < 0) {
        context_free(udp->cx, d);
        return error;
    }
    begin(d);
    wait_until(d,
               now_of(d)); /* discover() needs the timers' turn: the stack may be inside no call */
    *dhcp = d;
    return 0;
}

void tlsyn_dhcp_stop(struct tlsyn_dhcp *d)
{
    if (!d)
        return;
    if (d->in_force) {
        struct wire_dhcp m = message(d, DHCP_RELEASE);

        m.server = d->lease.server;
        say(d, &m, &d->lease.server);
        tlsyn_iface_address_remove(d->iface, &d->lease.address);
    }
    timer_clear(&d->udp->cx->wheel, &d->timer);
    tlsyn_udp_close(d->endpoint);
    context_free(d->udp->cx, d);
}
