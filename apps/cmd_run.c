/*
 * cmd_run.c: tlsyn run: becomes a program whose sockets are served by the shim (preload.h).
 *
 * Here is done what needs a right, or deserves a sentence before the program starts: interface and
 * address are chosen and checked, the packet socket is opened, all rights are given up. What
 * follows is an execvp(3): the program has our process id, terminal and signals, and its
 * exit status is ours.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "host_address.h"
#include "host_link.h"
#include "preload.h"
#include "privilege.h"
#include "say.h"

#define SHIM "libtlsyn_preload.so"

/* Away from those that scripts name. */
#define LOWEST_DESCRIPTOR 200

/* --- the shim --------------------------------------------------------------------------------- */

/* Beside the binary, as it was built, or where it was installed. */
static int find_shim(char path[PATH_MAX])
{
    static const char *const places[] = {"/" SHIM, "/../lib/tlsyn/" SHIM};
    char own[PATH_MAX - 64];
    ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
    char *slash;

    own[n < 0 ? 0 : n] = '\0';
    slash = strrchr(own, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void)snprintf(path, PATH_MAX, "%s%s", own, places[i]);
        if (access(path, R_OK) == 0 && !strpbrk(path, ": "))
            return CLI_OK;
    }
    say("%s is neither beside the tlsyn command nor in ../lib/tlsyn, in a path without blanks and "
        "colons; install both (make install)",
        SHIM);
    return CLI_FAILURE;
}

/* --- the program ------------------------------------------------------------------------------ */

/* As execvp(3) will: 0, or -errno. */
static int find_program(const char *name, char path[PATH_MAX])
{
    const char *folders = getenv("PATH");
    struct stat about;

    if (strchr(name, '/')) {
        (void)snprintf(path, PATH_MAX, "%s", name);
        return access(path, X_OK) == 0 ? 0 : -errno;
    }
    for (const char *at = folders ? folders : "/bin:/usr/bin"; *at;) {
        size_t n = strcspn(at, ":");

        (void)snprintf(path, PATH_MAX, "%.*s/%s", (int)n, n ? at : ".", name);
        if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0)
            return 0;
        at += n + (at[n] == ':');
    }
    return -ENOENT;
}

/* An ELF program of this machine's kind that names no interpreter is linked statically: nothing
 * would be loaded into it, and it would use the kernel's network unnoticed. */
static bool is_static(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf64_Ehdr head;
    Elf64_Phdr part;
    bool elf = fd >= 0 && read(fd, &head, sizeof(head)) == (ssize_t)sizeof(head) &&
               memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && head.e_ident[EI_CLASS] == ELFCLASS64 &&
               head.e_phentsize == sizeof(part);
    bool interpreted = false;

    for (int i = 0; elf && i < head.e_phnum; i++) {
        off_t at = (off_t)head.e_phoff + i * (off_t)sizeof(part);

        if (pread(fd, &part, sizeof(part), at) == (ssize_t)sizeof(part) && part.p_type == PT_INTERP)
            interpreted = true;
    }
    if (fd >= 0)
        (void)close(fd);
    return elf && !interpreted;
}

static int check_program(const char *name)
{
    char path[PATH_MAX];
    int error = find_program(name, path);

    if (error < 0) {
        say("cannot run \"%s\": %s", name, strerror(-error));
        return error == -ENOENT ? 127 : 126; /* as shells do */
    }
    if (!is_static(path))
        return CLI_OK;
    say("%s is linked statically, so its sockets can't be served; install a build that is linked "
        "dynamically",
        path);
    return CLI_FAILURE;
}

/* --- what the stack is to stand on ------------------------------------------------------------ */

static int say_as_variables(const struct host *host, int packet_socket, const char *shim)
{
    struct tlsyn_addr gateway = {.byte = {0}};
    char address[CLI_ADDRESS_TEXT], text[PATH_MAX + 256];
    const char *others = getenv("LD_PRELOAD");
    int status = host_choose_gateway(host, &gateway);

    if (status != CLI_OK)
        return status;
    (void)snprintf(text, sizeof(text), "%d", packet_socket);
    (void)setenv(PRELOAD_SOCKET, text, 1);
    (void)setenv(PRELOAD_INTERFACE, host->interface, 1);
    (void)snprintf(text, sizeof(text), "%s/%d", cli_address_text(&host->own.address, address),
                   host->own.prefix_len);
    (void)setenv(PRELOAD_ADDRESS, text, 1);
    (void)setenv(PRELOAD_CONGESTION, host_controller(host->options), 1);
    (void)unsetenv(PRELOAD_GATEWAY);
    if (!tlsyn_addr_unspecified(&gateway))
        (void)setenv(PRELOAD_GATEWAY, cli_address_text(&gateway, address), 1);
    (void)unsetenv(PRELOAD_CAPTURE);
    if (host->options->capture)
        (void)setenv(PRELOAD_CAPTURE, host->options->capture, 1);
    if (others && *others && strlen(others) < 256)
        (void)snprintf(text, sizeof(text), "%s:%s", shim, others);
    else
        (void)snprintf(text, sizeof(text), "%s", shim);
    (void)setenv("LD_PRELOAD", text, 1);
    return CLI_OK;
}

/* The descriptor outlives execvp(3). */
static int open_packet_socket(int *packet_socket)
{
    int fd = tlsyn_afpacket_socket(NULL);

    *packet_socket = fd < 0 ? fd : fcntl(fd, F_DUPFD, LOWEST_DESCRIPTOR);
    if (*packet_socket >= 0) {
        (void)close(fd);
        return CLI_OK;
    }
    if (fd == -EPERM || fd == -EACCES) {
        privilege_explain();
        return CLI_PERMISSION;
    }
    /* fcntl(2) says EINVAL of a number beyond the limit of open files. */
    say("a packet socket can't be opened: %s", strerror(fd < 0            ? -fd
                                                        : errno == EINVAL ? EMFILE
                                                                          : errno));
    return CLI_FAILURE;
}

/* Returns only if it fails. */
static int become(char **argv)
{
    int error;

    (void)signal(SIGPIPE, SIG_DFL);
    (void)execvp(argv[0], argv);
    error = errno;
    say("cannot run \"%s\": %s", argv[0], strerror(error));
    return error == ENOENT ? 127 : 126;
}

static int run(const struct host_options *options, char **argv)
{
    struct host host = {.options = options};
    char shim[PATH_MAX];
    int packet_socket = -1;
    int status = CLI_OK;

    if (options->source != HOST_GIVEN) {
        say("run: --address takes an address here, such as 10.0.0.9/24");
        return CLI_USAGE;
    }
    status = find_shim(shim);
    if (status == CLI_OK)
        status = check_program(argv[0]);
    if (status == CLI_OK)
        status = host_choose_interface(&host);
    if (status == CLI_OK)
        status = host_choose_address(&host);
    if (status == CLI_OK)
        status = open_packet_socket(&packet_socket);
    if (status == CLI_OK)
        status = privilege_drop();
    if (status == CLI_OK)
        status = say_as_variables(&host, packet_socket, shim);
    return status == CLI_OK ? become(argv) : status;
}

/* --- the command line ------------------------------------------------------------------------- */

/* Of the options that every host has, those that mean something to the shim. */
static void keep_options(struct cli_option table[HOST_OPTIONS])
{
    static const struct {
        const char *name, *help; /* NULL: as it is */
    } kept[] = {
        {"interface", NULL},
        {"address", "its own address, IPv4 or IPv6, one that nobody has, this machine included"},
        {"prefix", NULL},
        {"gateway", NULL},
        {"capture", "write every frame to FILE (pcapng)"},
        {"congestion", NULL},
    };
    int n = 0;

    for (int i = 0; table[i].name; i++) {
        for (size_t k = 0; k < sizeof(kept) / sizeof(kept[0]); k++) {
            if (strcmp(table[i].name, kept[k].name) != 0)
                continue;
            table[n] = table[i];
            if (kept[k].help)
                table[n].help = kept[k].help;
            n++;
            break;
        }
    }
    table[n].name = NULL;
}

int cmd_run(int argc, char **argv)
{
    static const struct cli_option none[] = {{.name = NULL}};
    struct host_options options;
    struct cli_option common[HOST_OPTIONS];
    const struct cli_command command = {
        .name = "run",
        .operands = "[--] COMMAND [ARGUMENT]...",
        .summary =
            "Runs COMMAND, unmodified, with its TCP and UDP sockets, IPv4 and IPv6, served by this "
            "stack, at an address of their own. All else is the kernel's. The exit status is the "
            "command's; it runs without privileges.",
        .options = none,
        .common = common,
        .notes =
            "The calls are taken over by a library that is loaded first (LD_PRELOAD). So:\n"
            "- COMMAND is linked dynamically, and calls the C library: no static programs, no Go.\n"
            "- Names are resolved, and interfaces listed, by this machine: COMMAND is told its\n"
            "  addresses, not this stack's.\n"
            "- One process at a time has the network: the first one that makes a socket, until it\n"
            "  ends. A shell may start one program after another; a server that forks for each\n"
            "  visitor, or into the background, can't be served, one with threads can.\n"
            "- 127.0.0.1 and the other addresses of this machine are not reached.\n"
            "- stdio works on a socket only through fdopen(). Ports are shared (SO_REUSEPORT)\n"
            "  within the program; of ancillary data there is that of datagrams: addresses, TTL,\n"
            "  TOS, times, errors.\n"
            "- kill -9, and execve() by a process that has sockets, leave its peers without a "
            "word.\n"
            "\n"
            "  tlsyn run --address 192.168.1.77/24 curl http://192.168.1.1/\n"
            "  tlsyn run --address 192.168.1.77/24 python3 -m http.server 80\n",
        .operands_min = 1,
        .operands_max = -1,
        .options_first = true,
    };
    int status = CLI_USAGE;
    int operands = 0;

    host_options_init(&options, "run", common);
    options.alone = true;
    keep_options(common);
    operands = cli_parse(&command, argc, argv, &status);
    if (operands < 0)
        return status;
    argv[operands + 1] = NULL;
    return run(&options, argv + 1);
}
