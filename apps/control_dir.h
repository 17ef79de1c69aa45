/*
 * control_dir.h: the folders that hold the control sockets of this user's running commands:
 * $XDG_RUNTIME_DIR/tlsyn, and /tmp/tlsyn-UID where there is no such variable.
 *
 * Anybody can make names in /tmp, so a folder counts only if it is one (no symbolic link), is
 * ours, and is open to nobody else; from then on its descriptor is used, never its name again.
 * In a user namespace UID is the user's number outside, so that what runs in a laboratory is
 * found from without.
 */
#ifndef CONTROL_DIR_H
#define CONTROL_DIR_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#define CONTROL_DIRS 2

/** The name of folder 0 or 1. 0, or -ENOENT: there is none here. */
int control_dir_name(int which, char path[PATH_MAX]);

/** A descriptor of folder 0 or 1, which is made if it is missing and `make` says so. -ENOENT: there
 * is none; -EPERM: it is not ours alone; or another negative errno. */
int control_dir_open(int which, bool make);

/** The address of a socket in that folder, whatever the length of the folder's own name.
 * -ENAMETOOLONG */
int control_dir_address(int dir, const char *name, struct sockaddr_un *address);

/** The number that user `uid` of this process's user namespace has outside of it, by the text of
 * /proc/self/uid_map. */
uint64_t control_dir_outer(const char *map, uint64_t uid);

#endif
