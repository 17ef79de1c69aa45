/*
 * tlsyn/control.h: the socket at which a running program tells `tlsyn ss` about its stack, and the
 * folders in which such sockets are found.
 *
 *     tlsyn_control_open -> served by the loop -> tlsyn_control_close
 *
 * The folders are $XDG_RUNTIME_DIR/tlsyn, and one of a name that nobody can foresee in /tmp,
 * tlsyn-control-..., where that can't be used. Anybody can make names in /tmp, so a folder counts
 * only if it is one (no symbolic link), is ours, and is open to nobody else; from then on its
 * descriptor is used. So nobody can take the place of ours, and what runs in a laboratory is found
 * from without, where its user has another number. Root sees those of every user.
 */
#ifndef TLSYN_CONTROL_H
#define TLSYN_CONTROL_H

#include <linux/limits.h>
#include <stdbool.h>
#include <sys/un.h>

#include <tlsyn/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_control;

/** What the socket says of the program; copied, but for the address. */
struct tlsyn_control_about {
    const char *command;              /* "serve" */
    const char *interface;            /* "" if none */
    const struct tlsyn_addr *address; /* its present value counts */
};

/** Opens a socket in the first folder that can be used. 0, or -errno: a program runs as well
 * without one. Stack and loop must outlive it. */
int tlsyn_control_open(struct tlsyn_loop *loop, struct tlsyn_stack *stack,
                       const struct tlsyn_control_about *about, struct tlsyn_control **control);

/** Something above the stack that has counters of its own, such as the TLS engine. */
struct tlsyn_control_source {
    /** Calls put(out, name, value) for each counter, whose names are in nstat's manner; those of
     * value 0 are not shown. Called in the loop. */
    void (*tell)(struct tlsyn_control_source *source,
                 void (*put)(void *out, const char *name, uint64_t value), void *out);
};

/** Shows what `source` counts among the counters, until the socket is removed; NULL: nothing more.
 * Where control is NULL nobody asks. */
void tlsyn_control_source(struct tlsyn_control *control, struct tlsyn_control_source *source);

/** Removes the socket. NULL is allowed. */
void tlsyn_control_close(struct tlsyn_control *control);

/* --- for those who ask ------------------------------------------------------------------------ */

/** A descriptor of the folder under $XDG_RUNTIME_DIR, which is made if it is missing and `make`
 * says so; its name, or "", is in `path`. -ENOENT: there is none; -EPERM: it is not ours alone;
 * or another negative errno. */
int tlsyn_control_dir_runtime(bool make, char path[PATH_MAX]);

/** A descriptor of this user's folder in /tmp, which is made if there is none; or -errno. */
int tlsyn_control_dir_temporary(void);

/** Calls `each` with every folder in /tmp that is this user's, and for root with those of the
 * others, there and in /run/user, until it says false; `each` closes the descriptor. */
void tlsyn_control_dir_each(bool (*each)(void *data, int dir), void *data);

/** Closes the descriptor; a folder in /tmp in which nothing is left is removed. */
void tlsyn_control_dir_leave(int dir);

/** The address of a socket in that folder, whatever the length of the folder's own name.
 * -ENAMETOOLONG */
int tlsyn_control_dir_address(int dir, const char *name, struct sockaddr_un *address);

#ifdef __cplusplus
}
#endif

#endif
