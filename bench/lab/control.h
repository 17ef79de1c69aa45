/*
 * lab/control.h: what caller and emulator say to each other, over a socket pair that keeps
 * message boundaries.
 *
 * The first process of the lab is the caller's own fork, so structures travel as they are. It
 * speaks first, once: a reply to the order to come to life, with the hosts' network namespaces when
 * that went well. From then on each request has one reply.
 */
#ifndef LAB_CONTROL_H
#define LAB_CONTROL_H

#include "lab/lab.h"

enum control_what {
    CONTROL_SET_LINK,
    CONTROL_SET_MIDDLEBOX,
    CONTROL_REPORT,
};

struct control_request {
    enum control_what what;
    struct tlsyn_impairment to_server, to_client;
    unsigned middlebox; /* rules: enum tlsyn_middlebox */
};

struct control_reply {
    int status; /* 0 or -errno */
    union {
        struct lab_error error;   /* the first reply, when status isn't 0 */
        struct lab_report report; /* the reply to CONTROL_REPORT */
    };
};

/** Two connected descriptors, close-on-exec. 0 or -errno. */
int control_pair(int ends[2]);

/** 0 or -errno; -EPIPE: the other side is gone. */
int control_send_request(int fd, const struct control_request *request);

/** Takes a request without waiting: 0, -EAGAIN when there is none, -EPIPE when the other side is
 * gone. */
int control_take_request(int fd, struct control_request *request);

/** Sends a reply, and with it descriptors of the hosts' network namespaces unless `netns` is
 * NULL. 0 or -errno. */
int control_send_reply(int fd, const struct control_reply *reply, const int netns[LAB_HOSTS]);

/** Waits for a reply, at most timeout_ms; puts the descriptors that came along into `netns` (if it
 * is not NULL), -1 where none came. 0, -ETIMEDOUT, -EPIPE. */
int control_await_reply(int fd, int timeout_ms, struct control_reply *reply, int netns[LAB_HOSTS]);

#endif
