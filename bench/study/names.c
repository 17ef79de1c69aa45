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

static const struct {
    const char *name, *title;
} sessions[STUDY_SESSIONS] = {
    [STUDY_NEW] = {"new", "a new session"},
    [STUDY_ID] = {"id", "resumed by session ID"},
    [STUDY_TICKET] = {"ticket", "resumed by ticket"},
    [STUDY_PSK] = {"psk", "resumed by PSK"},
    [STUDY_EARLY] = {"early", "resumed by PSK, with early data"},
};

bool study_way_exists(const struct study_way *way)
{
    bool is_13 = way->suite == STUDY_13;

    if (way->stack == STUDY_QUIC && (!is_13 || way->mode != STUDY_EMBEDDED))
        return false;
    return way->session == STUDY_NEW ||
           is_13 == (way->session == STUDY_PSK || way->session == STUDY_EARLY);
}

bool study_way_equal(const struct study_way *a, const struct study_way *b)
{
    return a->stack == b->stack && a->suite == b->suite && a->mode == b->mode &&
           a->session == b->session;
}

int study_round_trips(const struct study_way *way)
{
    int of_tcp = way->mode == STUDY_SEQUENTIAL ? 1 : 0;

    if (way->session == STUDY_EARLY)
        return of_tcp;
    return of_tcp + (way->suite == STUDY_13 || way->session != STUDY_NEW ? 1 : 2);
}

const char *study_stack_name(enum study_stack stack)
{
    static const char *const names[STUDY_STACKS] = {
        [STUDY_TLSYN] = "tlsyn", [STUDY_KERNEL] = "kernel", [STUDY_QUIC] = "quic"};

    return names[stack];
}

const char *study_session_name(enum study_session session)
{
    return sessions[session].name;
}

const char *study_session_title(enum study_session session)
{
    return sessions[session].title;
}

const char *study_stack_title(enum study_stack stack, enum study_mode mode)
{
    if (stack == STUDY_QUIC)
        return "QUIC";
    if (stack == STUDY_KERNEL)
        return mode == STUDY_EMBEDDED ? "kernel + OpenSSL, Fast Open"
                                      : "kernel + OpenSSL, sequential";
    return study_mode_name(mode);
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

uint16_t study_port(enum study_suite suite, enum study_session session)
{
    return (uint16_t)(PORT_BASE + (int)session * STUDY_SUITES + (int)suite);
}
