/*
 * preload.h: what the shim of `tlsyn run` knows: the net of this process, once there is one, and
 * which descriptors of the program are sockets of it.
 *
 * `tlsyn run` opens the packet socket, gives up its rights, says in the environment what the stack
 * is to stand on, and becomes the program. The shim opens the net when the program makes its first
 * socket of the internet: a program that makes none, a shell that starts others, say, costs
 * nothing and leaves the packet socket to who comes after. One process at a time has it (a lock of
 * fcntl(2), which is neither inherited nor outlives its holder).
 *
 * A socket has a number from tlsyn_socket(): its home. The program may know it by other
 * descriptors too (dup(2)); the home stays open until the last of them is closed.
 *
 * All of it is of the process, as descriptors are: with socket/registry.c and tls/platform.c the
 * third place where something is global.
 */
#ifndef PRELOAD_H
#define PRELOAD_H

#include <tlsyn/socket.h>

/** The environment, from cmd_run.c to preload.c. */
#define PRELOAD_SOCKET     "TLSYN_RUN_SOCKET" /* descriptor of the packet socket */
#define PRELOAD_INTERFACE  "TLSYN_RUN_INTERFACE"
#define PRELOAD_ADDRESS    "TLSYN_RUN_ADDRESS" /* with prefix length */
#define PRELOAD_GATEWAY    "TLSYN_RUN_GATEWAY"
#define PRELOAD_CONGESTION "TLSYN_RUN_CONGESTION"
#define PRELOAD_CAPTURE    "TLSYN_RUN_CAPTURE"

/** Instead of a home: the descriptor is none of ours; it is, but of the process that this one is a
 * child of. */
enum { PRELOAD_KERNEL = -1, PRELOAD_ORPHAN = -2 };

/** The home of the socket behind a descriptor. A call to it begins here and ends with
 * preload_leave(), unless this is PRELOAD_KERNEL. Of an orphan errno is EBADF. */
int preload_enter(int fd);

/** Passes a result on, and errno. */
ssize_t preload_leave(int home, ssize_t result);

/** The same without a call. */
int preload_home(int fd);

/** Begins a call that has no socket yet, as preload_enter() does one that has. */
void preload_begin(void);

/** The net, opened if need be; NULL with errno, after a sentence on stderr. */
struct tlsyn_net *preload_net(void);

/** A new socket, by its home, or -1: passed on. EMFILE: the table has no such number. */
int preload_adopt(int home);

/** The program knows the socket by this descriptor too; -1 is passed on. */
int preload_alias(int home, int fd);

/** close(2), of any descriptor. */
int preload_close(int fd);

/** Whether dup2(2) must not take this number: a home with other descriptors, or the packet
 * socket. */
bool preload_is_taken(int fd);

/** The number is about to be another file's: a child of fork(2) knows it as its parent's socket. */
void preload_forget(int fd);

/** The packet socket, or -1: this program does not run under `tlsyn run`. */
int preload_packet_socket(void);

/** Ends the net as the kernel would when the process ends: connections are closed, and what was
 * written leaves, if it can within two seconds. */
void preload_end(void);

#endif
