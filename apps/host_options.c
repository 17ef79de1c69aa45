/*
 * host_options.c: the options that every subcommand with a host has.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "host_address.h"

/* afpacket, or with what it is to do without, or else than by default, behind a colon. */
static bool parse_afpacket(const char *text, struct host_link_choice *choice)
{
    *choice = (struct host_link_choice){.kind = HOST_AFPACKET};
    if (strcmp(text, "afpacket:ring") == 0)
        choice->afpacket.way = TLSYN_AFPACKET_RING;
    else if (strcmp(text, "afpacket:plain") == 0)
        choice->afpacket.no_vnet_hdr = true;
    else
        return strcmp(text, "afpacket") == 0;
    return true;
}

static int parse_link(const struct cli_type *type, const char *text, void *into)
{
    struct host_link_choice *choice = into;

    (void)type;
    if (parse_afpacket(text, choice))
        return 0;
    if (strcmp(text, "tap") == 0)
        *choice = (struct host_link_choice){.kind = HOST_TAP};
    else if (strncmp(text, "tap:", 4) == 0 && text[4] != '\0' && strlen(text + 4) < IF_NAMESIZE)
        *choice = (struct host_link_choice){.kind = HOST_TAP, .path = text + 4};
    else if (strcmp(text, "pcap") == 0)
        *choice = (struct host_link_choice){.kind = HOST_PCAP};
    else if (strncmp(text, "file:", 5) == 0 && text[5] != '\0')
        *choice = (struct host_link_choice){.kind = HOST_FILE, .path = text + 5};
    else
        return -EINVAL;
    return 0;
}

static const struct cli_type link_type = {
    .placeholder = "LINK",
    .accepts = "afpacket, afpacket:ring, afpacket:plain, tap, tap:NAME, pcap or file:CAPTURE",
    .parse = parse_link};

static int parse_interface(const struct cli_type *type, const char *text, void *into)
{
    (void)type;
    if (text[0] == '\0')
        return -EINVAL;
    *(const char **)into = text;
    return 0;
}

static const struct cli_type prefix_type = {.placeholder = "LENGTH",
                                            .accepts = "a prefix length from 1 to 128",
                                            .parse = cli_number_parse,
                                            .min = 1,
                                            .max = 128};
static const struct cli_type interface_type = {
    .placeholder = "NAME", .accepts = "the name of a network interface", .parse = parse_interface};

static const char *const controllers[] = {"cubic", "newreno", "bbr", NULL};
static const struct cli_type controller_type = {
    .placeholder = "NAME", .parse = cli_choice_parse, .choices = controllers};

const char *host_controller(const struct host_options *options)
{
    return controllers[options->congestion];
}

void host_options_init(struct host_options *options, const char *command,
                       struct cli_option table[HOST_OPTIONS])
{
    const struct cli_option filled[HOST_OPTIONS] = {
        {"link", 0, &link_type, &options->link,
         "how frames are sent and received: afpacket (default), afpacket:ring (received through "
         "memory shared with the kernel), afpacket:plain (without offload), tap or tap:NAME (an "
         "interface of its own, with this machine's kernel behind it), pcap, or file:CAPTURE to "
         "replay a capture file",
         NULL},
        {"interface", 'i', &interface_type, &options->interface,
         "network interface (default: that of the default route, or the only one)",
         "TLSYN_INTERFACE"},
        {"address", 'a', &host_address_type, options,
         "our own address, IPv4 or IPv6. host: this machine's, shared with its kernel, which "
         "leaves "
         "our ports to us; host6: the same, its IPv6 one; or one that nobody has; dhcp: one that "
         "the network lends; auto6: one in the IPv6 network that a router advertises (default: "
         "host)",
         "TLSYN_ADDRESS"},
        {"prefix", 0, &prefix_type, &options->prefix,
         "prefix length of its network, if --address has none (default: the interface's)",
         "TLSYN_PREFIX"},
        {"gateway", 0, &cli_address, &options->gateway,
         "router to other networks (default: the kernel's)", "TLSYN_GATEWAY"},
        {"capture", 0, &cli_file, &options->capture,
         "write every frame to FILE (pcapng), with the TLS secrets", NULL},
        {"trace", 0, &cli_file, &options->trace,
         "write what the stack does to FILE, one JSON object per line; - is stderr", NULL},
        {"congestion", 0, &controller_type, &options->congestion,
         "congestion control of TCP: cubic (default), newreno or bbr", NULL},
        {"timeout", 0, &cli_duration, &options->timeout,
         "longest wait for anything from the network (default: 30s)", NULL},
        {.name = NULL},
    };

    *options = (struct host_options){.command = command, .timeout = TLSYN_SECONDS(30)};
    memcpy(table, filled, sizeof(filled));
}

void host_options_peer(struct host_options *options, const char *name)
{
    struct in6_addr address;

    options->peer_is_ip6 = inet_pton(AF_INET6, name, &address) == 1;
}
