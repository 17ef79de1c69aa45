/*
 * host_address.c: where our address comes from: given, or by DHCP, or from a router's
 * advertisement. Read first: RFC 5227 2.1.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host_address.h"
#include "netif.h"
#include "say.h"

/* A host on the same wire answers a probe within a round trip of it; after this long a claim is
 * not an answer. */
#define PROBE_WAIT TLSYN_SECONDS(3)

/* How often we look whether the kernel still has the address that we share. */
#define SHARED_GLANCE TLSYN_SECONDS(2)

bool host_is_ip4(const struct host *host)
{
    return tlsyn_addr_is_ip4(&host->own.address);
}

bool host_awaits_address(const struct host *host)
{
    return host->options->source == HOST_DHCP || host->options->source == HOST_AUTO6;
}

/* --- what was asked for ----------------------------------------------------------------------- */

/* With a prefix length or without. */
static int parse_own_address(const struct cli_type *type, const char *text, void *into)
{
    struct host_options *options = into;
    struct cli_network network = {.prefix_len = 0};
    enum host_source source = strcmp(text, "auto6") == 0   ? HOST_AUTO6
                              : strcmp(text, "dhcp") == 0  ? HOST_DHCP
                              : strcmp(text, "host") == 0  ? HOST_OWN
                              : strcmp(text, "host6") == 0 ? HOST_OWN6
                                                           : HOST_GIVEN;
    int error = 0;

    (void)type;
    if (source == HOST_GIVEN)
        error = strchr(text, '/') ? cli_network.parse(&cli_network, text, &network)
                                  : cli_address.parse(&cli_address, text, &network.address);
    if (error < 0)
        return error;
    options->address = network;
    options->source = source;
    return 0;
}

const struct cli_type host_address_type = {.placeholder = "ADDRESS/PREFIX",
                                           .accepts = "an address such as 10.0.0.9/24 or "
                                                      "fd77::9/64, or host, host6, dhcp or auto6",
                                           .parse = parse_own_address};

static int say_address_is_missing(const struct cli_network *network, const char *interface)
{
    char text[CLI_ADDRESS_TEXT];

    if (network)
        say("--address is missing: an address that nobody has, this machine included, in the "
            "network of %s (%s/%d); or dhcp, to be given one",
            interface, cli_address_text(&network->address, text), network->prefix_len);
    else
        say("--address is missing: an address that nobody has, this machine included, such as "
            "10.0.0.9/24; or dhcp, to be given one");
    return CLI_USAGE;
}

/* --- the kernel's address, shared ------------------------------------------------------------- */

/* There is a kernel behind the link who has addresses, and lets us hear what comes to them. */
static bool may_share(const struct host *host)
{
    enum host_link kind = host->options->link.kind;

    return host->interface[0] && !host->options->alone &&
           (kind == HOST_AFPACKET || kind == HOST_PCAP);
}

static int share(struct host *host)
{
    const struct host_options *o = host->options;
    bool ip6 = o->source == HOST_OWN6 || o->peer_is_ip6;
    bool found = may_share(host) && netif_network(host->interface, !ip6, &host->own) == 0;

    if (!found && !ip6 && may_share(host))
        found = netif_network(host->interface, false, &host->own) == 0;
    if (found) {
        host->shared = true;
        return CLI_OK;
    }
    if (!may_share(host))
        say("--address host needs an interface that this machine has an address on, and --link "
            "afpacket or pcap");
    else
        say("this machine has no IPv%s address on %s for --address host", ip6 ? "6" : "4 or IPv6",
            host->interface);
    return CLI_USAGE;
}

/* Who names the interface's own address means to share it; that of another interface is of no use,
 * for what is sent to it does not come in here. */
static int check_owner(struct host *host)
{
    char owner[IF_NAMESIZE];
    char text[CLI_ADDRESS_TEXT];

    if (!host->interface[0] || !netif_owns(&host->own.address, owner))
        return CLI_OK;
    if (may_share(host) && strcmp(owner, host->interface) == 0) {
        host->shared = true;
        return CLI_OK;
    }
    say("address in use: %s belongs to this machine (%s), whose kernel would reset our "
        "connections; choose one that nobody has",
        cli_address_text(&host->own.address, text), owner);
    return CLI_FAILURE;
}

int host_choose_address(struct host *host)
{
    const struct host_options *o = host->options;
    struct cli_network network;
    bool ip4 =
        tlsyn_addr_is_ip4(&o->address.address) || tlsyn_addr_unspecified(&o->address.address);
    bool known = host->interface[0] && netif_network(host->interface, ip4, &network) == 0;
    char text[CLI_ADDRESS_TEXT];

    host->own = o->address;
    if (host_awaits_address(host) && !host->interface[0]) {
        say("a capture gives nobody an address; name the one that was ours in it with --address");
        return CLI_USAGE;
    }
    if (host_awaits_address(host))
        return CLI_OK;
    if (o->source != HOST_GIVEN)
        return share(host);
    if (tlsyn_addr_unspecified(&host->own.address) && known && may_share(host))
        return share(host);
    if (tlsyn_addr_unspecified(&host->own.address))
        return say_address_is_missing(known ? &network : NULL, host->interface);
    if (host->own.prefix_len == 0)
        host->own.prefix_len = (int)o->prefix;
    if (host->own.prefix_len == 0 && known &&
        netif_same_network(&host->own.address, &network.address, network.prefix_len))
        host->own.prefix_len = network.prefix_len;
    if (host->own.prefix_len == 0) {
        say("--address needs the length of its network's prefix, such as %s/%d",
            cli_address_text(&host->own.address, text), ip4 ? 24 : 64);
        return CLI_USAGE;
    }
    return check_owner(host);
}

/* Frames for us and for everybody; the filter keeps the machine's own traffic from being copied to
 * us. */
void host_pcap_filter(const struct host *host, char *filter, size_t size)
{
    char text[CLI_ADDRESS_TEXT];

    if (host->options->source == HOST_AUTO6)
        (void)snprintf(filter, size, "ip6");
    else if (host->options->source == HOST_DHCP)
        (void)snprintf(filter, size, "arp or ip");
    else if (host_is_ip4(host))
        (void)snprintf(filter, size, "arp or (ip and dst host %s)",
                       cli_address_text(&host->own.address, text));
    else
        (void)snprintf(filter, size, "ip6 and (dst host %s or dst net fe80::/10 or ip6 multicast)",
                       cli_address_text(&host->own.address, text));
}

/* --- DHCP ------------------------------------------------------------------------------------- */

static void on_lease(struct tlsyn_dhcp_handler *base, struct tlsyn_dhcp *dhcp,
                     const struct tlsyn_dhcp_lease *lease)
{
    struct host_lease *l = (struct host_lease *)base;

    (void)dhcp;
    l->lost = false;
    l->own = (struct cli_network){lease->address, lease->prefix_len};
}

static void on_lost(struct tlsyn_dhcp_handler *base, struct tlsyn_dhcp *dhcp)
{
    (void)dhcp;
    ((struct host_lease *)base)->lost = true;
}

static int start_dhcp(struct host *host)
{
    static const struct tlsyn_dhcp_events events = {.on_lease = on_lease, .on_lost = on_lost};
    static const struct tlsyn_dhcp_options options = {.hostname = "tlsyn"};

    host->lease.base.events = &events;
    return tlsyn_dhcp_start(host->stack, host->iface, &options, &host->lease.base,
                            &host->lease.dhcp);
}

/* --- given to the stack ----------------------------------------------------------------------- */

/* Before the address is ours: the stack doesn't ask about what it has. */
static void start_probe(struct host *host)
{
    if (host->options->link.kind == HOST_FILE)
        return;
    if (tlsyn_iface_probe(host->iface, &host->own.address) == 0)
        host->probe_ends = tlsyn_clock() + PROBE_WAIT;
}

/* A host that replays a capture asks nobody. */
int host_give_address(struct host *host)
{
    if (host->options->source == HOST_AUTO6)
        return tlsyn_iface_autoconf(host->iface, NULL);
    if (host->options->source == HOST_DHCP)
        return start_dhcp(host);
    if (host->options->link.kind == HOST_FILE)
        tlsyn_iface_dad(host->iface, 0);
    if (!host->shared)
        start_probe(host);
    return tlsyn_iface_address(host->iface, &host->own.address, host->own.prefix_len);
}

/* RFC 4861 8 has routers known by their link-local addresses, which are in no network of ours. */
static bool can_reach(const struct host *host, const struct tlsyn_addr *gateway)
{
    bool link_local = gateway->byte[0] == 0xfe && (gateway->byte[1] & 0xc0) == 0x80;

    return (link_local && !host_is_ip4(host)) ||
           netif_same_network(gateway, &host->own.address, host->own.prefix_len);
}

int host_choose_gateway(const struct host *host, struct tlsyn_addr *gateway)
{
    char text[CLI_ADDRESS_TEXT];

    *gateway = host->options->gateway;
    if (tlsyn_addr_unspecified(gateway)) {
        if (!host->interface[0] || netif_gateway(host->interface, host_is_ip4(host), gateway) < 0 ||
            !can_reach(host, gateway))
            *gateway = (struct tlsyn_addr){.byte = {0}};
        return CLI_OK;
    }
    if (can_reach(host, gateway))
        return CLI_OK;
    say("--gateway %s is not in the network of --address, so it can't be reached",
        cli_address_text(gateway, text));
    return CLI_USAGE;
}

int host_add_gateway(struct host *host)
{
    struct tlsyn_addr anywhere = {.byte = {0}}, gateway;
    char text[CLI_ADDRESS_TEXT];
    int status = host_choose_gateway(host, &gateway);

    if (status != CLI_OK || tlsyn_addr_unspecified(&gateway))
        return status;
    if (host_is_ip4(host))
        anywhere = tlsyn_addr_ip4((const uint8_t[4]){0, 0, 0, 0});
    if (tlsyn_route_add(host->stack, &anywhere, 0, &gateway) == 0)
        return CLI_OK;
    say("the gateway %s can't be used", cli_address_text(&gateway, text));
    return CLI_FAILURE;
}

/* --- from then on ----------------------------------------------------------------------------- */

enum tlsyn_address_state host_address_state(struct host *host)
{
    struct tlsyn_iface_address_info info[16];
    int n = tlsyn_iface_addresses(host->iface, info, 16);

    if (host->lease.dhcp) {
        host->own = host->lease.own;
        return tlsyn_addr_unspecified(&host->own.address) ? TLSYN_ADDRESS_TENTATIVE
                                                          : TLSYN_ADDRESS_PREFERRED;
    }
    if (!host_awaits_address(host))
        return tlsyn_iface_address_state(host->iface, &host->own.address);
    for (int i = 0; i < n; i++) {
        if (info[i].state != TLSYN_ADDRESS_PREFERRED || info[i].address.byte[0] == 0xfe)
            continue;
        host->own = (struct cli_network){info[i].address, info[i].prefix_len};
        return TLSYN_ADDRESS_PREFERRED;
    }
    return TLSYN_ADDRESS_TENTATIVE;
}

/* A lease may end, a network be left: then what comes to the address is not for us. */
static bool kernel_has_it(struct host *host)
{
    tlsyn_time now = tlsyn_clock();
    char name[IF_NAMESIZE];

    if (!host->shared || now < host->glance)
        return true;
    host->glance = now + SHARED_GLANCE;
    return netif_owns(&host->own.address, name);
}

/* Once nobody has objected, whoever still has an old entry for the address learns of us
 * (RFC 5227 2.3). */
int host_watch_address(struct host *host)
{
    if (host->lease.lost || !kernel_has_it(host))
        return -EADDRNOTAVAIL;
    if (host->probe_ends == 0)
        return 0;
    if (tlsyn_iface_conflict(host->iface))
        return -EADDRINUSE;
    if (tlsyn_clock() >= host->probe_ends) {
        host->probe_ends = 0;
        tlsyn_iface_announce(host->iface);
    }
    return 0;
}
