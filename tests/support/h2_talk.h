/*
 * support/h2_talk.h: nghttp2's client on one side, our server of HTTP/2 with answers.h behind it on
 * the other, and what the client heard.
 */
#ifndef TEST_SUPPORT_H2_TALK_H
#define TEST_SUPPORT_H2_TALK_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <string.h>

#include "support/answers.h"
#include "web/server.h"

#define H2_TALK_STREAMS 400

struct h2_talk {
    struct answers answers;
    struct web_server *server;
    nghttp2_session *client;
    int status[H2_TALK_STREAMS];      /* by stream, the last */
    int continued;                    /* responses with status 100 */
    uint64_t bytes[H2_TALK_STREAMS];  /* of bodies */
    uint32_t closed[H2_TALK_STREAMS]; /* error codes, and 1000 more */
    uint32_t goaway;                  /* its code, and 1000 more */
};

struct h2_talk *h2_talk_new(void);

/** The test fails unless every exchange that was begun has ended. */
void h2_talk_free(struct h2_talk *w);

/** What one side has to send goes to the other, `step` bytes at a time. False: it had nothing. */
bool h2_client_speaks(struct h2_talk *w, size_t step);
bool h2_server_speaks(struct h2_talk *w, size_t step);

/** Both sides, until neither has anything to send. */
void h2_talk(struct h2_talk *w, size_t step);

#define H2_FIELD(name, value)                                                                      \
    {                                                                                              \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), strlen(name), strlen(value),  \
            0                                                                                      \
    }

/** The client's request; without `body` its headers end the stream. Returns the stream's number. */
int32_t h2_request(struct h2_talk *w, const char *method, const char *target,
                   const nghttp2_data_provider *body);

#endif
