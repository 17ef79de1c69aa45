/*
 * host_claim.c: an address of our own is one command's. Read first: unix(7).
 *
 * The probe for an address (RFC 5227 2.1.1) does not come back to the interface that it left by, so
 * it finds no second command there. A name does that: an abstract socket address belongs to the
 * network namespace, as the interface does, and goes with the process, however that ends. A TAP
 * interface that is yet to be named is no other command's, nor is a capture file.
 *
 * Anybody on the machine may take a name. So it counts for what its holder's user may do to us
 * anyhow: root's and our own user's is believed; another's is mentioned, and keeps nobody out.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "host_address.h"
#include "say.h"

/* Between its bind() and its listen() another command is nobody yet. */
#define HOLDER_TRIES    5
#define HOLDER_PAUSE_MS 10

/* A listener's user, as unix(7) gives him to who connects. Negative: whoever has the name does not
 * listen, or somebody has filled his queue. */
static int find_holder(const struct sockaddr *name, socklen_t len, uid_t *uid)
{
    const struct timespec pause = {.tv_nsec = HOLDER_PAUSE_MS * 1000000};
    struct ucred holder = {.pid = 0};
    socklen_t size = sizeof(holder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = -1;

    for (int i = 0; fd >= 0 && error != 0 && i < HOLDER_TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        error = connect(fd, name, len);
    }
    if (error == 0)
        error = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &holder, &size);
    if (fd >= 0)
        (void)close(fd);
    *uid = holder.uid;
    return error;
}

/* CLI_OK: whoever has the name, it keeps us out of nothing. */
static int judge_holder(const struct sockaddr *name, socklen_t len, const char *address)
{
    uid_t uid = 0;

    if (find_holder(name, len, &uid) != 0) {
        say("something on this machine says that it has %s, not whose it is; going on", address);
    } else if (uid == 0 || uid == geteuid()) {
        say("address in use: another tlsyn on this machine has %s already; stop it, or choose a "
            "free one with --address",
            address);
        return CLI_FAILURE;
    } else {
        say("user %u of this machine says that a tlsyn of theirs has %s; going on: if it does, "
            "connections of both will fail",
            (unsigned int)uid, address);
    }
    return CLI_OK;
}

int host_claim_address(struct host *host)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const struct sockaddr *as = (const struct sockaddr *)&name;
    char address[CLI_ADDRESS_TEXT];

    if (host->shared || host_awaits_address(host) || !host->interface[0])
        return CLI_OK;
    int n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "tlsyn %s %s", host->interface,
                     cli_address_text(&host->own.address, address));
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    host->claim = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (host->claim < 0)
        return CLI_OK;
    if (bind(host->claim, as, len) == 0) {
        (void)listen(host->claim, SOMAXCONN); /* who asks has his answer without being accepted */
        return CLI_OK;
    }
    return errno == EADDRINUSE ? judge_holder(as, len, address) : CLI_OK;
}

void host_yield_address(struct host *host)
{
    if (host->claim >= 0)
        (void)close(host->claim);
    host->claim = -1;
}
