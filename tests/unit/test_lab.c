/*
 * The laboratory as its callers use it: what children inherit, what the link does, what stays
 * behind. Where namespaces are forbidden there is only one thing to see: that it says so.
 */
#include "lab/lab.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000 /* far more than anything here takes */

/* NULL where namespaces are forbidden. */
static struct lab *open_lab(const struct lab_options *options)
{
    struct lab *lab = NULL;
    struct lab_error error;
    int status = lab_open(options, &lab, &error);

    if (status < 0) {
        ck_assert_msg(status == -EPERM, "%s (%d)", error.text, status);
        ck_assert_ptr_nonnull(strstr(error.text, "sudo"));
        printf("skipped: %s\n", error.text);
        return NULL;
    }
    return lab;
}

static int run(struct lab *lab, enum lab_host host, int (*function)(void *), void *argument)
{
    int status = 0;
    pid_t child = lab_spawn(lab, host, function, argument);

    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(lab_wait(lab, child, WAIT_MS, &status), 0);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run_shell(struct lab *lab, enum lab_host host, const char *script)
{
    char shell[] = "/bin/sh", option[] = "-c", text[512];
    char *argv[] = {shell, option, text, NULL};
    int status = 0;

    snprintf(text, sizeof(text), "%s", script);
    pid_t child = lab_exec(lab, host, argv);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(lab_wait(lab, child, WAIT_MS, &status), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- processes -------------------------------------------------------------------------------- */

static int write_to_pipe(void *fds)
{
    return write(((int *)fds)[1], "lab", 3) == 3 ? 42 : 1;
}

START_TEST(a_child_has_the_callers_descriptors_and_memory)
{
    struct lab_options options = {.mtu = 0};
    struct lab *lab = open_lab(&options);
    char text[4] = "";
    int fds[2];

    if (!lab)
        return;
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(run(lab, LAB_SERVER, write_to_pipe, fds), 42);
    ck_assert_int_eq(read(fds[0], text, 3), 3);
    ck_assert_str_eq(text, "lab");
    lab_close(lab);
}
END_TEST

START_TEST(a_command_finds_its_environment)
{
    struct lab_options options = {.mtu = 1280};
    struct lab *lab = open_lab(&options);

    if (!lab)
        return;
    ck_assert_int_eq(run_shell(lab, LAB_CLIENT,
                               "test $TLSYN_HOST = client && test $TLSYN_ADDRESS = 10.77.0.11/24 &&"
                               "test $TLSYN_PEER = 10.77.0.12 && test $TLSYN_INTERFACE = eth0"),
                     0);
    ck_assert_int_eq(run_shell(lab, LAB_SERVER,
                               "test $TLSYN_KERNEL_ADDRESS = 10.77.0.2 &&"
                               "test $TLSYN_KERNEL_PEER = 10.77.0.1 && exit 7"),
                     7);
    ck_assert_int_eq(run_shell(lab, LAB_SERVER,
                               "test $TLSYN_ADDRESS6 = fd77::12/64 && test $TLSYN_PEER6 = fd77::11 "
                               "&& test $TLSYN_KERNEL_ADDRESS6 = fd77::2 &&"
                               "test $TLSYN_KERNEL_PEER6 = fd77::1 && exit 6"),
                     6);
    lab_close(lab);
}
END_TEST

START_TEST(a_command_that_does_not_exist_is_an_error_at_once)
{
    struct lab_options options = {.mtu = 0};
    char name[] = "/no/such/command";
    char *argv[] = {name, NULL};
    struct lab *lab = open_lab(&options);
    int status = 0;

    if (!lab)
        return;
    ck_assert_int_eq(lab_exec(lab, LAB_CLIENT, argv), -ENOENT);
    ck_assert_int_eq(lab_wait(lab, getpid(), 0, &status), -ECHILD);
    lab_close(lab);
    ck_assert_int_eq(waitpid(-1, &status, 0), -1); /* nothing is left to wait for */
}
END_TEST

START_TEST(waiting_ends_at_its_limit_and_closing_ends_everything)
{
    struct lab_options options = {.mtu = 0};
    char sleep_name[] = "sleep", seconds[] = "1000";
    char *argv[] = {sleep_name, seconds, NULL};
    struct lab *lab = open_lab(&options);
    int status = 0;

    if (!lab)
        return;
    pid_t child = lab_exec(lab, LAB_SERVER, argv);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(lab_wait(lab, child, 1, &status), -ETIMEDOUT);
    lab_close(lab);
    ck_assert_int_eq(kill(child, 0), -1);
    ck_assert_int_eq(waitpid(-1, &status, 0), -1);
}
END_TEST

/* The lab's opener, killed without a chance to close it. `argument` is a pipe that the lab's
 * processes hold open. */
static _Noreturn void open_and_die(const int fds[2])
{
    struct lab_options options = {.mtu = 0};
    struct lab *lab = NULL;
    char shell[] = "/bin/sh", option[] = "-c", script[] = "trap '' TERM INT HUP; sleep 1000 & wait";
    char *argv[] = {shell, option, script, NULL};

    close(fds[0]);
    if (lab_open(&options, &lab, NULL) < 0 || lab_exec(lab, LAB_CLIENT, argv) < 0)
        _exit(EXIT_FAILURE);
    raise(SIGKILL);
    _exit(EXIT_FAILURE);
}

START_TEST(when_the_caller_is_killed_everything_in_the_lab_dies)
{
    int fds[2], status = 0;
    char byte;

    ck_assert_int_eq(pipe(fds), 0);
    pid_t opener = fork();
    if (opener == 0)
        open_and_die(fds);
    close(fds[1]);
    ck_assert_int_eq(waitpid(opener, &status, 0), opener);
    /* The pipe's end closes with the last process that holds it. */
    struct pollfd last = {.fd = fds[0], .events = POLLIN};
    ck_assert_int_eq(poll(&last, 1, WAIT_MS), 1);
    ck_assert_int_eq(read(fds[0], &byte, 1), 0);
    ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == EXIT_FAILURE);
}
END_TEST

/* --- the link --------------------------------------------------------------------------------- */

#define DATAGRAMS 20

static struct sockaddr_in server_address(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7)};

    inet_pton(AF_INET, lab_host_info(LAB_SERVER)->kernel_address, &to.sin_addr);
    return to;
}

/* Sends DATAGRAMS datagrams to the server and waits for the answer to each, *wait_ms at most. The
 * number of answers is the exit status. */
static int count_echoes(void *wait_ms)
{
    struct sockaddr_in to = server_address();
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    char byte;
    int answers = 0;

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        return 255;
    for (int i = 0; i < DATAGRAMS; i++) {
        if (send(fd, "x", 1, 0) < 0)
            return 254;
        if (poll(&answer, 1, *(int *)wait_ms) > 0 && recv(fd, &byte, 1, 0) == 1)
            answers++;
    }
    return answers;
}

static int echoes_that_come(struct lab *lab)
{
    int wait_ms = WAIT_MS / DATAGRAMS;

    return run(lab, LAB_CLIENT, count_echoes, &wait_ms);
}

static int echoes_that_come_soon(struct lab *lab)
{
    int wait_ms = 20;

    return run(lab, LAB_CLIENT, count_echoes, &wait_ms);
}

/* Echoes datagrams until killed; tells through the pipe when it listens. */
static int echo(void *fds)
{
    struct sockaddr_in here = server_address(), from;
    socklen_t len = sizeof(from);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char byte;

    if (bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 || write(((int *)fds)[1], "", 1) != 1)
        return 1;
    for (;;) {
        if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len) == 1)
            sendto(fd, &byte, 1, 0, (struct sockaddr *)&from, len);
    }
}

static struct lab *open_lab_with_echo(const struct lab_options *options)
{
    struct lab *lab = open_lab(options);
    int fds[2];
    char byte;

    if (!lab)
        return NULL;
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_gt(lab_spawn(lab, LAB_SERVER, echo, fds), 0);
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    return lab;
}

START_TEST(a_change_of_the_link_is_in_force_when_the_call_returns)
{
    struct lab_options options = {.mtu = 0};
    struct tlsyn_impairment perfect = {.delay = 0}, broken = {.loss = 1};
    struct tlsyn_impairment absurd = {.loss = 2};
    struct lab *lab = open_lab_with_echo(&options);
    struct lab_report report;

    if (!lab)
        return;
    ck_assert_int_eq(echoes_that_come(lab), DATAGRAMS);
    ck_assert_int_eq(lab_report(lab, &report), 0);
    ck_assert_uint_ge(report.to_server.frames.out, DATAGRAMS);
    ck_assert_uint_ge(report.precision.frames, 2 * DATAGRAMS);

    ck_assert_int_eq(lab_set_link(lab, &perfect, &broken), 0);
    ck_assert_int_eq(echoes_that_come_soon(lab), 0);
    ck_assert_int_eq(lab_report(lab, &report), 0);
    ck_assert_uint_eq(report.to_server.frames.lost, 0);
    ck_assert_uint_ge(report.to_client.frames.lost, DATAGRAMS);

    ck_assert_int_eq(lab_set_link(lab, &perfect, &perfect), 0);
    ck_assert_int_eq(lab_set_link(lab, &broken, &absurd), -EINVAL); /* then neither is changed */
    ck_assert_int_eq(echoes_that_come(lab), DATAGRAMS);
    lab_close(lab);
}
END_TEST

START_TEST(a_direct_lab_carries_frames_and_has_no_link_to_change)
{
    const struct tlsyn_impairment broken = {.loss = 1};
    struct lab_options options = {.direct = true, .to_server = broken};
    struct lab *lab = open_lab_with_echo(&options);
    struct lab_report report;

    if (!lab)
        return;
    ck_assert_int_eq(echoes_that_come(lab), DATAGRAMS);
    ck_assert_int_eq(lab_set_link(lab, &broken, &broken), -EOPNOTSUPP);
    ck_assert_int_eq(lab_report(lab, &report), -EOPNOTSUPP);
    ck_assert_int_eq(echoes_that_come(lab), DATAGRAMS);
    lab_close(lab);
}
END_TEST

/* The emulator is the first process of the lab, whose others are as this one. */
static int shares_a_processor_with_the_emulator(void *unused)
{
    cpu_set_t own, emulators, both;

    (void)unused;
    if (sched_getaffinity(0, sizeof(own), &own) < 0 ||
        sched_getaffinity(1, sizeof(emulators), &emulators) < 0)
        return 2;
    CPU_AND(&both, &own, &emulators);
    return CPU_COUNT(&both) > 0;
}

/* What it says in a lab with these options; -1: there can't be one. */
static int sharing_in(const struct lab_options *options)
{
    struct lab *lab = open_lab(options);
    int status = 0;

    if (!lab)
        return -1;
    pid_t child = lab_spawn(lab, LAB_CLIENT, shares_a_processor_with_the_emulator, NULL);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(lab_wait(lab, child, -1, &status), 0);
    lab_close(lab);
    return WEXITSTATUS(status);
}

START_TEST(an_emulator_apart_has_a_processor_to_itself_if_there_are_two)
{
    const struct lab_options together = {.mtu = 0}, apart = {.apart = true};
    cpu_set_t mine;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
    int sharing = sharing_in(&together);
    if (sharing < 0)
        return;
    ck_assert_int_eq(sharing, 1);
    ck_assert_int_eq(sharing_in(&apart), CPU_COUNT(&mine) < 2);
}
END_TEST

START_TEST(a_report_starts_the_count_anew)
{
    struct lab_options options = {.to_server = {.delay = TLSYN_MS(1)}};
    struct lab *lab = open_lab_with_echo(&options);
    struct lab_report report;

    if (!lab)
        return;
    ck_assert_int_eq(echoes_that_come(lab), DATAGRAMS);
    ck_assert_int_eq(lab_report(lab, &report), 0);
    ck_assert(report.precision.max_us > 0);
    ck_assert(report.precision.p50_us <= report.precision.p99_us);
    ck_assert(report.precision.p99_us <= report.precision.max_us);
    ck_assert_int_eq(lab_report(lab, &report), 0);
    ck_assert_uint_lt(report.to_server.frames.in, DATAGRAMS);
    lab_close(lab);
}
END_TEST

/* From the kernel's IPv6 address here to a port of the other's where nobody listens,
 * which says so. */
static int knocks_over_ipv6(void *unused)
{
    struct sockaddr_in6 here = {.sin6_family = AF_INET6};
    struct sockaddr_in6 there = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    char byte;

    (void)unused;
    inet_pton(AF_INET6, lab_host_info(LAB_CLIENT)->kernel_address6, &here.sin6_addr);
    inet_pton(AF_INET6, lab_host_info(LAB_SERVER)->kernel_address6, &there.sin6_addr);
    if (fd < 0 || (bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 && errno == EADDRNOTAVAIL))
        return 77; /* a kernel without IPv6 */
    if (connect(fd, (struct sockaddr *)&there, sizeof(there)) < 0 || send(fd, "x", 1, 0) != 1)
        return 1;
    if (poll(&answer, 1, WAIT_MS) != 1)
        return 2;
    return recv(fd, &byte, 1, 0) < 0 && errno == ECONNREFUSED ? 0 : 3;
}

START_TEST(the_kernels_reach_each_other_over_ipv6_at_once)
{
    struct lab_options options = {.mtu = 0};
    struct lab *lab = open_lab(&options);
    int status;

    if (!lab)
        return;
    status = run(lab, LAB_CLIENT, knocks_over_ipv6, NULL);
    if (status == 77)
        printf("skipped: the kernel has no IPv6\n");
    else
        ck_assert_int_eq(status, 0);
    lab_close(lab);
}
END_TEST

Suite *lab_suite(void);

Suite *lab_suite(void)
{
    Suite *suite = suite_create("lab");
    TCase *processes = tcase_create("processes"), *link = tcase_create("link");

    tcase_set_timeout(processes, 60);
    tcase_set_timeout(link, 60);
    tcase_add_test(processes, a_child_has_the_callers_descriptors_and_memory);
    tcase_add_test(processes, a_command_finds_its_environment);
    tcase_add_test(processes, a_command_that_does_not_exist_is_an_error_at_once);
    tcase_add_test(processes, waiting_ends_at_its_limit_and_closing_ends_everything);
    tcase_add_test(processes, when_the_caller_is_killed_everything_in_the_lab_dies);
    tcase_add_test(link, a_change_of_the_link_is_in_force_when_the_call_returns);
    tcase_add_test(link, the_kernels_reach_each_other_over_ipv6_at_once);
    tcase_add_test(link, a_direct_lab_carries_frames_and_has_no_link_to_change);
    tcase_add_test(link, an_emulator_apart_has_a_processor_to_itself_if_there_are_two);
    tcase_add_test(link, a_report_starts_the_count_anew);
    suite_add_tcase(suite, processes);
    suite_add_tcase(suite, link);
    return suite;
}
