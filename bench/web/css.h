/*
 * web/css.h: what a style sheet refers to, found while its bytes come: url(...) and @import. Read
 * first: CSS Syntax Module Level 3, 4.3 (comments, strings, URLs).
 */
#ifndef WEB_CSS_H
#define WEB_CSS_H

#include <stdbool.h>
#include <stddef.h>

#include "web/reference.h"

enum css_state {
    CSS_NORMAL,
    CSS_SLASH,        /* a comment may begin */
    CSS_COMMENT,      /* in one */
    CSS_COMMENT_STAR, /* it may end */
    CSS_STRING,       /* in quotes */
    CSS_URL,          /* behind "url(", before what it holds */
    CSS_URL_RAW,      /* in it, without quotes */
    CSS_URL_BEHIND,   /* behind its quotes */
};

struct css {
    struct reference_user *user;
    const struct url *base;
    enum css_state state;
    bool escaped; /* a backslash was before */
    bool import;  /* in the rule @import */
    bool in_url;  /* the string stands in url(...) */
    char quote;   /* of a string */
    char word[8]; /* the identifier that stands just before, cut */
    size_t word_len;
    char text[REFERENCE_MAX]; /* of a string or URL */
    size_t len;               /* beyond its size: too long, and passed over */
};

/** The user and the base outlive it. */
void css_init(struct css *css, struct reference_user *user, const struct url *base);

/** References are told from within. */
void css_take(struct css *css, const char *bytes, size_t n);

#endif
