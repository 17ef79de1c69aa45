/*
 * link_options.h: the options that say what link the laboratory has, the same wherever there is
 * one.
 */
#ifndef LINK_OPTIONS_H
#define LINK_OPTIONS_H

#include "cli.h"
#include "study.h"
#include "study/link.h"

/** What was typed. */
struct link_options {
    bool memory;                       /* --link memory */
    const struct study_preset *preset; /* --link satellite; NULL: none */
    tlsyn_time rtt, jitter;            /* -1: not given */
    uint64_t rate, queue;              /* 0: not given */
    double loss;
};

/** What a command leaves out of the table: it has an option of that name itself, or none. */
enum link_option {
    LINK_RTT = 1,
    LINK_RATE = 2, /* and the queue */
    LINK_LOSS = 4,
    LINK_MEMORY = 8, /* of --link: the choice of memory */
};

enum { LINK_OPTIONS = 7 };

/** Fills in a table for cli_parse(), which ends with a NULL name; it refers to *options. */
void link_options_init(struct link_options *options, unsigned without,
                       struct cli_option table[LINK_OPTIONS]);

/** The link that was asked for; its round trip is NaN where none was. 0; or -EINVAL, and the user
 * was told what to do. `timeout` as of study_link_check(). */
int link_options_take(const struct link_options *options, const char *command, tlsyn_time timeout,
                      struct study_link *link);

/** For a command whose --rtt takes a list: the preset's round trip becomes the list. 0; -EINVAL,
 * and the user was told: both were given. */
int link_options_list(const struct link_options *options, const char *command,
                      struct study_list *rtts);

/** Prints the links that have names. */
void link_options_print(void);

#endif
