/*
 * fuzz_h2_client: the input is what a server of HTTP/2 says to a client with three requests under
 * way, in pieces whose first octet is their length. Each request is told once how it ended.
 */
#include <string.h>

#include "support/must.h"
#include "web/http_client.h"

#define REQUESTS 8

struct user {
    struct http_client_user base;
    struct http_client *client;
    int asked;
    int heads[REQUESTS], done[REQUESTS];
};

static struct user *of(struct http_client_user *user)
{
    return (struct user *)user;
}

static void ask(struct user *user)
{
    const struct http_request what = {.authority = "www.page.test", .target = "/"};

    if (user->asked < REQUESTS && user->client->ops->ask(user->client, user->asked, &what) == 0)
        user->asked++;
}

static void on_head(struct http_client_user *user, int request, const struct http_head *head)
{
    must(request >= 0 && request < of(user)->asked);
    must(++of(user)->heads[request] == 1 && of(user)->done[request] == 0);
    must(head->len == strlen(head->text) && head->status / 100 != 1);
}

static void on_body(struct http_client_user *user, int request, const char *bytes, size_t n)
{
    (void)bytes;
    must(of(user)->heads[request] == 1 && of(user)->done[request] == 0 && n < 1 << 20);
}

static void on_done(struct http_client_user *user, int request, int error, const char *sentence)
{
    must(++of(user)->done[request] == 1);
    must((error == 0) == (sentence[0] == '\0') && error <= 0);
    must(error < 0 || of(user)->heads[request] == 1);
    ask(of(user));
}

static const struct http_client_events events = {
    .on_head = on_head, .on_body = on_body, .on_done = on_done};

static void drain(struct user *user)
{
    const char *bytes = NULL;
    size_t n = 0;

    while ((n = user->client->ops->pending(user->client, &bytes)) > 0)
        user->client->ops->sent(user->client, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct user user = {.base = {.events = &events}};
    int error = 0;
    size_t at = 0;

    must(h2_client_new(&user.base, &user.client) == 0);
    for (int i = 0; i < 3; i++)
        ask(&user);
    drain(&user);
    while (at < size && error == 0) {
        size_t n = data[at++];

        if (n > size - at)
            n = size - at;
        error = user.client->ops->take(user.client, (const char *)data + at, n);
        at += n;
        if (n % 2 == 0)
            drain(&user);
    }
    user.client->ops->ended(user.client, 0, "");
    must(user.client->ops->room(user.client) < 0);
    for (int i = 0; i < user.asked; i++)
        must(user.done[i] == 1);
    user.client->ops->free(user.client);
    return 0;
}
