/*
 * study/pageload/page_actor.c: what every actor of a page load does: sign on, obey, sign off.
 */
#include "study/pageload/page_actor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "study/actors.h"
#include "study/lab_node.h"
#include "study/pageload/page_browser.h"
#include "study/pageload/page_server.h"

static int sign_on(const struct page_part *part, struct page_answer *answer, int error,
                   const char *message)
{
    memset(answer, 0, sizeof(*answer));
    answer->error = error;
    (void)snprintf(answer->message, sizeof(answer->message), "%s", message);
    return actor_send(part->control, answer, sizeof(*answer));
}

/* --- browsers --------------------------------------------------------------------------------- */

static int obey(struct page_browser *browser, struct page_answer *answer)
{
    int control = browser->part->control;
    struct page_order order;
    int error = 0;

    while (error == 0) {
        error = browser->ops->await(browser, control);
        if (error == 0)
            error = actor_receive(control, &order, sizeof(order), 0);
        if (error < 0)
            break;
        page_browser_obey(browser, &order, answer);
        error = actor_send(control, answer, sizeof(*answer));
    }
    return error == -EPIPE ? 0 : error;
}

static int play_browser(const struct page_part *part, struct page_answer *answer)
{
    char message[LOADER_SENTENCE_MAX] = "out of memory";
    struct page_browser *browser = NULL;
    struct known_page *known = calloc(1, sizeof(*known));
    int error = known ? 0 : -ENOMEM;

    if (error == 0)
        error = part->stack == STUDY_KERNEL ? page_browser_kernel(part, &browser, message)
                                            : page_browser_stack(part, &browser, message);
    (void)sign_on(part, answer, error, message);
    if (error == 0) {
        browser->known = known;
        error = obey(browser, answer);
        browser->ops->close(browser);
    }
    free(known);
    return error;
}

/* --- servers ---------------------------------------------------------------------------------- */

static int serve_on_stack(const struct page_part *part, struct page_answer *answer)
{
    const struct page_server_options options = {.credentials = part->credentials,
                                                .page = part->page,
                                                .address =
                                                    lab_host_info(LAB_SERVER)->stack_address};
    char message[LOADER_SENTENCE_MAX] = "";
    struct node node = {.link = NULL};
    struct page_server *server = NULL;
    int error = lab_node_open(&node, LAB_SERVER, false, message, sizeof(message));

    if (error == 0)
        error = page_server_open(&node, &options, &server, message);
    (void)sign_on(part, answer, error, message);
    if (error == 0)
        error = node_await(&node, part->control);
    node_close(&node);
    page_server_free(server);
    return error;
}

/* The control descriptor as the poller sees it. */
struct kernel_control {
    struct poller_watch watch;
    bool ready;
};

static void on_kernel_control(struct poller_watch *watch, uint32_t events)
{
    (void)events;
    ((struct kernel_control *)watch)->ready = true;
}

static int serve_on_kernel(const struct page_part *part, struct page_answer *answer)
{
    const struct page_server_options options = {.credentials = part->credentials,
                                                .page = part->page,
                                                .address =
                                                    lab_host_info(LAB_SERVER)->kernel_address};
    struct kernel_control control = {.watch = {.on_ready = on_kernel_control}};
    char message[LOADER_SENTENCE_MAX] = "";
    struct poller poller;
    struct page_server_kernel *server = NULL;
    int error = poller_open(&poller);

    if (error == 0)
        error = page_server_kernel_open(&poller, &options, &server, message);
    if (error == 0)
        error = poller_watch(&poller, part->control, EPOLLIN, &control.watch);
    (void)sign_on(part, answer, error, message);
    if (error == 0)
        error = poller_run(&poller, &control.ready, TLSYN_NEVER);
    page_server_kernel_free(server);
    poller_close(&poller);
    return error;
}

static int play_server(const struct page_part *part, struct page_answer *answer)
{
    return part->stack == STUDY_KERNEL ? serve_on_kernel(part, answer)
                                       : serve_on_stack(part, answer);
}

int page_actor_main(void *argument)
{
    const struct page_part *part = argument;
    struct page_answer *answer = calloc(1, sizeof(*answer));
    int error = answer ? 0 : -ENOMEM;

    (void)signal(SIGINT, SIG_IGN); /* what is meant for all of us is the harness's to obey */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    if (error == 0)
        error = part->role == PAGE_BROWSER ? play_browser(part, answer) : play_server(part, answer);
    free(answer);
    return error < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
