/*
 * host_explain.c: what went wrong, in a sentence that says what helps.
 */
#include <errno.h>
#include <string.h>

#include "host_address.h"
#include "netif.h"
#include "say.h"

int host_explain(const struct host *host, const struct tlsyn_endpoint *remote, int error)
{
    char address[CLI_ADDRESS_TEXT];
    char where[80];
    char wait[24];

    (void)snprintf(where, sizeof(where), remote->port ? "%s port %u" : "%s",
                   cli_address_text(&remote->addr, address), remote->port);
    switch (error) {
    case -EINTR:
        say("interrupted");
        return CLI_INTERRUPTED;
    case -EADDRINUSE:
        say("address in use: another machine on %s has %s already; choose a free one with "
            "--address",
            host->interface, cli_address_text(&host->own.address, address));
        break;
    case -EADDRNOTAVAIL:
        if (host->shared)
            say("%s is no address of this machine any more", address);
        else
            say("the DHCP server on %s took our address back", host->interface);
        break;
    case -ECONNREFUSED:
        say("%s refused the connection: nothing listens on that port", where);
        break;
    case -ETIMEDOUT:
        say("%s did not answer within %s; --timeout waits longer", where,
            say_duration(host->options->timeout, wait));
        break;
    case -EHOSTUNREACH:
        say("%s is unreachable: nothing on %s answers for it; is it up, and is the prefix length "
            "right?",
            where, host->interface);
        break;
    case -ENETUNREACH:
        say("%s is unreachable: it is in another network, and no router leads there; name one with "
            "--gateway",
            where);
        break;
    case -ECONNRESET:
        say("%s reset the connection", where);
        break;
    case -ENODATA:
        say("the capture %s ends here", host->options->link.path ? host->options->link.path : "");
        break;
    case -ENETDOWN:
    case -ENODEV:
    case -ENXIO:
        say("the network interface %s went down", host->interface);
        break;
    default:
        say("%s: %s", where, strerror(-error));
        break;
    }
    return CLI_FAILURE;
}

int host_check_remote(const struct host *host, const struct tlsyn_addr *remote)
{
    char name[IF_NAMESIZE];
    char text[CLI_ADDRESS_TEXT];

    if (tlsyn_addr_is_ip4(remote) != host_is_ip4(host)) {
        say("%s is an IPv%d address, and our own (--address) is one of IPv%d",
            cli_address_text(remote, text), host_is_ip4(host) ? 6 : 4, host_is_ip4(host) ? 4 : 6);
        return CLI_FAILURE;
    }
    if (host->interface[0] && netif_owns(remote, name)) {
        say("%s is an address of this machine: frames that leave by %s don't come back to it "
            "(tlsyn lab makes a network "
            "with two ends)",
            cli_address_text(remote, text), host->interface);
        return CLI_FAILURE;
    }
    if (tlsyn_addr_eq(remote, &host->own.address)) {
        say("%s is our own --address; there is nobody else to talk to",
            cli_address_text(remote, text));
        return CLI_FAILURE;
    }
    return CLI_OK;
}
