/*
 * cmd_ss.c: tlsyn ss: the connections and datagram sockets of running tlsyn commands.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tlsyn/control.h>

#include "cli.h"
#include "commands.h"
#include "say.h"
#include "ss_text.h"

/* A command that is stopped answers nobody; one that runs does in a turn of its loop. */
#define PATIENCE_S 5
/* Several times what SNAPSHOT_CONNS connections take. */
#define ANSWER_MAX ((size_t)32 << 20)

struct ss {
    bool info, listening, all, tcp, udp, counters, summary, json;
    int64_t *pid; /* the chosen ones; none: all */
    bool *found;
    int pids;
    bool head; /* the columns' head is printed */
    int status;
};

/* One process's answer. */
struct answer {
    char *text;
    size_t size;
    pid_t pid; /* as seen from here; 0: not to be seen from here */
    uid_t uid; /* whose process it is */
};

static bool is_what(const char *line, const char *what)
{
    char text[16];

    return ss_member(line, "what", text, sizeof(text)) && strcmp(text, what) == 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

static int read_all(int fd, struct answer *answer)
{
    size_t room = 0;

    for (;;) {
        ssize_t n = 0;

        if (answer->size + 1 >= room) {
            char *more = NULL;

            room = room ? 2 * room : 65536;
            more = room <= ANSWER_MAX ? realloc(answer->text, room) : NULL;
            if (!more)
                return -ENOMEM;
            answer->text = more;
        }
        n = recv(fd, answer->text + answer->size, room - answer->size - 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        answer->size += (size_t)n;
        answer->text[answer->size] = '\0';
        if (n == 0)
            return 0;
    }
}

/* -ECONNREFUSED: its process is gone. */
static int ask(int dir, const char *name, struct answer *answer)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un address;
    struct ucred peer;
    socklen_t size = sizeof(peer);
    int error = tlsyn_control_dir_address(dir, name, &address);
    int fd = error < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (error < 0)
        return error;
    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        error = errno == EAGAIN ? -ETIMEDOUT : -errno;
    if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        answer->pid = peer.pid, answer->uid = peer.uid;
    if (error == 0)
        error = read_all(fd, answer);
    ss_tame(answer->text, answer->size);
    (void)close(fd);
    return error;
}

/* --- showing ---------------------------------------------------------------------------------- */

/* The numbers of a process: its own and the one that it has here, which differ between
 * PID namespaces. */
static bool is_chosen(struct ss *ss, int64_t own, int64_t here)
{
    bool chosen = ss->pids == 0;

    for (int i = 0; i < ss->pids; i++) {
        if (ss->pid[i] == own || ss->pid[i] == here)
            chosen = ss->found[i] = true;
    }
    return chosen;
}

static void show_head(struct ss *ss)
{
    if (!ss->head && !ss->json)
        ss_head(stdout, ss->tcp == ss->udp);
    ss->head = true;
}

/* What of the counters tells how connections and sessions were opened, and what was kept out. */
static bool is_about_opening(const char *line)
{
    static const char *const prefixes[] = {"TcpPassiveOpens",
                                           "TcpExtTCPAdmit",
                                           "TcpExtSyncookies",
                                           "TcpExtTCPReqQFull",
                                           "TcpExtListenOverflow",
                                           "TcpExtTCPAmplification",
                                           "Tls"};
    char name[64];

    if (!is_what(line, "counter") || !ss_member(line, "name", name, sizeof(name)))
        return false;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

/* As `ss -s`: how many connections in which state, and how they came to be. */
static void show_summary(char *text, const char *process)
{
    struct ss_tally tally = {.total = 0};
    char *rest = NULL;

    say_result("#%s\n", process);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (is_what(line, "connection") || ss_is_udp(line))
            ss_count(&tally, line);
        else if (is_about_opening(line))
            ss_counter(stdout, line);
    }
    ss_tally(stdout, &tally);
}

/* A line about a socket: as ss(8) has it, one without peer is shown when asked for. */
static bool is_wanted(const struct ss *ss, const char *line, bool listens)
{
    bool connected = ss->all || ss->info || (!ss->listening && !ss->counters);
    bool chosen = ss->tcp == ss->udp || ss->udp == ss_is_udp(line);

    return chosen && (listens ? ss->listening || ss->all : connected);
}

static void show_line(struct ss *ss, const char *line, const char *process)
{
    bool counter = is_what(line, "counter") || is_what(line, "drop"), udp = ss_is_udp(line);
    bool listener = is_what(line, "listener");
    char state[16] = "";

    if (udp)
        (void)ss_member(line, "state", state, sizeof(state));
    if (udp || listener || is_what(line, "connection")) {
        if (!is_wanted(ss, line, listener || (udp && strcmp(state, "ESTAB") != 0)))
            return;
    } else if (counter && !ss->counters) {
        return;
    }
    if (ss->json) {
        say_result("%s\n", line);
    } else if (counter) {
        ss_counter(stdout, line);
    } else if (udp || listener || is_what(line, "connection")) {
        show_head(ss);
        ss_row(stdout, line, process, ss->tcp == ss->udp);
        if (!listener && ss->info)
            ss_details(stdout, line);
    }
}

/* The answer's lines; the first is about the process. */
static void show(struct ss *ss, char *text, pid_t here)
{
    char command[32] = "?";
    char process[64];
    bool whole = false;
    int64_t own = ss_number(text, "pid");
    char *rest = NULL;

    if (!is_chosen(ss, own, here))
        return;
    (void)ss_member(text, "command", command, sizeof(command));
    (void)snprintf(process, sizeof(process), "%s,pid=%lld", command,
                   (long long)(here ? here : own));
    if (ss->summary && !ss->json) {
        show_summary(text, process);
        return;
    }
    if (ss->counters && !ss->json)
        say_result("#%s\n", process);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        show_line(ss, line, process);
        if (is_what(line, "end")) {
            whole = true;
            if (ss_number(line, "left_off") > 0)
                say("%s has %lld connections and datagram sockets more", process,
                    (long long)ss_number(line, "left_off"));
        }
    }
    if (!whole) {
        say("%s ended while it answered", process);
        ss->status = CLI_FAILURE;
    }
}

static void show_one(struct ss *ss, int dir, const char *name)
{
    struct answer answer = {.text = NULL};
    int error = ask(dir, name, &answer);

    if (error == -ECONNREFUSED) {
        (void)unlinkat(dir, name, 0);
    } else if (error < 0 && error != -ENOENT) {
        say("the process behind %s does not answer: %s", name, strerror(-error));
        ss->status = CLI_FAILURE;
    } else if (error == 0 && answer.text && is_what(answer.text, "process")) {
        show(ss, answer.text, answer.pid);
    }
    free(answer.text);
}

/* Folders come and go: one that can't be read is no
 * failure. */
static bool show_folder(void *data, int dir)
{
    int again = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    DIR *entries = again < 0 ? NULL : fdopendir(again);

    if (!entries && again >= 0)
        (void)close(again);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_name[0] != '.')
            show_one(data, dir, entry->d_name);
    }
    if (entries)
        (void)closedir(entries);
    tlsyn_control_dir_leave(dir);
    return true;
}

static void show_runtime(struct ss *ss)
{
    char path[PATH_MAX];
    int dir = tlsyn_control_dir_runtime(false, path);

    if (dir >= 0) {
        (void)show_folder(ss, dir);
    } else if (dir != -ENOENT) {
        say(dir == -EPERM
                ? "%s is not believed: it must be a folder of this user's, open to nobody "
                  "else; remove it"
                : "%s can't be read",
            path);
        ss->status = CLI_FAILURE;
    }
}

static int run(struct ss *ss)
{
    if (ss->info || ss->listening || ss->all || !(ss->counters || ss->summary))
        show_head(ss);
    show_runtime(ss);
    tlsyn_control_dir_each(show_folder, ss);
    for (int i = 0; i < ss->pids; i++) {
        if (ss->found[i])
            continue;
        say("no tlsyn command or program that may be asked runs as process %lld",
            (long long)ss->pid[i]);
        ss->status = CLI_FAILURE;
    }
    return ss->status;
}

static int take_pids(struct ss *ss, int operands, char **argv)
{
    ss->pid = calloc((size_t)operands + 1, sizeof(*ss->pid));
    ss->found = calloc((size_t)operands + 1, sizeof(*ss->found));
    if (!ss->pid || !ss->found) {
        say("%s", strerror(ENOMEM));
        return CLI_FAILURE;
    }
    for (int i = 0; i < operands; i++) {
        if (cli_count.parse(&cli_count, argv[i + 1], &ss->pid[i]) < 0) {
            say("ss: \"%s\" is no process id", argv[i + 1]);
            return CLI_USAGE;
        }
        ss->pids++;
    }
    return CLI_OK;
}

int cmd_ss(int argc, char **argv)
{
    struct ss ss = {.status = CLI_OK};
    const struct cli_option options[] = {
        {"info", 'i', NULL, &ss.info,
         "what else TCP knows of each connection, and what came and went by datagrams", NULL},
        {"listening", 'l', NULL, &ss.listening,
         "what is listened on, and datagram sockets without a peer, instead of connections", NULL},
        {"all", 'a', NULL, &ss.all, "both", NULL},
        {"tcp", 't', NULL, &ss.tcp, "TCP alone", NULL},
        {"udp", 'u', NULL, &ss.udp, "UDP alone", NULL},
        {"counters", 0, NULL, &ss.counters,
         "the counters that are not zero, by their names in nstat, and what was dropped, by reason",
         NULL},
        {"summary", 's', NULL, &ss.summary,
         "how many connections in which state, how they came to be, and what was kept out", NULL},
        {"json", 0, NULL, &ss.json, "JSON lines, as the processes give them", NULL},
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "ss",
        .operands = "[PID]...",
        .summary = "Shows the connections, and the datagram sockets with a peer, of the tlsyn "
                   "commands, and of the programs that use "
                   "tlsyn's sockets, that this user is running (root: every user), or of those "
                   "with these process ids.",
        .options = options,
        .notes = "Example:\n"
                 "  tlsyn ss -i\n"
                 "  tlsyn ss -ua\n"
                 "  tlsyn ss --json | jq 'select(.what == \"connection\") | .srtt_ms'\n",
        .operands_min = 0,
        .operands_max = -1,
    };
    int status = CLI_OK;
    int operands = cli_parse(&command, argc, argv, &status);

    if (operands < 0)
        return status;
    status = take_pids(&ss, operands, argv);
    if (status == CLI_OK)
        status = run(&ss);
    free(ss.pid);
    free(ss.found);
    return status;
}
