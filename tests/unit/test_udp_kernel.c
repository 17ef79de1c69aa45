/* UDP endpoints against the kernel's UDP, over a real pair of interfaces: both ways, and
 * refusals both ways. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tlsyn/loop.h>
#include <tlsyn/udp.h>

#include "core/list.h"
#include "support/wire.h"

Suite *udp_kernel_suite(void);

#define LONGEST 1472 /* fills a datagram of 1500 octets */

/* Our endpoint: gives back what it gets, or keeps it. */
struct echo {
    struct tlsyn_udp_handler base;
    struct tlsyn_udp *ep;
    bool answer, heard;
    size_t len;
    uint8_t bytes[LONGEST];
    int error;
};

static const uint8_t kernel_octets[] = {10, 0, 0, 1}, our_octets[] = {10, 0, 0, 2};

static struct tlsyn_link *link_far;
static struct tlsyn_stack *stack;
static struct tlsyn_loop *loop;
static struct echo echo;
static int kernel; /* socket */

static void on_datagram(struct tlsyn_udp_handler *base, struct tlsyn_udp *ep,
                        const struct tlsyn_udp_datagram *datagram)
{
    struct echo *e = container_of(base, struct echo, base);

    e->heard = true;
    e->len = datagram->len;
    ck_assert_uint_le(datagram->len, sizeof(e->bytes));
    memcpy(e->bytes, datagram->bytes, datagram->len);
    if (e->answer)
        ck_assert_int_eq(tlsyn_udp_send(ep, &datagram->from, datagram->bytes, datagram->len), 0);
}

static void on_error(struct tlsyn_udp_handler *base, struct tlsyn_udp *ep,
                     const struct tlsyn_udp_error *told)
{
    struct echo *e = container_of(base, struct echo, base);

    (void)ep;
    e->heard = true;
    e->error = told->error;
}

static const struct tlsyn_udp_events events = {.on_datagram = on_datagram, .on_error = on_error};

/* False: there is no wire to be had. */
static bool open_all(uint16_t port)
{
    struct tlsyn_addr addr = tlsyn_addr_ip4(our_octets);
    struct tlsyn_udp_options options = {.local = {.port = port}};
    struct tlsyn_iface *iface;

    if (!test_wire_open())
        return false;
    ck_assert_int_eq(tlsyn_afpacket_open(TEST_WIRE_FAR, NULL, &link_far), 0);
    stack = tlsyn_stack_new(&(struct tlsyn_stack_options){.now = tlsyn_clock()});
    ck_assert_ptr_nonnull(stack);
    ck_assert_int_eq(tlsyn_iface_add(stack, link_far, &iface), 0);
    ck_assert_int_eq(tlsyn_iface_address(iface, &addr, 24), 0);
    ck_assert_int_eq(tlsyn_loop_new(stack, &(struct tlsyn_loop_options){.spin = -1}, &loop), 0);
    ck_assert_int_eq(tlsyn_loop_iface(loop, iface), 0);
    echo = (struct echo){.base = {.events = &events}};
    ck_assert_int_eq(tlsyn_udp_open(stack, &options, &echo.base, &echo.ep), 0);
    kernel = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(kernel, 0);
    return true;
}

static void close_all(void)
{
    close(kernel);
    tlsyn_loop_free(loop);
    tlsyn_stack_free(stack);
    tlsyn_link_close(link_far);
}

static struct sockaddr_in address(const uint8_t octets[4], uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    memcpy(&in.sin_addr, octets, 4);
    return in;
}

/* Connects the kernel's socket to our port and sends. */
static void kernel_sends(uint16_t port, const void *bytes, size_t len)
{
    struct sockaddr_in to = address(our_octets, port);

    ck_assert_int_eq(connect(kernel, (const struct sockaddr *)&to, sizeof(to)), 0);
    ck_assert_int_eq(send(kernel, bytes, len, 0), (ssize_t)len);
}

/* What the kernel's socket gets, or -errno; our stack turns meanwhile. */
static ssize_t kernel_gets(uint8_t *bytes, size_t room)
{
    tlsyn_time give_up = tlsyn_clock() + TLSYN_SECONDS(10);
    ssize_t n = -1;

    do {
        ck_assert_int_ge(tlsyn_loop_turn(loop, tlsyn_clock() + TLSYN_MS(1)), 0);
        n = recv(kernel, bytes, room, 0);
    } while (n < 0 && errno == EAGAIN && tlsyn_clock() < give_up);
    return n < 0 ? -errno : n;
}

static void await_event(void)
{
    int error = tlsyn_loop_run(loop, &echo.heard, tlsyn_clock() + TLSYN_SECONDS(10));

    ck_assert_int_eq(error, 0);
}

START_TEST(the_kernel_is_answered)
{
    static uint8_t sent[LONGEST], got[LONGEST + 1];

    if (!open_all(7))
        return;
    echo.answer = true;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof(sent); len += 184) { /* none, some, all */
        kernel_sends(7, sent, len);
        ck_assert_int_eq(kernel_gets(got, sizeof(got)), (ssize_t)len);
        ck_assert_mem_eq(got, sent, len);
    }
    kernel_sends(7, sent, 1);
    ck_assert_int_eq(kernel_gets(got, sizeof(got)), 1);
    close_all();
}
END_TEST

START_TEST(the_kernels_datagrams_without_checksum_are_taken)
{
    int on = 1;
    uint8_t got[8];

    if (!open_all(7))
        return;
    echo.answer = true;
    ck_assert_int_eq(setsockopt(kernel, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
    kernel_sends(7, "plain", 5);
    ck_assert_int_eq(kernel_gets(got, sizeof(got)), 5);
    ck_assert_mem_eq(got, "plain", 5);
    close_all();
}
END_TEST

START_TEST(the_kernel_is_told_of_a_closed_port)
{
    uint8_t got[8];

    if (!open_all(7))
        return;
    kernel_sends(8, "x", 1);
    ck_assert_int_eq(kernel_gets(got, sizeof(got)), -ECONNREFUSED);
    ck_assert_uint_eq(tlsyn_counter(stack, TLSYN_COUNT_udp_no_ports), 1);
    close_all();
}
END_TEST

START_TEST(the_kernel_answers_us)
{
    struct tlsyn_endpoint to = {.addr = tlsyn_addr_ip4(kernel_octets), .port = 7};
    struct sockaddr_in at = address(kernel_octets, 7), from;
    socklen_t from_len = sizeof(from);
    struct tlsyn_udp_info info;
    uint8_t got[LONGEST], sent[LONGEST];

    if (!open_all(0))
        return;
    memset(sent, 0x5a, sizeof(sent));
    ck_assert_int_eq(bind(kernel, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(tlsyn_udp_connect(echo.ep, &to), 0);
    ck_assert_int_eq(tlsyn_udp_send(echo.ep, NULL, sent, sizeof(sent)), 0);
    ck_assert_int_eq(kernel_gets(got, sizeof(got)), (ssize_t)sizeof(got));
    ck_assert_mem_eq(got, sent, sizeof(got));
    tlsyn_udp_info(echo.ep, &info);

    from = address(our_octets, info.local.port);
    ck_assert_int_eq(sendto(kernel, got, 100, 0, (const struct sockaddr *)&from, from_len), 100);
    await_event();
    ck_assert_uint_eq(echo.len, 100);
    ck_assert_mem_eq(echo.bytes, sent, 100);
    close_all();
}
END_TEST

START_TEST(the_kernel_hears_our_broadcast)
{
    const uint8_t all[] = {10, 0, 0, 255};
    struct tlsyn_endpoint to = {.addr = tlsyn_addr_ip4(all), .port = 67};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(67)};
    uint8_t got[8];

    if (!open_all(68))
        return;
    ck_assert_int_eq(bind(kernel, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(tlsyn_udp_send(echo.ep, &to, "all", 3), -EACCES);
    tlsyn_udp_set_options(echo.ep, &(struct tlsyn_udp_options){.broadcast = true});
    ck_assert_int_eq(tlsyn_udp_send(echo.ep, &to, "all", 3), 0);
    ck_assert_int_eq(kernel_gets(got, sizeof(got)), 3);
    ck_assert_mem_eq(got, "all", 3);
    close_all();
}
END_TEST

START_TEST(the_kernel_tells_us_of_a_closed_port)
{
    struct tlsyn_endpoint to = {.addr = tlsyn_addr_ip4(kernel_octets), .port = 8};

    if (!open_all(0))
        return;
    ck_assert_int_eq(tlsyn_udp_send(echo.ep, &to, "x", 1), 0);
    await_event();
    ck_assert_int_eq(echo.error, -ECONNREFUSED);
    close_all();
}
END_TEST

Suite *udp_kernel_suite(void)
{
    Suite *s = suite_create("udp_kernel");
    TCase *t = tcase_create("udp_kernel");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_kernel_is_answered);
    tcase_add_test(t, the_kernels_datagrams_without_checksum_are_taken);
    tcase_add_test(t, the_kernel_is_told_of_a_closed_port);
    tcase_add_test(t, the_kernel_answers_us);
    tcase_add_test(t, the_kernel_hears_our_broadcast);
    tcase_add_test(t, the_kernel_tells_us_of_a_closed_port);
    suite_add_tcase(s, t);
    return s;
}
