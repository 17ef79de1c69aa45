/*
 * lab/lab.h: a network on one machine: one call makes it, one call takes it away.
 *
 *      client                      middle                      server
 *     +--------------+   veth   +------------+   veth   +--------------+
 *     | eth0         |==========|  emulator  |==========| eth0         |
 *     | 10.77.0.1    |          | (bridges)  |          | 10.77.0.2    |    the kernels' addresses
 *     | fd77::1      |          +------------+          | fd77::2      |
 *     | (10.77.0.11) |                                  | (10.77.0.12) |    for stacks of our own
 *     | (fd77::11)   |                                  | (fd77::12)   |
 *     +--------------+                                  +--------------+
 *
 * Each host is a network namespace; the emulator forwards Ethernet frames between the two wires and
 * impairs them on the way, so both hosts are on one subnet, and the kernel's stack and ours run
 * over exactly the same link.
 *
 *     lab_open -> { lab_spawn, lab_exec, lab_set_link, lab_report, lab_wait }* -> lab_close
 *
 * Whatever happens, nothing stays: everything of a lab lives in a PID namespace of its own,
 * whose first process is killed by the kernel when the thread that called lab_open() ends in
 * any way, kill -9 included; with it go all processes of the namespace, and with the last
 * process the network namespaces and their interfaces. There are no files. The caller itself
 * enters no namespace. Without CAP_SYS_ADMIN a user namespace is made first, in which the
 * caller's user is called root.
 *
 * A lab belongs to one thread of a single-threaded process. Nothing here prints. Errors are
 * negative errno values.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <sys/types.h>
#include <tlsyn/link.h>

struct lab;

enum lab_host {
    LAB_CLIENT,
    LAB_SERVER,
    LAB_HOSTS,
};

/** What a host calls its things. The addresses are text; both hosts are in one /24, and one
 * /64. Where the kernel has no IPv6, only stacks of our own can use theirs; over an MTU below
 * 1280 nobody can. */
struct lab_host_info {
    const char *name;           /* "client" */
    const char *interface;      /* in this host's namespace */
    const char *kernel_address; /* configured on the interface: the kernel's stack answers here */
    const char *stack_address;  /* not the kernel's: for a stack of ours on the interface */
    int prefix_len;
    const char *kernel_address6, *stack_address6; /* the same in IPv6 */
    int prefix6_len;
};

const struct lab_host_info *lab_host_info(enum lab_host host);

struct lab_options {
    struct tlsyn_impairment to_server; /* what happens to frames from client to server */
    struct tlsyn_impairment to_client;
    int mtu; /* bytes of IP datagram on both wires; 0: 1500 */

    /** false: no segmentation and no checksum offload on the hosts' interfaces, so that every frame
     * on the wire is a whole packet of at most `mtu` bytes, and loss, corruption and the rest hit
     * packets. true: the kernel's defaults, with frames of up to 64 KiB and checksums left undone:
     * for bulk speed over an unimpaired link. */
    bool offload;

    /** One wire between the hosts, and no emulator: the kernel alone carries the frames. The
     * impairments mean nothing, and lab_set_link() and lab_report() fail with -EOPNOTSUPP. */
    bool direct;

    /** The emulator has a processor to itself, if there are two, and the hosts' processes share the
     * others: for measuring latency, where a link must not wait for those it connects to finish
     * their computing. Not for throughput on few processors. */
    bool apart;
};

/** One sentence or two for the user: what failed, and what to type instead if there is
 * something. */
struct lab_error {
    char text[512];
};

/**
 * Makes the network and starts the emulator; when it returns, frames flow. A matter of
 * milliseconds. -EPERM: namespaces are forbidden here; *error has the remedy. `error` may be NULL.
 */
int lab_open(const struct lab_options *options, struct lab **lab, struct lab_error *error);

/**
 * Takes everything away: kills what still runs in the lab, and waits until it is gone. Children not
 * yet waited for lose their status. NULL is allowed. In a process other than the opener it frees
 * the memory only.
 */
void lab_close(struct lab *lab);

/* --- processes in the hosts ------------------------------------------------------------------- */

/**
 * Runs run(argument) in a child process in `host`; its return value (0..255) is the exit status.
 * The child has a copy of the caller's memory, all of its open descriptors, its working directory
 * and its process group; signals that the caller catches are back at their defaults, and none is
 * blocked. It sees only the lab's processes, and must not use `lab`. The child is the caller's own:
 * kill(2) works. Returns its process id or -errno.
 */
pid_t lab_spawn(struct lab *lab, enum lab_host host, int (*run)(void *), void *argument);

/**
 * Runs a command, searched in PATH, in `host`, with SIGPIPE at its default and these variables
 * added to the environment:
 *
 *     TLSYN_HOST            client or server
 *     TLSYN_INTERFACE       the host's interface
 *     TLSYN_ADDRESS         for a stack of ours here, with the prefix's length: 10.77.0.11/24
 *     TLSYN_PEER            the other host's, without: 10.77.0.12
 *     TLSYN_KERNEL_ADDRESS  the kernel's here: 10.77.0.1
 *     TLSYN_KERNEL_PEER     the other host's: 10.77.0.2
 *     TLSYN_ADDRESS6, TLSYN_PEER6, TLSYN_KERNEL_ADDRESS6, TLSYN_KERNEL_PEER6
 *                           the same in IPv6: fd77::11/64, fd77::12, fd77::1, fd77::2
 *
 * `argv` ends with NULL. Returns the process id, or -errno when the command can't be started
 * (-ENOENT: not found).
 */
pid_t lab_exec(struct lab *lab, enum lab_host host, char *const argv[]);

/**
 * Waits for a child of lab_spawn() or lab_exec(), at most timeout_ms (negative: for ever); *status
 * as of waitpid(2). 0, -ETIMEDOUT, -EINTR (a signal came), -ECHILD (no such child). Use this, not
 * waitpid(2), for these children.
 */
int lab_wait(struct lab *lab, pid_t child, int timeout_ms, int *status);

/* --- the link --------------------------------------------------------------------------------- */

/*
 * The calls below: -EPIPE: the emulator has died (somebody killed it, or an interface of the
 * middle went down); -EOPNOTSUPP: there is none; -ETIMEDOUT: it doesn't answer, and the lab is
 * taken down. All processes in the hosts die with it.
 */

/** Changes the impairments of the running emulator; in force when it returns. Frames on their way
 * keep their times. */
int lab_set_link(struct lab *lab, const struct tlsyn_impairment *to_server,
                 const struct tlsyn_impairment *to_client);

/** Puts a middlebox in front of the server, with these rules (enum tlsyn_middlebox; 0: it does
 * nothing); in force when it returns. */
int lab_set_middlebox(struct lab *lab, unsigned rules);

/** One direction of the link since the last report. */
struct lab_direction {
    struct tlsyn_impair_stats frames;
    uint64_t
        refused; /* frames that the far interface didn't take (its queue full, or it is down) */
};

/** How late frames left, against the time at which they should have (arrival + what the
 * impairment asked for). */
struct lab_precision {
    uint64_t frames;
    double p50_us, p99_us, max_us; /* 0 when there was no frame; p50 and p99 to within 2 % */
};

struct lab_report {
    struct lab_direction to_server, to_client;
    struct lab_precision precision; /* both directions */
    struct lab_precision whole;     /* the same since lab_open() */
    bool realtime;                  /* the emulator was granted SCHED_FIFO */
};

/** What the emulator did since lab_open() or the last report; counts anew from here (but `held`,
 * frames on their way now, and `whole`). */
int lab_report(struct lab *lab, struct lab_report *report);

#endif
