/*
 * host.h: a network host for a subcommand: a link with a stack on it, in the order
 *
 *     check what was asked -> open the link (needs rights) -> give up every right -> files ->
 *         stack, address, routes -> loop
 *
 * and everything that can go wrong on the way said in one sentence.
 *
 * The address is this machine's, shared with its kernel by a guard of our ports (guard.h); or
 * nobody's. About such an IPv4 address the network is asked (RFC 5227) while the first
 * frames are on their way already, so that an honest start waits for nothing; an answer ends the
 * command. An IPv6 address is asked about first (RFC 4862 5.4), which takes a second; one that the
 * network is to give (dhcp, auto6) takes until there is one.
 */
#ifndef HOST_H
#define HOST_H

#include <net/if.h>
#include <tlsyn/control.h>
#include <tlsyn/dhcp.h>
#include <tlsyn/loop.h>

#include "cli.h"
#include "guard.h"
#include "keylog.h"

enum host_link { HOST_AFPACKET, HOST_TAP, HOST_PCAP, HOST_FILE };

/** Where our address comes from. */
enum host_source { HOST_GIVEN, HOST_OWN, HOST_OWN6, HOST_DHCP, HOST_AUTO6 };

/** What --link says. */
struct host_link_choice {
    enum host_link kind;
    struct tlsyn_afpacket_options afpacket;
    const char *path; /* of HOST_FILE; or HOST_TAP's name, NULL: any */
};

struct host_options {
    const char *command; /* "get" */
    struct host_link_choice link;
    const char *interface;      /* NULL: chosen */
    struct cli_network address; /* unspecified: not given; prefix_len 0: not told */
    enum host_source source;
    int64_t prefix;            /* 0: not given; for an address that came without */
    struct tlsyn_addr gateway; /* unspecified: the kernel's, if it is in our network */
    const char *capture;       /* or NULL */
    const char *trace;         /* or NULL; "-": stderr */
    tlsyn_time timeout;        /* no wait is longer */
    int congestion;            /* see host_controller() */
    /* What the command says, not its user: */
    bool alone;       /* it can't share an address with the kernel */
    bool peer_is_ip6; /* of the machine's own addresses, an IPv6 one */
    bool renews;      /* SIGHUP has it read its files anew (host_must_renew()) */
    uint16_t listen;  /* TCP port that is going to be listened on; 0: none */
};

#define HOST_OPTIONS 10

/** Sets the defaults, and fills a table for struct cli_command.common. */
void host_options_init(struct host_options *options, const char *command,
                       struct cli_option table[HOST_OPTIONS]);

/** Looks at whom the command is for: an IPv6 address has us share one of this machine's of that
 * kind. */
void host_options_peer(struct host_options *options, const char *name);

/** The congestion controller that --congestion names. */
const char *host_controller(const struct host_options *options);

struct host_trace {
    struct tlsyn_trace base;
    FILE *out; /* NULL: no trace */
};

struct host_signals {
    struct tlsyn_loop_watch watch;
    int fd;
    int caught;    /* how often SIGINT or SIGTERM came */
    bool terminal; /* we began at one, and end with it: not under nohup(1) */
    bool renew;    /* SIGHUP came, but not because the terminal has gone */
};

/** What DHCP lent us. */
struct host_lease {
    struct tlsyn_dhcp_handler base;
    struct tlsyn_dhcp *dhcp; /* NULL: not asked for */
    struct cli_network own;  /* unspecified: not yet */
    bool lost;               /* it was taken back */
};

struct host {
    const struct host_options *options;
    char interface[IF_NAMESIZE]; /* "" when reading a file */
    struct cli_network own;      /* our address */
    struct tlsyn_link *link;     /* the outermost */
    struct tlsyn_link *capture;  /* it too, or NULL */
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_loop *loop;
    struct keylog keylog;
    struct host_trace trace;
    struct host_signals signals;
    struct host_lease lease;
    int claim;                     /* on the address among commands; -1: none */
    struct tlsyn_control *control; /* `tlsyn ss` asks there */
    bool shared;                   /* the address is the kernel's too ... */
    struct guard guard;            /* ... which leaves these ports to us */
    tlsyn_time glance;             /* when to see whether it still has it */
    tlsyn_time probe_ends;         /* until then somebody may claim our address; 0: nobody did */
};

/** `limits` may be NULL. Returns CLI_OK, or says why not and returns another exit status; then
 * host_close() is not needed. The options must live as long as the host. */
int host_open(struct host *host, const struct host_options *options,
              const struct tlsyn_limits *limits);

/** Turns until connections that are closing have ended, for a second at most, and then for a moment
 * more, as late segments may follow. Time in which the process is stopped doesn't count. */
void host_await_last_words(struct host *host);

/** Frees the stack (connections end without a word) and all the rest. Returns the exit
 * status: `status`, but never success if the capture or the trace could not be written whole,
 * which is said. */
int host_close(struct host *host, int status);

/** One turn of the loop. 0, -EINTR: SIGINT or SIGTERM came (once for each), -EADDRINUSE: somebody
 * else has our address, -EADDRNOTAVAIL: what DHCP lent was taken back, or what was
 * shared is not the kernel's any more, -ENODATA: the capture file
 * has ended, or what the link failed with. */
int host_turn(struct host *host, tlsyn_time deadline);

/** Turns until the address may be used. CLI_OK, or says why not. */
int host_await_address(struct host *host);

/** Whether SIGHUP came since the last call. (Of a terminal that has gone it counts as SIGTERM.) */
bool host_must_renew(struct host *host);

/** Turns until *done (0), until the deadline (-ETIMEDOUT), or as host_turn(). */
int host_run(struct host *host, const bool *done, tlsyn_time deadline);

/** Called when something failed: gives the network a moment to say that the address was in use all
 * the time, which explains most other failures. Returns -EADDRINUSE then, else `error`. */
int host_blame(struct host *host, int error);

/** Says what `error` means for an exchange with `remote` (port 0: none), and what helps. Returns
 * the exit status. */
int host_explain(const struct host *host, const struct tlsyn_endpoint *remote, int error);

/** CLI_OK, or says why `remote` can't be reached from here at all: it is this machine, or we are
 * it. */
int host_check_remote(const struct host *host, const struct tlsyn_addr *remote);

#endif
