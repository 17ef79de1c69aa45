/*
 * lab/netns.h: namespaces: made, settled in, entered; and why they were refused.
 * Read first: namespaces(7), user_namespaces(7), pid_namespaces(7).
 *
 *     caller                      first process of the lab
 *     netns_fork() -------------> netns_settle() -> netns_new() ...
 *     netns_join() in a child of its own, to become a process of the lab
 */
#ifndef LAB_NETNS_H
#define LAB_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Who the caller was outside, for the user namespace's maps. */
struct netns_owner {
    bool user_namespace; /* one had to be made */
    uid_t uid;
    gid_t gid;
};

/**
 * Forks a child that is the first process of new PID, mount and network namespaces, in a new user
 * namespace if the caller lacks the rights. When the child ends, the kernel kills every process of
 * its PID namespace. Returns 0 in the child, its process id in the caller with a descriptor of it
 * (pidfd) in *pidfd, or -errno. Fills *owner in both. As with vfork-like calls of clone(2),
 * handlers of pthread_atfork() don't run: for single-threaded callers.
 */
pid_t netns_fork(int *pidfd, struct netns_owner *owner);

/** In the child: becomes root of its user namespace, keeps its mounts to itself, and mounts its own
 * /proc where allowed. 0 or -errno. */
int netns_settle(const struct netns_owner *owner);

/** Makes a network namespace and enters it. A descriptor of it, or -errno. */
int netns_new(void);

/** A descriptor of the network namespace that the caller is in, or -errno. */
int netns_current(void);

/** Enters a network namespace. 0 or -errno. */
int netns_enter(int fd);

/** Enters the user (if one was made), mount and PID namespaces of the process behind `pidfd`, and
 * the network namespace `net`. The PID namespace counts for children only; the working directory is
 * kept if it can be. */
int netns_join(int pidfd, const struct netns_owner *owner, int net);

/** Writes into `text` (of `size`) why namespaces may have been refused with `error` (-errno),
 * and what to type. */
void netns_explain(int error, char *text, size_t size);

#endif
