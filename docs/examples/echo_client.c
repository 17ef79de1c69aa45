/*
 * echo_client.c: sends its standard input to an echo server, prints the answers; with a CA by TLS.
 *
 *     echo_client INTERFACE OUR-ADDRESS/LEN SERVER-ADDRESS PORT [CA.pem SERVER-NAME]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tlsyn/tls_socket.h>

static void check(int failed, const char *what)
{
    if (failed)
        perror(what), exit(1);
}

static struct tlsyn_tls_config *trusting(const char *path)
{
    const struct tlsyn_tls_options options = {
        .role = TLSYN_TLS_CLIENT, .wall_clock = time(NULL), .wall_at = tlsyn_clock()};
    static char pem[65536];
    struct tlsyn_tls_config *config;
    FILE *file = fopen(path, "r");

    check(!file, path);
    check(tlsyn_tls_config_new(&options, &config, NULL) < 0, "TLS");
    check(tlsyn_tls_config_trust(config, pem, fread(pem, 1, sizeof(pem), file), NULL) < 0, path);
    fclose(file);
    return config;
}

int main(int argc, char **argv)
{
    errno = EINVAL;
    check(argc != 5 && argc != 7,
          "usage: echo_client INTERFACE ADDRESS/LEN SERVER PORT [CA.pem NAME]");
    struct tlsyn_net_options where = {.interface = argv[1], .address = argv[2]};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[4]))};
    struct tlsyn_tls_config *tls = argc > 6 ? trusting(argv[5]) : NULL;
    struct tlsyn_net *net;
    char line[4096];

    check((errno = -tlsyn_net_open(&where, &net)) != 0, "network");
    inet_pton(AF_INET, argv[3], &to.sin_addr);
    int fd = tlsyn_socket(net, AF_INET, SOCK_STREAM, 0);
    if (tls)
        check(tlsyn_connect_ssl(fd, (struct sockaddr *)&to, sizeof(to), tls, argv[6]), "connect");
    else
        check(tlsyn_connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
    while (fgets(line, sizeof(line), stdin)) {
        size_t n = strlen(line);
        check(tlsyn_send(fd, line, n, 0) != (ssize_t)n, "send");
        check(tlsyn_recv(fd, line, n, MSG_WAITALL) != (ssize_t)n, "receive");
        fwrite(line, 1, n, stdout);
    }
    tlsyn_close(fd);
    tlsyn_net_close(net);
    tlsyn_tls_config_free(tls);
}
