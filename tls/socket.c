/*
 * socket.c: TLS as sockets see it: a table of calls (tlsyn/socket.h), and nothing else.
 */
#include <errno.h>

#include <tlsyn/tls_socket.h>

#include "engine.h"

/** One per socket; what it makes refers to the configuration alone. */
struct tls_under_socket {
    struct tlsyn_engine base;
    struct tlsyn_tls_config *config;
};

static struct tlsyn_tls *session(struct tlsyn_session *session)
{
    return (struct tlsyn_tls *)(void *)session;
}

static int attach(struct tlsyn_engine *engine, struct tlsyn_conn *conn, const char *server_name,
                  struct tlsyn_handler *app, struct tlsyn_session **out,
                  struct tlsyn_handler **handler)
{
    struct tls_under_socket *under = (struct tls_under_socket *)(void *)engine; /* first member */
    struct tlsyn_tls *tls;
    int error = tlsyn_tls_attach(under->config, conn, server_name, app, &tls);

    if (error < 0)
        return error;
    tls->again.wanted = true; /* to a program it is one stream */
    *out = (struct tlsyn_session *)(void *)tls;
    *handler = tlsyn_tls_handler(tls);
    return 0;
}

static ssize_t read_plaintext(struct tlsyn_session *s, void *bytes, size_t n)
{
    return tlsyn_tls_read(session(s), bytes, n);
}

static size_t pending(struct tlsyn_session *s)
{
    return tlsyn_tls_pending(session(s));
}

static ssize_t write_plaintext(struct tlsyn_session *s, const void *bytes, size_t n)
{
    return tlsyn_tls_write(session(s), bytes, n);
}

static void close_direction(struct tlsyn_session *s)
{
    tlsyn_tls_close(session(s));
}

static void release(struct tlsyn_session *s)
{
    tlsyn_tls_release(session(s));
}

static void end(struct tlsyn_session *s)
{
    tlsyn_tls_free(session(s));
}

static const char *sentence(struct tlsyn_session *s)
{
    return tlsyn_tls_error(session(s));
}

static int early(struct tlsyn_session *s)
{
    struct tlsyn_tls_info info;

    tlsyn_tls_info(session(s), &info);
    if (tlsyn_tls_is_early(session(s)))
        return TLSYN_EARLY_NOW;
    if (info.early == TLSYN_TLS_EARLY_NONE)
        return TLSYN_EARLY_NONE;
    return info.early == TLSYN_TLS_EARLY_ACCEPTED ? TLSYN_EARLY_ACCEPTED : TLSYN_EARLY_REJECTED;
}

static bool may_be_early(const struct tlsyn_engine *engine)
{
    const struct tlsyn_tls_config *config =
        ((const struct tls_under_socket *)(const void *)engine)->config;

    return early_is_wanted(config, true);
}

static void drop(struct tlsyn_engine *engine)
{
    struct tls_under_socket *under = (struct tls_under_socket *)(void *)engine;
    struct tlsyn_alloc *alloc = under->config->alloc;

    alloc->resize(alloc, under, 0);
}

static int put_under(int fd, struct tlsyn_tls_config *config, const char *server_name)
{
    static const struct tlsyn_engine_ops ops = {
        .attach = attach,
        .read = read_plaintext,
        .pending = pending,
        .write = write_plaintext,
        .close = close_direction,
        .release = release,
        .abort = end,
        .error = sentence,
        .early = early,
        .may_be_early = may_be_early,
        .drop = drop,
    };
    struct tlsyn_alloc *alloc = config->alloc;
    struct tls_under_socket *under = alloc->resize(alloc, NULL, sizeof(*under));

    if (under == NULL) {
        errno = ENOMEM;
        return -1;
    }
    *under = (struct tls_under_socket){.base.ops = &ops, .config = config};
    if (tlsyn_socket_engine(fd, &under->base, server_name) == 0)
        return 0;
    alloc->resize(alloc, under, 0);
    return -1;
}

int tlsyn_socket_tls(int fd, struct tlsyn_tls_config *config)
{
    return put_under(fd, config, NULL);
}

int tlsyn_socket_tls_client(int fd, struct tlsyn_tls_config *config, const char *server_name)
{
    return put_under(fd, config, server_name);
}

/* A second call while the first is under way asks how far it is, like connect(2). */
int tlsyn_connect_ssl(int fd, const struct sockaddr *address, socklen_t length,
                      struct tlsyn_tls_config *config, const char *server_name)
{
    if (put_under(fd, config, server_name) < 0 && errno != EISCONN)
        return -1;
    return tlsyn_connect(fd, address, length);
}
