/*
 * ip/address6.c: the IPv6 addresses of an interface. The states, their picture and times:
 * address6.h. Read first: RFC 4862 5.3 to 5.5, RFC 7217 5, 6.
 */
#include "ip/address6.h"

#include <errno.h>

#include "ip/autoconf.h"
#include "ip/ip.h"
#include "ip/mld.h"
#include "ip/ndp.h"

static struct context *context_of(const struct tlsyn_iface *iface)
{
    return iface->ip->cx;
}

/* --- states ----------------------------------------------------------------------------------- */

static void tell(struct tlsyn_iface *iface, const struct iface_address *a,
                 enum tlsyn_address_state state)
{
    struct tlsyn_address_handler *watch = iface->ip6.watch;
    struct tlsyn_addr addr = a->addr; /* the handler may change the table */

    TRACE(context_of(iface), address, 0, state);
    if (watch)
        watch->on_address(watch, iface, &addr, a->prefix_bits, state);
}

/* The only writer of `state` after the address was added. */
static void set_state(struct tlsyn_iface *iface, struct iface_address *a,
                      enum tlsyn_address_state state)
{
    if (a->state == state)
        return;
    a->state = (uint8_t)state;
    tell(iface, a, state);
}

/* What a tested address is now. */
static enum tlsyn_address_state state_by_time(const struct tlsyn_iface *iface,
                                              const struct iface_address *a)
{
    return a->preferred_until <= context_of(iface)->now ? TLSYN_ADDRESS_DEPRECATED
                                                        : TLSYN_ADDRESS_PREFERRED;
}

static tlsyn_time earlier(tlsyn_time a, tlsyn_time b)
{
    return a < b ? a : b;
}

static tlsyn_time next_of(const struct iface_address *a)
{
    tlsyn_time next = a->valid_until;

    if (a->state == TLSYN_ADDRESS_TENTATIVE)
        next = earlier(next, a->next_probe);
    if (a->state == TLSYN_ADDRESS_PREFERRED)
        next = earlier(next, a->preferred_until);
    return next;
}

static void arm(struct tlsyn_iface *iface)
{
    tlsyn_time next = TLSYN_NEVER;

    for (unsigned i = 0; i < iface->address_count; i++) {
        if (!tlsyn_addr_is_ip4(&iface->address[i].addr))
            next = earlier(next, next_of(&iface->address[i]));
    }
    timer_set(&context_of(iface)->wheel, &iface->ip6.address_timer, next);
}

/* --- duplicate address detection (RFC 4862 5.4) ----------------------------------------------- */

/* The next question, or the end of the questions. */
static void probe(struct tlsyn_iface *iface, struct iface_address *a)
{
    if (a->probes_left == iface->ip6.dad_transmits)
        mld_joined(iface, &a->addr);
    if (a->probes_left == 0) {
        set_state(iface, a, state_by_time(iface, a));
        return;
    }
    a->probes_left--;
    a->next_probe = context_of(iface)->now + iface->ip6.retrans_timer;
    ndp_probe(iface, &a->addr);
}

static void remove_address(struct tlsyn_iface *iface, unsigned i)
{
    struct iface_address gone = iface->address[i];

    iface->address[i] = iface->address[--iface->address_count];
    mld_left(iface, &gone.addr);
    gone.state = TLSYN_ADDRESS_NONE;
    tell(iface, &gone, TLSYN_ADDRESS_NONE);
}

/* RFC 4862 5.5.4 */
static void run_address(struct tlsyn_iface *iface, struct iface_address *a)
{
    tlsyn_time now = context_of(iface)->now;

    if (a->state == TLSYN_ADDRESS_TENTATIVE && a->next_probe <= now)
        probe(iface, a);
    if (a->state == TLSYN_ADDRESS_PREFERRED && a->preferred_until <= now)
        set_state(iface, a, TLSYN_ADDRESS_DEPRECATED);
}

static void address_timer_fired(struct timer *timer)
{
    struct tlsyn_iface *iface = container_of(timer, struct tlsyn_iface, ip6.address_timer);

    for (unsigned i = 0; i < iface->address_count;) {
        struct iface_address *a = &iface->address[i];

        if (tlsyn_addr_is_ip4(&a->addr)) {
            i++;
        } else if (a->valid_until <= context_of(iface)->now) {
            remove_address(iface, i);
        } else {
            run_address(iface, a);
            i++;
        }
    }
    arm(iface);
}

/* R4862-1 */
static void begin_tests(struct tlsyn_iface *iface, struct iface_address *a, tlsyn_time delay)
{
    a->state = TLSYN_ADDRESS_TENTATIVE;
    a->probes_left = iface->ip6.dad_transmits;
    a->next_probe = context_of(iface)->now + delay;
    tell(iface, a, TLSYN_ADDRESS_TENTATIVE);
    if (delay == 0 || a->probes_left == 0)
        probe(iface, a);
    arm(iface);
}

void address6_conflict(struct tlsyn_iface *iface, struct iface_address *a)
{
    count(context_of(iface), TLSYN_COUNT_ip6_dad_conflicts);
    if (a->state != TLSYN_ADDRESS_TENTATIVE) { /* RFC 4862 says nothing; the user shall know */
        iface->conflict = true;
        return;
    }
    set_state(iface, a, TLSYN_ADDRESS_DUPLICATE);
    mld_left(iface, &a->addr);
    if (a->made && a->made_count < ADDRESS6_MADE_MAX) {
        a->made_count++;
        autoconf_identifier(iface, a->made_count, &a->addr);
        begin_tests(iface, a, 0);
        return;
    }
    iface->conflict = true;
    arm(iface);
}

/* --- adding ----------------------------------------------------------------------------------- */

int address6_add(struct tlsyn_iface *iface, const struct address6 *add)
{
    struct iface_address *a = iface_address_slot(iface);

    if (!a)
        return -ENOBUFS;
    *a = (struct iface_address){
        .addr = add->addr,
        .prefix_bits = add->prefix_bits,
        .made = add->made,
        .learned = add->learned,
        .preferred_until = add->preferred_until,
        .valid_until = add->valid_until,
    };
    begin_tests(iface, a, add->delay);
    return 0;
}

int address6_enable(struct tlsyn_iface *iface)
{
    struct address6 link_local = {
        .addr = {.byte = {0xfe, 0x80}},
        .prefix_bits = ADDRESS6_LINK_LOCAL_BITS,
        .made = true,
        .preferred_until = TLSYN_NEVER,
        .valid_until = TLSYN_NEVER,
    };
    int error;

    if (iface->ip6.on)
        return 0;
    /* R8200-4 */
    if (iface->link->caps.mtu < IP6_MTU_MIN)
        return -EMSGSIZE;
    iface->ip6.on = true;
    if (context_of(iface)->shared)
        return 0;
    autoconf_identifier(iface, 0, &link_local.addr);
    error = address6_add(iface, &link_local);
    iface->ip6.on = error == 0;
    return error;
}

void address6_prolonged(struct tlsyn_iface *iface, struct iface_address *a)
{
    if (a->state == TLSYN_ADDRESS_PREFERRED || a->state == TLSYN_ADDRESS_DEPRECATED)
        set_state(iface, a, state_by_time(iface, a));
    arm(iface);
}

bool address6_has_group(const struct tlsyn_iface *iface, const struct tlsyn_addr *group)
{
    struct tlsyn_addr other = ip6_all_nodes();

    if (iface->ip6.on && tlsyn_addr_eq(group, &other))
        return true;
    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *a = &iface->address[i];

        other = ip6_solicited_node(&a->addr);
        if (!tlsyn_addr_is_ip4(&a->addr) && a->state != TLSYN_ADDRESS_DUPLICATE &&
            tlsyn_addr_eq(group, &other))
            return true;
    }
    return false;
}

/* --- what users ask --------------------------------------------------------------------------- */

void tlsyn_iface_watch(struct tlsyn_iface *iface, struct tlsyn_address_handler *handler)
{
    iface->ip6.watch = handler;
}

void tlsyn_iface_dad(struct tlsyn_iface *iface, int transmits)
{
    iface->ip6.dad_transmits = transmits < 0           ? 0
                               : transmits > UINT8_MAX ? UINT8_MAX
                                                       : (uint8_t)transmits;
}

void address6_init(struct tlsyn_iface *iface)
{
    struct context *cx = context_of(iface);
    bool sure = iface->link->caps.point_to_point || cx->shared;

    iface->ip6 = (struct iface6){.dad_transmits = sure ? 0 : 1,
                                 .retrans_timer = NEIGH_RETRANS_TIMER,
                                 .reachable_time = iface->ip->neigh.reachable_time};
    cx->random->fill(cx->random, &iface->ip6.secret, sizeof(iface->ip6.secret));
    timer_init(&iface->ip6.address_timer, address_timer_fired);
}

void address6_release(struct tlsyn_iface *iface)
{
    timer_clear(&context_of(iface)->wheel, &iface->ip6.address_timer);
}
