/*
 * study/names.c: the words of the studies.
 */
#include "study/names.h"

#define PORT_BASE 4431

static const struct {
    const char *name, *title;
    enum tlsyn_tls_suite tls;
} suites[STUDY_SUITES] = {
    [STUDY_12_RSA] = {"1.2-rsa", "TLS 1.2, RSA key exchange (RSA-2048 certificate)",
                      TLSYN_TLS_12_RSA},
    [STUDY_12_ECDHE] = {"1.2-ecdhe", "TLS 1.2, ECDHE (P-256 certificate)", TLSYN_TLS_12_ECDHE},
    [STUDY_13] = {"1.3", "TLS 1.3 (P-256 certificate)", TLSYN_TLS_13},
};

const char *study_stack_name(enum study_stack stack)
{
    return stack == STUDY_TLSYN ? "tlsyn" : "kernel";
}

const char *study_suite_name(enum study_suite suite)
{
    return suites[suite].name;
}

const char *study_suite_title(enum study_suite suite)
{
    return suites[suite].title;
}

const char *study_mode_name(enum study_mode mode)
{
    return mode == STUDY_EMBEDDED ? "embedded" : "sequential";
}

const char *study_level_name(enum tlsyn_level level)
{
    static const char *const names[] = {[TLSYN_LEVEL_NONE] = "",
                                        [TLSYN_LEVEL_OPEN] = "open",
                                        [TLSYN_LEVEL_COOKIE] = "cookie",
                                        [TLSYN_LEVEL_PAPER] = "paper"};

    return names[level];
}

enum tlsyn_tls_suite study_suite_tls(enum study_suite suite)
{
    return suites[suite].tls;
}

uint16_t study_port(enum study_suite suite)
{
    return (uint16_t)(PORT_BASE + (int)suite);
}
