/*
 * peer/hello.c: a handshake that begins, and whose answer never comes.
 */
#include "peer/hello.h"

#include "peer/ssl.h"

#include <errno.h>

int peer_hello(struct peer_context *client, const char *name, uint8_t *bytes, size_t size)
{
    char unread[PEER_MESSAGE_MAX];
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL *ssl = in && out ? SSL_new(client->ssl) : NULL;
    int n = -ENOMEM;

    if (!ssl) {
        BIO_free(in);
        BIO_free(out);
        return n;
    }
    SSL_set_bio(ssl, in, out); /* frees them with itself */
    if (SSL_set_tlsext_host_name(ssl, name) == 1) {
        (void)SSL_connect(ssl); /* wants to read, and never will */
        n = (size_t)BIO_pending(out) <= size ? BIO_read(out, bytes, (int)size) : -EMSGSIZE;
    }
    peer_ssl_error("", unread, sizeof(unread));
    SSL_free(ssl);
    return n;
}
