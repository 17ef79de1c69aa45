/*
 * web/script.h: what a script of ours loads, found while its bytes come. Scripts are not run; those
 * that web/site.h generates say what they load in calls, which a browser that does run them obeys:
 *
 *     load("img", "src", "https://images.page.test/IMG1.gif");
 */
#ifndef WEB_SCRIPT_H
#define WEB_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "web/reference.h"

#define SCRIPT_ARGUMENTS 3

struct script {
    struct reference_user *user;
    const struct url *base;
    char word[8]; /* the identifier that stands just before, cut */
    size_t word_len;
    int arguments; /* of the call at hand that are there, -1: there is no call */
    bool in_string, escaped;
    char tag[16]; /* the first argument */
    char text[REFERENCE_MAX];
    size_t len; /* beyond its size: too long, and passed over */
};

/** The user and the base outlive it. */
void script_init(struct script *script, struct reference_user *user, const struct url *base);

/** References are told from within. */
void script_take(struct script *script, const char *bytes, size_t n);

#endif
