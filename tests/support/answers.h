/*
 * support/answers.h: a service (web/service.h) for tests of protocols: what it answers follows from
 * the target, and what became of its exchanges is counted.
 *
 *     GET /70000   that many bytes "x"
 *     GET /word    "/word"
 *     PUT          likewise, once the body is there; 413 when it is too long
 *     DELETE       405, by the header alone
 */
#ifndef TEST_SUPPORT_ANSWERS_H
#define TEST_SUPPORT_ANSWERS_H

#include "web/service.h"

struct answers {
    struct web_service service; /* first member */
    uint64_t longest;           /* body of a request that is taken */
    bool slowly;                /* bodies are read byte by byte */
    uint64_t breaks_at;       /* a response's body can't be read any further; UINT64_MAX: it can */
    int begun, whole, broken; /* exchanges */
    int error;                /* of the last that ended */
    uint64_t brought;         /* bytes of requests' bodies */
    char host[64];            /* of the last request that was answered */
};

void answers_init(struct answers *answers);

#endif
