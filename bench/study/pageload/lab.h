/*
 * study/pageload/lab.h: the laboratory for page loads: browser and servers in its hosts
 * (study/pageload/page_actor.h), over a link of ours.
 */
#ifndef STUDY_PAGELOAD_LAB_H
#define STUDY_PAGELOAD_LAB_H

#include "study/link.h"
#include "study/observer.h"
#include "study/pageload/page_actor.h"

struct pagelab;

struct pagelab_options {
    const struct page *page;
    uint32_t stacks;                 /* 1 << STUDY_TLSYN and the like */
    const char *history;             /* as of struct page_part */
    struct study_link link;          /* but for its round trip */
    uint64_t seed;                   /* of what the link draws by lot */
    struct study_observer *observer; /* may interrupt a load */
};

/** Makes the network, certificates and processes. What the options point to outlives it. 0 or
 * -errno with a sentence; -EPERM: namespaces are forbidden here. */
int pagelab_open(const struct pagelab_options *options, struct pagelab **lab,
                 char message[STUDY_MESSAGE_MAX]);

/** The round trip that the link alone takes. 0 or -errno. */
int pagelab_set_link(struct pagelab *lab, double rtt_ms);

/** Whether the link was not kept since this was asked last. 0 or -errno. */
int pagelab_missed(struct pagelab *lab, double rtt_ms, bool *missed);

/** The hosts get to know each other's Ethernet addresses, each stack by a ping of its own, so that
 * no load waits for that. 0 or -errno. */
int pagelab_introduce(struct pagelab *lab);

/** One round trip of a ping, from our stack to our stack if it is there, else between the kernels'.
 * 0 or -errno. */
int pagelab_ping(struct pagelab *lab, double *rtt_ms);

/** Loads the page once. 0, and what came of it is in the answer; -EINTR: the observer wants no
 * more; or -errno: the laboratory is broken. After an error it is good for nothing but closing. */
int pagelab_load(struct pagelab *lab, const struct page_order *order, struct page_answer *answer);

/** NULL is allowed. */
void pagelab_close(struct pagelab *lab);

#endif
