/*
 * tlsyn/control.h: the socket at which a running program tells `tlsyn ss` about a stack of its, and
 * the folders in which such sockets are found.
 *
 *     tlsyn_control_open -> served by the loop -> tlsyn_control_close
 *
 * The folders are $XDG_RUNTIME_DIR/tlsyn, and /tmp/tlsyn-UID where there is no such variable.
 * Anybody can make names in /tmp, so a folder counts only if it is one (no symbolic link), is ours,
 * and is open to nobody else; from then on its descriptor is used, never its name again. In a user
 * namespace UID is the user's number outside, so that what runs in a laboratory is found from
 * without. Root sees those of every user.
 */
#ifndef TLSYN_CONTROL_H
#define TLSYN_CONTROL_H

#include <limits.h>
#include <sys/un.h>

#include <tlsyn/loop.h>

struct tlsyn_control;

/** Copied, but for the address. */
struct tlsyn_control_about {
    const char *command;              /* "serve" */
    const char *interface;            /* "" if none */
    const struct tlsyn_addr *address; /* its present value counts */
};

/** Opens a socket in the first folder that can be used. 0, or -errno: a program runs as well
 * without one. Stack and loop must outlive it. */
int tlsyn_control_open(struct tlsyn_loop *loop, struct tlsyn_stack *stack,
                       const struct tlsyn_control_about *about, struct tlsyn_control **control);

/** Removes the socket. NULL is allowed. */
void tlsyn_control_close(struct tlsyn_control *control);

/* --- for those who ask ------------------------------------------------------------------------ */

#define TLSYN_CONTROL_DIRS 2

/** The name of this user's folder 0 or 1. 0, or -ENOENT: there is none here. */
int tlsyn_control_dir_name(int which, char path[PATH_MAX]);

/** A descriptor of folder 0 or 1, which is made if it is missing and `make` says so. -ENOENT: there
 * is none; -EPERM: it is not ours alone; or another negative errno. */
int tlsyn_control_dir_open(int which, bool make);

/** For root: calls `each` with every folder of another user, in /tmp and in /run/user, that is his
 * alone; `each` closes the descriptor. */
void tlsyn_control_dir_others(void (*each)(void *data, int dir), void *data);

/** The address of a socket in that folder, whatever the length of the folder's own name.
 * -ENAMETOOLONG */
int tlsyn_control_dir_address(int dir, const char *name, struct sockaddr_un *address);

/** The number that user `uid` of this process's user namespace has outside of it, by the text of
 * /proc/self/uid_map. */
uint64_t tlsyn_control_dir_outer(const char *map, uint64_t uid);

#endif
