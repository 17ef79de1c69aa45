/*
 * ip/mld.c: multicast listener discovery. See mld.h.
 */
#include "ip/mld.h"

#include "core/random.h"
#include "ip/address6.h"
#include "ip/icmp6.h"
#include "ip/ip.h"
#include "wire/mld.h"

/* The solicited-node groups of the interface's addresses, each once. */
static int groups_of(const struct tlsyn_iface *iface, struct tlsyn_addr group[IFACE_ADDRESSES])
{
    int count = 0;

    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *a = &iface->address[i];
        struct tlsyn_addr g = ip6_solicited_node(&a->addr);
        bool seen = tlsyn_addr_is_ip4(&a->addr) || a->state == TLSYN_ADDRESS_DUPLICATE;

        for (int k = 0; k < count && !seen; k++)
            seen = tlsyn_addr_eq(&group[k], &g);
        if (!seen)
            group[count++] = g;
    }
    return count;
}

/* RFC 3590 4: from the link-local address, or from none while that is tentative. */
static void send(struct tlsyn_iface *iface, const struct tlsyn_addr *dst, uint8_t *message, int len)
{
    const struct tlsyn_addr *src = iface_link_local(iface);
    struct icmp6_frame frame = {.dst = *dst, .hop_limit = 1, .router_alert = true};

    if (src)
        frame.src = *src;
    icmp6_send_frame(iface, &frame, message, (size_t)len);
}

static void report(struct tlsyn_iface *iface, uint8_t record, const struct tlsyn_addr *group,
                   int count)
{
    const struct tlsyn_addr routers = {.byte = {0xff, 2, [15] = 0x16}}; /* all that speak MLDv2 */
    uint8_t message[MLD2_REPORT_LEN + IFACE_ADDRESSES * MLD2_RECORD_LEN];

    send(iface, &routers, message,
         wire_mld_report_emit(record, group, count, message, sizeof(message)));
}

static void report1(struct tlsyn_iface *iface, bool done, const struct tlsyn_addr *group, int count)
{
    const struct tlsyn_addr routers = ip6_all_routers();
    uint8_t message[MLD1_LEN];

    for (int i = 0; i < count; i++) {
        int len = wire_mld1_emit(done ? ICMP6_MLD1_DONE : ICMP6_MLD1_REPORT, &group[i], message,
                                 sizeof(message));

        send(iface, done ? &routers : &group[i], message, len);
    }
}

static void tell(struct tlsyn_iface *iface, uint8_t record, const struct tlsyn_addr *group,
                 int count)
{
    if (count == 0 || iface->link->caps.point_to_point || iface->ip->cx->shared)
        return;
    if (iface->ip->cx->now < iface->ip6.mld.version1_until)
        report1(iface, record == MLD2_TO_INCLUDE, group, count);
    else
        report(iface, record, group, count);
}

/* A group joined is told of again as one of all that we listen to; one left has its
 * place until then. */
static void repeat_timer_fired(struct timer *timer)
{
    struct tlsyn_iface *iface = container_of(timer, struct tlsyn_iface, ip6.mld.repeat_timer);
    struct tlsyn_addr group[IFACE_ADDRESSES];

    tell(iface, MLD2_TO_EXCLUDE, group, groups_of(iface, group));
    tell(iface, MLD2_TO_INCLUDE, iface->ip6.mld.left, iface->ip6.mld.left_count);
    iface->ip6.mld.left_count = 0;
}

static void answer_timer_fired(struct timer *timer)
{
    struct tlsyn_iface *iface = container_of(timer, struct tlsyn_iface, ip6.mld.answer_timer);
    struct tlsyn_addr group[IFACE_ADDRESSES];

    tell(iface, MLD2_IS_EXCLUDE, group, groups_of(iface, group));
}

static void repeat_soon(struct tlsyn_iface *iface)
{
    struct context *cx = iface->ip->cx;

    timer_set(&cx->wheel, &iface->ip6.mld.repeat_timer,
              cx->now + random_below(cx->random, (uint32_t)MLD_REPEAT_MAX));
}

void mld_joined(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    struct tlsyn_addr group = ip6_solicited_node(addr);

    tell(iface, MLD2_TO_EXCLUDE, &group, 1);
    repeat_soon(iface);
}

void mld_left(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    struct mld *mld = &iface->ip6.mld;
    struct tlsyn_addr group = ip6_solicited_node(addr);

    if (address6_has_group(iface, &group)) /* of another address too */
        return;
    tell(iface, MLD2_TO_INCLUDE, &group, 1);
    if (mld->left_count < MLD_LEFT_MAX)
        mld->left[mld->left_count++] = group;
    repeat_soon(iface);
}

/* RFC 3810 6.2: a query that is not from a link-local address with hop limit 1 is
 * nobody's business. */
void mld_input(struct tlsyn_iface *iface, const struct ip_datagram *datagram)
{
    struct context *cx = iface->ip->cx;
    struct mld *mld = &iface->ip6.mld;
    struct wire_mld_query query;
    tlsyn_time due;

    if (wire_mld_query_parse(datagram->payload, datagram->len, &query) < 0 || datagram->ttl != 1 ||
        !ip6_is_link_local(&datagram->src)) {
        drop(cx, TLSYN_DROP_icmp_malformed);
        return;
    }
    if (query.version1)
        mld->version1_until = cx->now + MLD_VERSION1_TIME;
    if (!tlsyn_addr_unspecified(&query.group) && !address6_has_group(iface, &query.group))
        return;
    due = cx->now + (tlsyn_time)random_below(cx->random, query.max_delay_ms + 1) * 1000;
    if (!timer_is_set(&mld->answer_timer) || due < mld->answer_timer.deadline)
        timer_set(&cx->wheel, &mld->answer_timer, due);
}

void mld_init(struct tlsyn_iface *iface)
{
    timer_init(&iface->ip6.mld.repeat_timer, repeat_timer_fired);
    timer_init(&iface->ip6.mld.answer_timer, answer_timer_fired);
}

void mld_release(struct tlsyn_iface *iface)
{
    timer_clear(&iface->ip->cx->wheel, &iface->ip6.mld.repeat_timer);
    timer_clear(&iface->ip->cx->wheel, &iface->ip6.mld.answer_timer);
}
