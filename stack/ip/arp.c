/*
 * ip/arp.c: ARP: requests and answers (RFC 826), and the conflict detection of RFC 5227.
 *
 * What a packet may do to the cache, so that nobody poisons it with packets that we did not ask
 * for:
 *   - a request for an address of ours may make an entry: the sender is about to talk to us;
 *   - a reply that was sent to us changes an entry that we asked for, to REACHABLE;
 *   - anything else changes an entry that exists, to STALE: it is probed soon after its next use.
 * And only about hosts of a network on this interface.
 */
#include "ip/arp.h"

#include <errno.h>

#include "ip/ip.h"
#include "ip/ip4.h"
#include "ip/ndp.h"
#include "wire/arp.h"

/* --- out -------------------------------------------------------------------------------------- */

static void arp_send(struct tlsyn_iface *iface, const uint8_t *ether_dst,
                     const struct wire_arp *arp)
{
    struct wire_ether ether = {.type = ETHER_TYPE_ARP};
    uint8_t frame[ETHER_HEADER_LEN + ARP_LEN];

    memcpy(ether.dst, ether_dst, ETHER_ADDR_LEN);
    memcpy(ether.src, iface->link->caps.hwaddr, ETHER_ADDR_LEN);
    wire_ether_emit(&ether, frame, ETHER_HEADER_LEN);
    wire_arp_emit(arp, frame + ETHER_HEADER_LEN, ARP_LEN);
    if (outbox_reply(iface->ip, iface, frame, sizeof(frame)) == 0)
        count(iface->ip->cx, TLSYN_COUNT_arp_out);
}

/* A request to everybody, or to `hwaddr`. A sender of zero makes it a probe, our address as target
 * an announcement. */
static void arp_send_request(struct tlsyn_iface *iface, const struct tlsyn_addr *sender,
                             const struct tlsyn_addr *target, const uint8_t *hwaddr)
{
    static const uint8_t everybody[ETHER_ADDR_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct wire_arp arp = {.op = ARP_REQUEST, .sender = *sender, .target = *target};

    memcpy(arp.sender_hw, iface->link->caps.hwaddr, ETHER_ADDR_LEN);
    arp_send(iface, hwaddr ? hwaddr : everybody, &arp);
}

void arp_request(struct tlsyn_iface *iface, const struct tlsyn_addr *target, const uint8_t *hwaddr)
{
    const struct tlsyn_addr *src = iface_address_for(iface, target);

    if (src)
        arp_send_request(iface, src, target, hwaddr);
}

static void arp_reply(struct tlsyn_iface *iface, const struct wire_arp *request)
{
    struct wire_arp arp = {.op = ARP_REPLY, .sender = request->target, .target = request->sender};

    memcpy(arp.sender_hw, iface->link->caps.hwaddr, ETHER_ADDR_LEN);
    memcpy(arp.target_hw, request->sender_hw, ETHER_ADDR_LEN);
    arp_send(iface, request->sender_hw, &arp);
}

/* RFC 5227 2.3: a request whose sender and target are the address announced. */
static void arp_announce(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    arp_send_request(iface, addr, addr, NULL);
}

/* --- our addresses: probes and announcements (RFC 5227 2.1, 2.3) ------------------------------ */

static void announce_all(struct tlsyn_iface *iface)
{
    struct context *cx = iface->ip->cx;

    for (unsigned i = 0; i < iface->address_count; i++) {
        const struct iface_address *a = &iface->address[i];

        if (tlsyn_addr_is_ip4(&a->addr))
            arp_announce(iface, &a->addr);
        else if (iface_address_usable(a))
            ndp_announce(iface, &a->addr);
    }
    if (--iface->announcements_left > 0)
        timer_set(&cx->wheel, &iface->announce_timer, cx->now + ARP_ANNOUNCE_INTERVAL);
}

static void announce_timer_fired(struct timer *timer)
{
    announce_all(container_of(timer, struct tlsyn_iface, announce_timer));
}

void tlsyn_iface_announce(struct tlsyn_iface *iface)
{
    if (iface->link->caps.point_to_point || iface->ip->cx->shared)
        return;
    iface->announcements_left = ARP_ANNOUNCE_NUM;
    announce_all(iface);
}

static void probe_once(struct tlsyn_iface *iface)
{
    const struct tlsyn_addr nobody = tlsyn_addr_ip4((const uint8_t[4]){0});
    struct context *cx = iface->ip->cx;

    arp_send_request(iface, &nobody, &iface->probed, NULL);
    if (--iface->probes_left > 0)
        timer_set(&cx->wheel, &iface->probe_timer, cx->now + ARP_PROBE_INTERVAL);
}

static void probe_timer_fired(struct timer *timer)
{
    probe_once(container_of(timer, struct tlsyn_iface, probe_timer));
}

int tlsyn_iface_probe(struct tlsyn_iface *iface, const struct tlsyn_addr *address)
{
    if (!tlsyn_addr_is_ip4(address))
        return -EAFNOSUPPORT;
    if (iface->link->caps.point_to_point)
        return -EOPNOTSUPP;
    if (!ip4_is_host(tlsyn_addr_octets(address)))
        return -EINVAL;
    if (ip_is_ours(iface->ip, address))
        return -EADDRINUSE;
    iface->probed = *address;
    iface->probe_conflict = false;
    iface->probes_left = ARP_PROBE_NUM;
    probe_once(iface);
    return 0;
}

bool tlsyn_iface_conflict(const struct tlsyn_iface *iface)
{
    return iface->conflict || iface->probe_conflict;
}

void arp_init(struct tlsyn_iface *iface)
{
    timer_init(&iface->probe_timer, probe_timer_fired);
    timer_init(&iface->announce_timer, announce_timer_fired);
}

void arp_release(struct tlsyn_iface *iface)
{
    timer_clear(&iface->ip->cx->wheel, &iface->probe_timer);
    timer_clear(&iface->ip->cx->wheel, &iface->announce_timer);
}

/* --- in --------------------------------------------------------------------------------------- */

/* RFC 5227 2.4 (b): tell everybody once, and not again for DEFEND_INTERVAL, so that two hosts that
 * both insist do not fill the network with it. */
static void defend(struct tlsyn_iface *iface, const struct tlsyn_addr *addr)
{
    tlsyn_time now = iface->ip->cx->now;

    iface->conflict = true;
    count(iface->ip->cx, TLSYN_COUNT_arp_conflicts);
    if (iface->has_defended && now - iface->defended < ARP_DEFEND_INTERVAL)
        return;
    iface->has_defended = true;
    iface->defended = now;
    arp_announce(iface, addr);
}

/* True if the sender uses an address of ours. Sees, too, whether it has or wants the one that we
 * probe for (RFC 5227 2.1.1). */
static bool is_conflict(struct tlsyn_iface *iface, const struct wire_arp *arp)
{
    if (iface_has_address(iface, &arp->sender)) {
        if (!iface->ip->cx->shared)
            defend(iface, &arp->sender);
        return true;
    }
    if (tlsyn_addr_unspecified(&iface->probed) || iface->probe_conflict)
        return false;
    if (tlsyn_addr_eq(&iface->probed, &arp->sender) ||
        (arp->op == ARP_REQUEST && tlsyn_addr_unspecified(&arp->sender) &&
         tlsyn_addr_eq(&iface->probed, &arp->target))) {
        iface->probe_conflict = true;
        count(iface->ip->cx, TLSYN_COUNT_arp_conflicts);
    }
    return false;
}

/* What a sender can be: a host's Ethernet address, and a host's IP address or, in a probe, none. */
static bool is_plausible(const struct wire_arp *arp)
{
    bool is_probe = arp->op == ARP_REQUEST && tlsyn_addr_unspecified(&arp->sender);

    return iface_is_host_hwaddr(arp->sender_hw) &&
           (is_probe || ip4_is_host(tlsyn_addr_octets(&arp->sender)));
}

static enum neigh_evidence evidence_of(const struct wire_arp *arp, bool for_us)
{
    if (!for_us)
        return NEIGH_CLAIMED;
    return arp->op == ARP_REQUEST ? NEIGH_ASKED_US : NEIGH_ANSWERED;
}

void arp_input(struct tlsyn_iface *iface, const uint8_t *bytes, size_t len)
{
    struct context *cx = iface->ip->cx;
    struct wire_arp arp;
    bool for_us;

    count(cx, TLSYN_COUNT_arp_in);
    if (wire_arp_parse(bytes, len, &arp) < 0 || !is_plausible(&arp)) {
        drop(cx, TLSYN_DROP_arp_malformed);
        return;
    }
    if (memcmp(arp.sender_hw, iface->link->caps.hwaddr, ETHER_ADDR_LEN) == 0)
        return; /* our own, come back */
    if (is_conflict(iface, &arp))
        return;
    for_us = iface_has_address(iface, &arp.target);
    if (iface_is_on_link(iface, &arp.sender) && !iface_is_broadcast(iface, &arp.sender))
        neigh_learn(&iface->ip->neigh, iface, &arp.sender, arp.sender_hw,
                    evidence_of(&arp, for_us));
    if (for_us && arp.op == ARP_REQUEST && !cx->shared)
        arp_reply(iface, &arp);
}
