/*
 * web/load_step.h: what takes time on a connection of a page load, counted or real.
 */
#ifndef WEB_LOAD_STEP_H
#define WEB_LOAD_STEP_H

enum load_step {
    LOAD_DNS,
    LOAD_TCP,
    LOAD_FULL,    /* a TLS handshake; */
    LOAD_RESUMED, /* one that resumes a session */
    LOAD_GET
};

#endif
