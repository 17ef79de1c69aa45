/*
 * lab/host.h: one host of the lab: its names and addresses, and its namespace with the wire
 * to the middle.
 */
#ifndef LAB_HOST_H
#define LAB_HOST_H

#include "lab/lab.h"

struct host_wire {
    int netns;          /* the host's network namespace, the caller's to close */
    const char *middle; /* the name of the wire's other end, in the middle's namespace */
};

/**
 * Makes the namespace of `host` and its wire, configured and up at both ends. The caller is in the
 * namespace of the middle, described by `middle`, before and after; after a failure anywhere. 0, or
 * -errno with a sentence in *error.
 */
int host_build(enum lab_host host, const struct lab_options *options, int middle,
               struct host_wire *wire, struct lab_error *error);

/** The same for both hosts with one wire between them and no middle: wires[..].middle is NULL. */
int host_build_direct(const struct lab_options *options, int middle,
                      struct host_wire wires[LAB_HOSTS], struct lab_error *error);

/** Puts the variables described at lab_exec() into the environment of this process. 0 or -errno. */
int host_environment(enum lab_host host);

#endif
