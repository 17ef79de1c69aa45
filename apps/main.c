/*
 * main.c: picks the subcommand.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "say.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"ping", cmd_ping, "measure round trips by ICMP echo"},
    {"connect", cmd_connect,
     "open a TLS connection and say what was negotiated, how, and how fast"},
    {"prefetch", cmd_prefetch, "learn of a server what makes the next visit quicker"},
    {"get", cmd_get, "fetch an https URL"},
    {"serve", cmd_serve, "serve files over https"},
    {"run", cmd_run, "run a program of somebody else's with its sockets served by this TCP"},
    {"ss", cmd_ss, "show the connections of running tlsyn commands"},
    {"explain", cmd_explain, "draw a handshake from a capture, and say what it was"},
    {"lab", cmd_lab, "run a command in a network made for it"},
    {"bench", cmd_bench, "measure what carrying TLS in TCP's handshake saves"},
    {NULL, NULL, NULL},
};

static void print_help(void)
{
    say_result("Usage: tlsyn COMMAND [OPTION]...\n\n"
               "TCP in user space whose three-way handshake carries the TLS handshake.\n\n"
               "Commands:\n");
    for (size_t i = 0; commands[i].name; i++)
        say_result("  %-9s %s\n", commands[i].name, commands[i].summary);
    say_result("\ntlsyn COMMAND --help lists a command's options; docs/man/tlsyn.1 tells more.\n");
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_help();
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        say_result("tlsyn %s\n", TLSYN_VERSION);
        return CLI_OK;
    }
    for (size_t i = 0; commands[i].name; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    say("there is no command \"%s\" (tlsyn --help lists them)", argv[1]);
    return CLI_USAGE;
}

/* A standard descriptor that the caller has closed would be the next socket's number, and what is
 * printed would go out on the network. In its place comes one that fails as a closed one does. */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    int status, lost;

    hold_standard_descriptors();
    /* A reader of our output that goes away is an error (EPIPE), not a death: what is open, a
     * connection or a capture, is ended in order. */
    (void)signal(SIGPIPE, SIG_IGN);
    status = run(argc, argv);
    lost = say_flush();
    if (lost < 0)
        lost = cli_output_lost(lost);
    return status == CLI_OK ? lost : status;
}
