/*
 * host_turn.c: a host at work: turns of its loop, until something has come about.
 */
#include <errno.h>

#include "host_address.h"
#include "say.h"

/* How long a failure waits for the network to explain it. */
#define BLAME_WAIT TLSYN_MS(300)

int host_turn(struct host *host, tlsyn_time deadline)
{
    int error = tlsyn_loop_turn(host->loop, deadline);

    if (host->signals.caught > 0) {
        host->signals.caught--;
        return -EINTR;
    }
    int lost = host_watch_address(host);
    if (lost < 0)
        return lost;
    return error == -EINTR ? 0 : error;
}

bool host_must_renew(struct host *host)
{
    bool renew = host->signals.renew;

    host->signals.renew = false;
    return renew;
}

int host_run(struct host *host, const bool *done, tlsyn_time deadline)
{
    int error = 0;

    while (!*done && error == 0) {
        if (tlsyn_clock() >= deadline)
            return -ETIMEDOUT;
        error = host_turn(host, deadline);
    }
    return error;
}

int host_blame(struct host *host, int error)
{
    const bool never = false;
    tlsyn_time deadline = tlsyn_clock() + BLAME_WAIT;

    if (error == -EINTR || error == -EADDRINUSE || host->probe_ends == 0)
        return error;
    return host_run(host, &never, deadline) == -EADDRINUSE ? -EADDRINUSE : error;
}

int host_await_address(struct host *host)
{
    const struct tlsyn_endpoint own = {.addr = host->own.address};
    tlsyn_time deadline = tlsyn_clock() + host->options->timeout;
    enum tlsyn_address_state state;
    int error = 0;

    while ((state = host_address_state(host)) == TLSYN_ADDRESS_TENTATIVE && error == 0)
        error = tlsyn_clock() >= deadline ? -ETIMEDOUT : host_turn(host, deadline);
    if (state == TLSYN_ADDRESS_DUPLICATE)
        error = -EADDRINUSE;
    if (error == 0)
        return CLI_OK;
    if (error != -ETIMEDOUT)
        return host_explain(host, &own, error);
    if (host->lease.dhcp)
        say("no DHCP server on %s has lent an address", host->interface);
    else
        say("no router on %s has advertised a network for --address auto6", host->interface);
    return CLI_FAILURE;
}
