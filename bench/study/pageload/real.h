/*
 * study/pageload/real.h: what came of loads of a real page, by its URL: counts, times and
 * waterfalls. Who loads it, and over which network, is the caller's business; there is no model of
 * it to agree with.
 */
#ifndef STUDY_PAGELOAD_REAL_H
#define STUDY_PAGELOAD_REAL_H

#include <stdio.h>

#include "study/environment.h"
#include "web/loader.h"

#define REAL_LOADS_MAX 101
#define REAL_LABEL_MAX 96

struct real_url {
    char label[REAL_LABEL_MAX]; /* "style.css", of another server "//name/style.css" */
    int status;                 /* 0: there was no response */
    uint64_t bytes;
};

struct real_load {
    enum browser_visit visit;
    struct load_result load;
    struct real_url url[POLICY_URLS_MAX]; /* load.urls of them */
    int full, resumed;                    /* handshakes */
    double shortest_us; /* of what takes a round trip at least; 0: nothing was over */
};

struct real_study {
    const char *url, *handshake, *http;
    struct environment_run run; /* its noise is the next one */
    struct noise noise;
    struct real_load *load[REAL_LOADS_MAX]; /* owned */
    int loads;
};

/** Keeps what the loader has to tell. 0 or -ENOMEM, -ENOBUFS. */
int real_keep(struct real_study *study, const struct loader *loader, enum browser_visit visit);

/** Each 0 or -errno. */
int real_text(const struct real_study *study, FILE *out, unsigned width);
int real_json(const struct real_study *study, FILE *out);
int real_html(const struct real_study *study, FILE *out);

void real_fini(struct real_study *study);

#endif
