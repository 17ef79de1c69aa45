/*
 * host_link.c: the link that a host stands on: which interface, and how its frames are got.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host_address.h"
#include "host_link.h"
#include "netif.h"
#include "privilege.h"
#include "say.h"

/* --- the interface ---------------------------------------------------------------------------- */

static int take_only_interface(struct host *host)
{
    char names[512];
    int error = netif_choose(host->interface, names, sizeof(names));

    if (error == 0)
        return CLI_OK;
    if (error == -ENOTUNIQ) {
        say("which interface? Choose one with --interface: %s", names);
        return CLI_USAGE;
    }
    netif_list(names, sizeof(names));
    say("no network interface is up but the loopback; there are: %s", names);
    return CLI_FAILURE;
}

static int take_named_interface(struct host *host, const char *name)
{
    char names[512];
    int error = netif_check(name);

    (void)snprintf(host->interface, sizeof(host->interface), "%s", name);
    switch (error) {
    case 0:
        return CLI_OK;
    case -ENODEV:
        netif_list(names, sizeof(names));
        say("there is no network interface \"%s\"; there are: %s", name, names);
        break;
    case -ENETDOWN:
        say("the network interface %s is down; bring it up: sudo ip link set %s up", name, name);
        break;
    case -EPROTONOSUPPORT:
        say("the network interface %s carries no Ethernet frames; choose another with --interface",
            name);
        break;
    default:
        say("the network interface %s can't be examined: %s", name, strerror(-error));
        break;
    }
    return CLI_FAILURE;
}

int host_choose_interface(struct host *host)
{
    const char *name = host->options->interface;

    return name ? take_named_interface(host, name) : take_only_interface(host);
}

/* --- a capture -------------------------------------------------------------------------------- */

/* The Ethernet address under which a capture's host was ours: where the first datagram to
 * our address went. */
static int find_hwaddr(struct tlsyn_link *file, const struct tlsyn_addr *own, uint8_t hwaddr[6])
{
    bool ip4 = tlsyn_addr_is_ip4(own);
    size_t at = ip4 ? 30 : 38, size = ip4 ? 4 : 16; /* of the destination, in a frame */
    struct tlsyn_frame frame;
    int n = 0;

    while ((n = tlsyn_link_receive(file, &frame, 1, 0)) > 0) {
        const uint8_t *bytes = frame.iov[0].iov_base;

        if (frame.iov[0].iov_len < at + size ||
            memcmp(bytes + 12, ip4 ? "\x08\x00" : "\x86\xdd", 2) != 0 ||
            memcmp(bytes + at, own->byte + 16 - size, size) != 0)
            continue;
        memcpy(hwaddr, bytes, 6);
        return 0;
    }
    return n < 0 ? n : -ENODATA;
}

/* Reads the file twice: for our place in it, then for the stack. */
static int open_capture(struct host *host, const char *path, char message[TLSYN_PCAP_MESSAGE])
{
    char text[CLI_ADDRESS_TEXT];
    uint8_t hwaddr[6];
    int error = tlsyn_pcap_open_file(path, NULL, message, &host->link);

    if (error < 0)
        return error;
    error = find_hwaddr(host->link, &host->own.address, hwaddr);
    tlsyn_link_close(host->link);
    if (error < 0) {
        (void)snprintf(message, TLSYN_PCAP_MESSAGE,
                       "it holds nothing that was sent to --address %s",
                       cli_address_text(&host->own.address, text));
        return error;
    }
    error = tlsyn_pcap_open_file(path, NULL, message, &host->link);
    if (error == 0)
        memcpy(host->link->caps.hwaddr, hwaddr, sizeof(hwaddr));
    return error;
}

/* --- the link --------------------------------------------------------------------------------- */

static int open_chosen(struct host *host, char message[TLSYN_PCAP_MESSAGE])
{
    const struct host_link_choice *choice = &host->options->link;
    char filter[128];

    switch (choice->kind) {
    case HOST_TAP:
        return tlsyn_tap_open(choice->path, host->interface, &host->link);
    case HOST_PCAP:
        host_pcap_filter(host, filter, sizeof(filter));
        return tlsyn_pcap_open(host->interface, filter, message, &host->link);
    case HOST_FILE:
        return open_capture(host, choice->path, message);
    case HOST_AFPACKET:
    default:
        return tlsyn_afpacket_open(host->interface, &choice->afpacket, &host->link);
    }
}

int host_open_link(struct host *host)
{
    const struct host_link_choice *choice = &host->options->link;
    char message[TLSYN_PCAP_MESSAGE] = "";
    int error = open_chosen(host, message);

    if (error == 0) {
        if (host->shared && choice->kind == HOST_AFPACKET)
            guard_filter(&host->guard, tlsyn_link_fd(host->link));
        return CLI_OK;
    }
    host->link = NULL;
    if ((error == -EPERM || error == -EACCES) && choice->kind != HOST_FILE) {
        privilege_explain();
        return CLI_PERMISSION;
    }
    say("%s can't be used: %s",
        choice->kind == HOST_FILE ? choice->path
        : host->interface[0]      ? host->interface
                                  : "a TAP interface",
        message[0] ? message : strerror(-error));
    return CLI_FAILURE;
}
