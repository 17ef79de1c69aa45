/*
 * host.c: the life of a subcommand's host: opened step by step, and closed. Read first:
 * RFC 5227 2.1.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host_address.h"
#include "host_link.h"
#include "privilege.h"
#include "say.h"

/* --- the ports -------------------------------------------------------------------------------- */

/* Before the rights are gone that a port below 1024 needs. */
static int guard_ports(struct host *host)
{
    uint16_t port = host->options->listen;
    int error = 0;

    if (!host->shared)
        return CLI_OK;
    guard_init(&host->guard, &host->own.address, if_nametoindex(host->interface));
    if (port)
        error = guard_hold(&host->guard, port);
    if (error == 0)
        return CLI_OK;
    if (error == -EACCES) {
        privilege_explain_port(port);
        return CLI_PERMISSION;
    }
    if (error == -EADDRINUSE)
        say("port %u is in use by another program of this machine; stop that, or choose another "
            "with --port, or an address that nobody has with --address",
            port);
    else
        say("port %u can't be guarded from the kernel: %s", port, strerror(-error));
    return CLI_FAILURE;
}

/* --- files of the user's: capture, trace, key log --------------------------------------------- */

static void emit_trace(struct tlsyn_trace *base, const struct tlsyn_trace_record *record)
{
    struct host_trace *trace = (struct host_trace *)base;
    char text[512];

    if (tlsyn_trace_json(record, text, sizeof(text)) > 0)
        (void)fprintf(trace->out, "%s\n", text);
}

static int open_trace(struct host *host)
{
    const char *path = host->options->trace;

    if (!path)
        return CLI_OK;
    host->trace.base = (struct tlsyn_trace){.emit = emit_trace, .mask = ~UINT64_C(0)};
    host->trace.out = strcmp(path, "-") == 0 ? stderr : fopen(path, "we");
    if (host->trace.out)
        return CLI_OK;
    say("the trace %s can't be written: %s", path, strerror(errno));
    return CLI_FAILURE;
}

static int open_files(struct host *host)
{
    const char *path = host->options->capture;
    struct tlsyn_link *capture = NULL;
    int error = 0;

    if (path) {
        error = tlsyn_capture_wrap(host->link, path, &capture);
        if (error < 0) {
            say("the capture %s can't be written: %s", path, strerror(-error));
            return CLI_FAILURE;
        }
        host->link = capture;
        host->capture = capture;
    }
    error = keylog_init(&host->keylog, capture);
    if (error < 0) {
        say("the file that SSLKEYLOGFILE names can't be written: %s", strerror(-error));
        return CLI_FAILURE;
    }
    return open_trace(host);
}

/* --- stack, address, routes ------------------------------------------------------------------- */

static int start_stack(struct host *host, const struct tlsyn_limits *limits)
{
    struct tlsyn_stack_options options = {
        .limits = limits,
        .trace = host->trace.out ? &host->trace.base : NULL,
        .now = tlsyn_clock(),
        .shared = host->shared,
        .ports = host->shared ? &host->guard.base : NULL,
    };
    int error = 0;

    host->stack = tlsyn_stack_new(&options);
    if (!host->stack)
        error = -ENOMEM;
    if (error == 0)
        error = tlsyn_iface_add(host->stack, host->link, &host->iface);
    if (error == 0)
        error = host_give_address(host);
    if (error == 0)
        error = tlsyn_loop_new(host->stack, NULL, &host->loop);
    if (error == 0)
        error = tlsyn_loop_iface(host->loop, host->iface);
    if (error < 0) {
        say("the stack can't be started: %s", strerror(-error));
        return CLI_FAILURE;
    }
    return host_awaits_address(host) ? CLI_OK : host_add_gateway(host);
}

/* --- signals ---------------------------------------------------------------------------------- */

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static void take_signal(struct tlsyn_loop_watch *watch, int fd, short revents)
{
    struct host_signals *signals = (struct host_signals *)watch;
    struct signalfd_siginfo info;

    (void)revents;
    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP && (!signals->terminal || has_terminal()))
            signals->renew = true;
        else
            signals->caught++;
    }
}

/* nohup(1) has it ignored; but what is blocked, as for signalfd(2), comes all the same. */
static bool ignores_hangup(void)
{
    struct sigaction inherited = {.sa_handler = SIG_DFL};

    return sigaction(SIGHUP, NULL, &inherited) == 0 && inherited.sa_handler == SIG_IGN;
}

static int watch_signals(struct host *host)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (host->options->renews)
        (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    host->signals.terminal = has_terminal() && !ignores_hangup();
    host->signals.watch.on_ready = take_signal;
    host->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (host->signals.fd >= 0 &&
        tlsyn_loop_watch(host->loop, host->signals.fd, POLLIN, &host->signals.watch) == 0)
        return CLI_OK;
    say("signals can't be watched: %s", strerror(errno));
    return CLI_FAILURE;
}

/* --- what tlsyn ss sees ----------------------------------------------------------------------- */

/* A command runs as well without it. */
static void open_control(struct host *host)
{
    const struct tlsyn_control_about about = {.command = host->options->command,
                                              .interface = host->interface,
                                              .address = &host->own.address};

    (void)tlsyn_control_open(host->loop, host->stack, &about, &host->control);
}

/* --- life ------------------------------------------------------------------------------------- */

int host_open(struct host *host, const struct host_options *options,
              const struct tlsyn_limits *limits)
{
    int status = CLI_OK;

    *host = (struct host){.options = options, .signals = {.fd = -1}, .claim = -1};
    if (options->link.kind == HOST_TAP && options->link.path)
        (void)snprintf(host->interface, sizeof(host->interface), "%s", options->link.path);
    else if (options->link.kind == HOST_AFPACKET || options->link.kind == HOST_PCAP)
        status = host_choose_interface(host);
    if (status == CLI_OK)
        status = host_choose_address(host);
    if (status == CLI_OK)
        status = host_claim_address(host);
    if (status == CLI_OK)
        status = guard_ports(host);
    if (status == CLI_OK)
        status = host_open_link(host);
    if (status == CLI_OK)
        status = privilege_drop();
    if (status == CLI_OK)
        status = open_files(host);
    if (status == CLI_OK)
        status = start_stack(host, limits);
    if (status == CLI_OK)
        status = watch_signals(host);
    if (status == CLI_OK)
        open_control(host);
    if (status == CLI_OK)
        status = host_await_address(host);
    if (status != CLI_OK)
        status = host_close(host, status);
    return status;
}

/* A file that lacks its end has failed, and only now it is known. */
static int check_files(const struct host *host, int status)
{
    int error = host->capture ? tlsyn_capture_flush(host->capture) : 0;

    if (error < 0) {
        say("the capture %s is incomplete: %s", host->options->capture, strerror(-error));
        status = status == CLI_OK ? CLI_FAILURE : status;
    }
    errno = 0;
    if (host->trace.out && (fflush(host->trace.out) != 0 || ferror(host->trace.out))) {
        say("the trace %s is incomplete: %s", host->options->trace, strerror(errno ? errno : EIO));
        status = status == CLI_OK ? CLI_FAILURE : status;
    }
    return status;
}

int host_close(struct host *host, int status)
{
    tlsyn_dhcp_stop(host->lease.dhcp);
    tlsyn_control_close(host->control);
    host->control = NULL;
    if (host->loop) {
        (void)tlsyn_loop_turn(host->loop, 0); /* a last RST or FIN that is due */
        if (host->shared)
            host_await_last_words(host);
        tlsyn_loop_free(host->loop);
    }
    if (host->stack)
        tlsyn_stack_free(host->stack);
    guard_fini(&host->guard);
    status = check_files(host, status);
    keylog_fini(&host->keylog);
    tlsyn_link_close(host->link);
    host_yield_address(host);
    if (host->trace.out && host->trace.out != stderr)
        (void)fclose(host->trace.out);
    if (host->signals.fd >= 0)
        (void)close(host->signals.fd);
    *host = (struct host){.signals = {.fd = -1}, .claim = -1};
    return status;
}
