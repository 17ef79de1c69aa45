/* loop: waiting, watching, and the four calls around a real stack on a link with a real
 * descriptor. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <tlsyn/loop.h>

#include "core/list.h"
#include "wire/checksum.h"

/* ---- a link over a socket pair, whose other end the test holds ------------------------------- */

struct socket_link {
    struct tlsyn_link link;
    int fd;
    int error;
    uint8_t bytes[2][2048];
};

static struct socket_link *socket_link_of(struct tlsyn_link *link)
{
    return container_of(link, struct socket_link, link);
}

static int socket_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                          tlsyn_time now)
{
    struct socket_link *s = socket_link_of(link);
    int count = 0;

    if (s->error)
        return s->error;
    for (; count < 2 && count < max; count++) {
        ssize_t n = recv(s->fd, s->bytes[count], sizeof(s->bytes[count]), MSG_DONTWAIT);

        if (n <= 0)
            break;
        frames[count] = (struct tlsyn_frame){.iovcnt = 1, .when = now};
        frames[count].iov[0] = (struct iovec){.iov_base = s->bytes[count], .iov_len = (size_t)n};
    }
    return count;
}

static int socket_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                           tlsyn_time now)
{
    struct socket_link *s = socket_link_of(link);

    (void)now;
    for (int i = 0; i < n; i++) {
        struct iovec iov[3];
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = frames[i].iovcnt};

        memcpy(iov, frames[i].iov, sizeof(iov));
        if (sendmsg(s->fd, &msg, MSG_DONTWAIT) < 0)
            return i > 0 ? i : -ENOBUFS;
    }
    return n;
}

static int socket_fd(struct tlsyn_link *link)
{
    return socket_link_of(link)->fd;
}

static void socket_close(struct tlsyn_link *link)
{
    close(socket_link_of(link)->fd);
    free(socket_link_of(link));
}

static const struct tlsyn_link_ops socket_ops = {
    .receive = socket_receive,
    .transmit = socket_transmit,
    .fd = socket_fd,
    .close = socket_close,
};

static struct tlsyn_link *socket_link_open(int *other)
{
    struct socket_link *s = calloc(1, sizeof(*s));
    int ends[2];

    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    s->link.ops = &socket_ops;
    s->link.caps = (struct tlsyn_link_caps){.mtu = 1500, .hwaddr = {2, 0, 0, 0, 0, 1}};
    s->fd = ends[0];
    *other = ends[1];
    return &s->link;
}

/* ---- a loop with a stack at 10.0.0.1 --------------------------------------------------------- */

static struct tlsyn_stack *stack;
static struct tlsyn_link *link_under;
static struct tlsyn_loop *loop;
static int peer;

static void set_up_traced(const struct tlsyn_impairment *in,
                          const struct tlsyn_loop_options *options, struct tlsyn_trace *trace)
{
    const struct tlsyn_stack_options stack_options = {.now = tlsyn_clock(), .trace = trace};
    const struct tlsyn_addr address = tlsyn_addr_ip4((const uint8_t[4]){10, 0, 0, 1});
    struct tlsyn_iface *iface;

    link_under = socket_link_open(&peer);
    if (in)
        ck_assert_int_eq(tlsyn_impair_wrap(link_under, NULL, in, &link_under), 0);
    stack = tlsyn_stack_new(&stack_options);
    ck_assert_ptr_nonnull(stack);
    ck_assert_int_eq(tlsyn_iface_add(stack, link_under, &iface), 0);
    ck_assert_int_eq(tlsyn_iface_address(iface, &address, 24), 0);
    ck_assert_int_eq(tlsyn_loop_new(stack, options, &loop), 0);
    ck_assert_int_eq(tlsyn_loop_iface(loop, iface), 0);
}

static void set_up(const struct tlsyn_impairment *in, const struct tlsyn_loop_options *options)
{
    set_up_traced(in, options, NULL);
}

static void tear_down(void)
{
    tlsyn_loop_free(loop);
    tlsyn_stack_free(stack);
    tlsyn_link_close(link_under);
    close(peer);
}

/* Who has 10.0.0.1? Tell 10.0.0.2. (RFC 826) */
static void ask(void)
{
    static const uint8_t request[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 2, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,    2,    0,    0,    0,    0,    2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1};

    ck_assert_int_eq(send(peer, request, sizeof(request), 0), sizeof(request));
}

/* Has the stack answered? Announcements and the like of its own are passed over. */
static bool is_answered(void)
{
    uint8_t reply[2048];

    while (recv(peer, reply, sizeof(reply), MSG_DONTWAIT) >= 42) {
        if (reply[12] == 8 && reply[13] == 6 && reply[21] == 2 && reply[5] == 2)
            return true;
    }
    return false;
}

START_TEST(a_frame_goes_through_the_stack_and_the_answer_leaves)
{
    bool never = false;

    set_up(NULL, NULL);
    ask();
    ck_assert_int_eq(tlsyn_loop_run(loop, &never, tlsyn_clock() + TLSYN_MS(50)), -ETIMEDOUT);
    ck_assert(is_answered());
    tear_down();
}
END_TEST

/* Are you there? (RFC 792) */
static void ping(void)
{
    uint8_t request[42] = {2, 0,  0, 0, 0, 1,  2, 0, 0, 0,  0, 2, 8, 0, 0x45, 0, 0, 28, 0, 0, 0,
                           0, 64, 1, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 8, 0,    0, 0, 0,  7, 0, 1};
    struct checksum header = {0}, message = {0};
    uint16_t field;

    checksum_add(&header, request + 14, 20);
    field = checksum_finish(&header);
    request[24] = (uint8_t)(field >> 8);
    request[25] = (uint8_t)field;
    checksum_add(&message, request + 34, 8);
    field = checksum_finish(&message);
    request[36] = (uint8_t)(field >> 8);
    request[37] = (uint8_t)field;
    ck_assert_int_eq(send(peer, request, sizeof(request), 0), sizeof(request));
}

/* Makes each datagram that comes take a millisecond, and counts the answers that have left. */
struct slow_trace {
    struct tlsyn_trace base; /* first member */
    int datagrams;
    int left; /* before the second */
};

static int replies_there(void)
{
    uint8_t reply[2048];
    int replies = 0;

    while (recv(peer, reply, sizeof(reply), MSG_DONTWAIT) >= 42)
        replies += reply[12] == 8 && reply[13] == 0 && reply[23] == 1 && reply[34] == 0;
    return replies;
}

static void take_long(struct tlsyn_trace *trace, const struct tlsyn_trace_record *record)
{
    struct slow_trace *slow = (struct slow_trace *)trace;
    tlsyn_time end = tlsyn_clock() + TLSYN_MS(1);

    if (record->event != TLSYN_TRACE_ip_rx)
        return;
    if (++slow->datagrams == 2)
        slow->left = replies_there();
    while (tlsyn_clock() < end)
        ;
}

START_TEST(what_took_long_leaves_before_the_next_frame_is_looked_at)
{
    struct slow_trace slow = {.base = {take_long, 1ull << TLSYN_TRACE_ip_rx}};

    set_up_traced(NULL, NULL, &slow.base);
    ask();
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock()), 0);
    ping();
    ping();
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock()), 0);
    ck_assert_int_eq(slow.datagrams, 2);
    ck_assert_int_eq(slow.left, 1);
    ck_assert_int_eq(replies_there(), 1);
    tear_down();
}
END_TEST

START_TEST(what_a_link_holds_back_is_fetched_in_time)
{
    const struct tlsyn_impairment slow = {.delay = TLSYN_MS(300)};
    bool never = false;

    set_up(&slow, NULL);
    ask();
    ck_assert_int_eq(tlsyn_loop_run(loop, &never, tlsyn_clock() + TLSYN_MS(5)), -ETIMEDOUT);
    ck_assert(!is_answered());
    /* Nothing comes in any more: only the link's own timeout can wake the loop before the
     * deadline. */
    for (int turns = 0; turns < 20 && !is_answered(); turns++)
        ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock() + TLSYN_SECONDS(30)), 0);
    ck_assert_int_eq(tlsyn_link_next_timeout(link_under), TLSYN_NEVER);
    tear_down();
}
END_TEST

START_TEST(a_link_that_fails_ends_the_run)
{
    bool never = false;

    set_up(NULL, NULL);
    socket_link_of(link_under)->error = -ENETDOWN;
    ck_assert_int_eq(tlsyn_loop_run(loop, &never, tlsyn_clock() + TLSYN_SECONDS(60)), -ENETDOWN);
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock()), -ENETDOWN);
    tear_down();
}
END_TEST

START_TEST(a_deadline_is_met_and_never_early)
{
    const struct tlsyn_loop_options sleeper = {.spin = -1};
    const struct tlsyn_loop_options *options[] = {NULL, &sleeper};
    bool never = false, done = true;

    for (int i = 0; i < 2; i++) {
        tlsyn_time deadline;

        set_up(NULL, options[i]);
        deadline = tlsyn_clock() + TLSYN_MS(3);
        ck_assert_int_eq(tlsyn_loop_run(loop, &never, deadline), -ETIMEDOUT);
        ck_assert_int_ge(tlsyn_clock(), deadline);
        ck_assert_int_eq(tlsyn_loop_run(loop, &never, 0), -ETIMEDOUT);
        ck_assert_int_eq(tlsyn_loop_run(loop, &done, 0), 0);
        ck_assert_int_eq(tlsyn_loop_turn(loop, 0), 0);
        tear_down();
    }
}
END_TEST

START_TEST(an_idle_loop_sleeps)
{
    struct rusage before, after;
    struct timeval user, system;
    tlsyn_time begin = tlsyn_clock(), used;
    bool never = false;

    set_up(NULL, NULL);
    getrusage(RUSAGE_SELF, &before);
    ck_assert_int_eq(tlsyn_loop_run(loop, &never, begin + TLSYN_MS(300)), -ETIMEDOUT);
    getrusage(RUSAGE_SELF, &after);
    timersub(&after.ru_utime, &before.ru_utime, &user);
    timersub(&after.ru_stime, &before.ru_stime, &system);
    used = TLSYN_SECONDS(user.tv_sec + system.tv_sec) + user.tv_usec + system.tv_usec;
    ck_assert_int_lt(used * 4, tlsyn_clock() - begin);
    tear_down();
}
END_TEST

/* ---- watches --------------------------------------------------------------------------------- */

struct counting_watch {
    struct tlsyn_loop_watch base;
    struct tlsyn_loop *loop;
    int calls;
    bool done;
    bool leaves; /* takes itself out at the first call */
};

static void count_call(struct tlsyn_loop_watch *base, int fd, short revents)
{
    struct counting_watch *w = container_of(base, struct counting_watch, base);
    char byte;

    ck_assert_int_eq(revents & POLLIN, POLLIN);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    w->calls++;
    w->done = true;
    if (w->leaves)
        tlsyn_loop_unwatch(w->loop, fd);
}

START_TEST(a_watched_descriptor_is_served)
{
    struct counting_watch watch = {.base = {count_call}};
    int ends[2];

    set_up(NULL, NULL);
    watch.loop = loop;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(tlsyn_loop_watch(loop, ends[0], POLLIN, &watch.base), 0);
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock() + TLSYN_MS(1)), 0);
    ck_assert_int_eq(watch.calls, 0);
    ck_assert_int_eq(write(ends[1], "abc", 3), 3);
    ck_assert_int_eq(tlsyn_loop_run(loop, &watch.done, tlsyn_clock() + TLSYN_SECONDS(60)), 0);
    ck_assert_int_eq(watch.calls, 1);
    watch.leaves = true;
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock() + TLSYN_SECONDS(60)), 0);
    ck_assert_int_eq(watch.calls, 2);
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock() + TLSYN_MS(1)), 0);
    ck_assert_int_eq(watch.calls, 2);
    tlsyn_loop_unwatch(loop, 12345);
    tear_down();
}
END_TEST

START_TEST(each_descriptor_has_its_own_watch)
{
    struct counting_watch first = {.base = {count_call}}, second = {.base = {count_call}};
    int a[2], b[2];

    set_up(NULL, NULL);
    ck_assert_int_eq(pipe(a), 0);
    ck_assert_int_eq(pipe(b), 0);
    ck_assert_int_eq(tlsyn_loop_watch(loop, a[0], POLLIN, &first.base), 0);
    ck_assert_int_eq(tlsyn_loop_watch(loop, b[0], POLLIN, &second.base), 0);
    ck_assert_int_eq(write(b[1], "b", 1), 1);
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock()), 0);
    ck_assert_int_eq(first.calls, 0);
    ck_assert_int_eq(second.calls, 1);
    tear_down();
}
END_TEST

START_TEST(a_watch_is_served_while_frames_keep_coming)
{
    struct counting_watch watch = {.base = {count_call}};
    int ends[2];

    set_up(NULL, NULL);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(tlsyn_loop_watch(loop, ends[0], POLLIN, &watch.base), 0);
    ck_assert_int_eq(write(ends[1], "a", 1), 1);
    ask();
    ask();
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock()), 0);
    ck_assert_int_eq(watch.calls, 1);
    tear_down();
}
END_TEST

START_TEST(watches_are_bounded_and_setting_one_again_changes_it)
{
    struct counting_watch watch = {.base = {count_call}};
    int ends[2];

    set_up(NULL, NULL);
    ck_assert_int_eq(pipe(ends), 0);
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(tlsyn_loop_watch(loop, i == 0 ? ends[0] : 1000 + i, 0, &watch.base), 0);
    ck_assert_int_eq(tlsyn_loop_watch(loop, 2000, POLLIN, &watch.base), -ENOSPC);
    for (int i = 1; i < 16; i++)
        tlsyn_loop_unwatch(loop, 1000 + i);
    ck_assert_int_eq(write(ends[1], "a", 1), 1);
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock()), 0);
    ck_assert_int_eq(watch.calls, 0); /* watched for nothing */
    ck_assert_int_eq(tlsyn_loop_watch(loop, ends[0], POLLIN, &watch.base), 0);
    ck_assert_int_eq(tlsyn_loop_turn(loop, tlsyn_clock()), 0);
    ck_assert_int_eq(watch.calls, 1);
    tear_down();
}
END_TEST

/* ---- waiting --------------------------------------------------------------------------------- */

static void on_alarm(int number)
{
    (void)number;
}

/* A signal every so many microseconds from now on; 0: no more. */
static void set_alarms(suseconds_t us)
{
    const struct itimerval every = {.it_interval = {.tv_usec = us}, .it_value = {.tv_usec = us}};
    struct sigaction action = {.sa_handler = on_alarm};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

START_TEST(a_signal_ends_a_sleep)
{
    struct pollfd none = {.fd = -1};
    bool never = false;

    set_up(NULL, NULL);
    set_alarms(5000);
    ck_assert_int_eq(tlsyn_loop_run(loop, &never, tlsyn_clock() + TLSYN_SECONDS(60)), -EINTR);
    ck_assert_int_eq(tlsyn_wait(&none, 1, TLSYN_NEVER), -EINTR);
    set_alarms(0);
    tear_down();
}
END_TEST

START_TEST(waiting_ends_at_the_deadline_or_with_a_descriptor)
{
    struct pollfd ready = {.events = POLLIN};
    int ends[2];

    tlsyn_wait_prepare();
    ck_assert_int_eq(pipe(ends), 0);
    ready.fd = ends[0];
    for (int i = 0; i < 50; i++) { /* often enough that a sleep once ends in time */
        tlsyn_time deadline = tlsyn_clock() + 500;

        ck_assert_int_eq(tlsyn_wait(&ready, 1, deadline), 0);
        ck_assert_int_ge(tlsyn_clock(), deadline);
    }
    ck_assert_int_eq(tlsyn_wait(&ready, 1, 0), 0);
    ck_assert_int_eq(write(ends[1], "a", 1), 1);
    ck_assert_int_eq(tlsyn_wait(&ready, 1, 0), 1);
    ck_assert_int_eq(tlsyn_wait(&ready, 1, tlsyn_clock() + 10), 1); /* in the spun part */
    ck_assert_int_eq(tlsyn_wait(&ready, 1, TLSYN_NEVER), 1);
    ck_assert_int_eq(ready.revents, POLLIN);
}
END_TEST

START_TEST(the_clock_is_the_monotonic_one)
{
    struct timespec t;
    tlsyn_time before = tlsyn_clock(), between;

    clock_gettime(CLOCK_MONOTONIC, &t);
    between = TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
    ck_assert_int_le(before, between);
    ck_assert_int_le(between, tlsyn_clock());
}
END_TEST

Suite *loop_suite(void);

Suite *loop_suite(void)
{
    Suite *suite = suite_create("loop");
    TCase *turns = tcase_create("turns");
    TCase *watches = tcase_create("watches");
    TCase *waiting = tcase_create("waiting");

    tcase_add_test(turns, a_frame_goes_through_the_stack_and_the_answer_leaves);
    tcase_add_test(turns, what_took_long_leaves_before_the_next_frame_is_looked_at);
    tcase_add_test(turns, what_a_link_holds_back_is_fetched_in_time);
    tcase_add_test(turns, a_link_that_fails_ends_the_run);
    tcase_add_test(turns, a_deadline_is_met_and_never_early);
    tcase_add_test(turns, an_idle_loop_sleeps);
    suite_add_tcase(suite, turns);
    tcase_add_test(watches, a_watched_descriptor_is_served);
    tcase_add_test(watches, each_descriptor_has_its_own_watch);
    tcase_add_test(watches, a_watch_is_served_while_frames_keep_coming);
    tcase_add_test(watches, watches_are_bounded_and_setting_one_again_changes_it);
    suite_add_tcase(suite, watches);
    tcase_add_test(waiting, a_signal_ends_a_sleep);
    tcase_add_test(waiting, waiting_ends_at_the_deadline_or_with_a_descriptor);
    tcase_add_test(waiting, the_clock_is_the_monotonic_one);
    suite_add_tcase(suite, waiting);
    return suite;
}
