/*
 * echo_server.c: sends back whatever comes, client by client; with a certificate by TLS.
 *
 *     echo_server INTERFACE OUR-ADDRESS/LEN PORT [CERTIFICATE.pem KEY.pem]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <tlsyn/tls_socket.h>

static void check(int failed, const char *what)
{
    if (failed)
        perror(what), exit(1);
}

static size_t slurp(const char *path, char *bytes, size_t room)
{
    FILE *file = fopen(path, "r");

    check(!file, path);
    room = fread(bytes, 1, room, file);
    fclose(file);
    return room;
}

static struct tlsyn_tls_config *identified(const char *chain_path, const char *key_path)
{
    const struct tlsyn_tls_options options = {.role = TLSYN_TLS_SERVER};
    static char chain[65536], key[65536];
    size_t n = slurp(chain_path, chain, sizeof(chain)), m = slurp(key_path, key, sizeof(key));
    struct tlsyn_tls_config *config;

    check(tlsyn_tls_config_new(&options, &config, NULL) < 0, "TLS");
    check(tlsyn_tls_config_identity(config, chain, n, key, m, NULL) < 0, chain_path);
    return config;
}

int main(int argc, char **argv)
{
    errno = EINVAL;
    check(argc != 4 && argc != 6,
          "usage: echo_server INTERFACE ADDRESS/LEN PORT [CERT.pem KEY.pem]");
    struct tlsyn_net_options where = {.interface = argv[1], .address = argv[2]};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
    struct tlsyn_net *net;
    char bytes[4096];
    ssize_t n;

    check((errno = -tlsyn_net_open(&where, &net)) != 0, "network");
    int listener = tlsyn_socket(net, AF_INET, SOCK_STREAM, 0);
    if (argc > 5)
        check(tlsyn_socket_tls(listener, identified(argv[4], argv[5])), "TLS");
    check(tlsyn_bind(listener, (struct sockaddr *)&at, sizeof(at)), "bind");
    check(tlsyn_listen(listener, 8), "listen");
    for (int fd; (fd = tlsyn_accept(listener, NULL, NULL)) >= 0; tlsyn_close(fd))
        while ((n = tlsyn_recv(fd, bytes, sizeof(bytes), 0)) > 0)
            if (tlsyn_send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
                break;
}
