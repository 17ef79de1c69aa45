/*
 * host_claim.c: an address of our own is one command's. Read first: unix(7), "abstract".
 *
 * The probe for an address (RFC 5227 2.1.1) does not come back to the interface that it left by, so
 * it finds no second command there. A name does that: an abstract socket address belongs to the
 * network namespace, as the interface does, and goes with the process, however that ends. A TAP
 * interface that is yet to be named is no other command's, nor is a capture file.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host_address.h"
#include "say.h"

int host_claim_address(struct host *host)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char address[CLI_ADDRESS_TEXT];

    if (host->shared || host_awaits_address(host) || !host->interface[0])
        return CLI_OK;
    int n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "tlsyn %s %s", host->interface,
                     cli_address_text(&host->own.address, address));
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    host->claim = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (host->claim < 0 || bind(host->claim, (const struct sockaddr *)&name, len) == 0 ||
        errno != EADDRINUSE)
        return CLI_OK;
    say("address in use: another tlsyn on this machine has %s already; stop it, or choose a free "
        "one with --address",
        address);
    return CLI_FAILURE;
}

void host_yield_address(struct host *host)
{
    if (host->claim >= 0)
        (void)close(host->claim);
    host->claim = -1;
}
