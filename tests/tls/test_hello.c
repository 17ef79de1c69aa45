/* What a ClientHello says about early data, whatever it looks like. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hello.h"

struct message {
    uint8_t at[256];
    size_t len;
};

static void put(struct message *m, const void *bytes, size_t n)
{
    ck_assert_uint_le(m->len + n, sizeof(m->at));
    memcpy(m->at + m->len, bytes, n);
    m->len += n;
}

/* A vector with its length in two octets. */
static void put_vector(struct message *m, const struct message *inner)
{
    const uint8_t len[2] = {(uint8_t)(inner->len >> 8), (uint8_t)inner->len};

    put(m, len, 2);
    put(m, inner->at, inner->len);
}

static void put_extension(struct message *m, uint8_t type, const struct message *body)
{
    const uint8_t octets[2] = {0, type};

    put(m, octets, 2);
    put_vector(m, body);
}

static const uint8_t binder[33] = {32, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void put_psk(struct message *extensions)
{
    struct message identity = {.at = "a ticket", .len = 8}, identities = {.len = 0};
    struct message binders = {.len = 0}, psk = {.len = 0};

    put_vector(&identities, &identity);
    put(&identities, "\1\2\3\4", 4); /* obfuscated_ticket_age */
    put(&binders, binder, sizeof(binder));
    put_vector(&psk, &identities);
    put_vector(&psk, &binders);
    put_extension(extensions, 41, &psk);
}

static struct message make(bool early, bool psk)
{
    const struct message nothing = {.len = 0}, name = {.at = "example", .len = 7};
    struct message m = {.len = 0}, body = {.len = 0}, extensions = {.len = 0};

    put_extension(&extensions, 0, &name);
    if (early)
        put_extension(&extensions, 42, &nothing);
    if (psk)
        put_psk(&extensions);
    put(&body, "\3\3", 2);
    put(&body, "12345678901234567890123456789012", 32);
    put(&body, "\2id", 3);
    put(&body, "\0\4\x13\1\x13\2", 6);
    put(&body, "\1\0", 2);
    put_vector(&body, &extensions);
    put(&m, "\1\0", 2);
    put_vector(&m, &body);
    return m;
}

START_TEST(early_data_and_the_binder_are_found)
{
    struct message m = make(true, true);
    struct hello h;

    ck_assert(hello_parse(m.at, m.len, &h));
    ck_assert(h.early);
    ck_assert_uint_eq(h.binder.len, 32);
    ck_assert_mem_eq(h.binder.at, binder + 1, 32);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct message m = make(false, true);
    struct hello h;

    ck_assert(hello_parse(m.at, m.len, &h));
    ck_assert(!h.early);
    m = make(true, false);
    ck_assert(hello_parse(m.at, m.len, &h));
    ck_assert(h.early);
    ck_assert_uint_eq(h.binder.len, 0);
    m.at[0] = 2;
    ck_assert(!hello_parse(m.at, m.len, &h));
}
END_TEST

/* Each prefix in memory of just its size, so that AddressSanitizer sees a step too far. */
START_TEST(a_prefix_is_none)
{
    struct message m = make(true, true);

    for (size_t n = 0; n < m.len; n++) {
        uint8_t *copy = malloc(n > 0 ? n : 1);
        struct hello h;

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, m.at, n);
        ck_assert(!hello_parse(copy, n, &h));
        free(copy);
    }
}
END_TEST

/* Any octet may be anything: no answer is known, but none is found outside the message. */
START_TEST(damage_stays_inside)
{
    struct message m = make(true, true);
    uint8_t *copy = malloc(m.len);

    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; i < m.len; i++) {
        for (int value = 0; value < 256; value += 3) {
            const uint8_t *found;
            struct hello h;

            memcpy(copy, m.at, m.len);
            copy[i] = (uint8_t)value;
            found = hello_parse(copy, m.len, &h) ? h.binder.at : NULL;
            if (found != NULL)
                ck_assert(found >= copy && found + h.binder.len <= copy + m.len);
        }
    }
    free(copy);
}
END_TEST

Suite *hello_suite(void);
Suite *hello_suite(void)
{
    Suite *s = suite_create("hello");
    TCase *t = tcase_create("hello");

    tcase_add_test(t, early_data_and_the_binder_are_found);
    tcase_add_test(t, what_is_not_there_is_not_found);
    tcase_add_test(t, a_prefix_is_none);
    tcase_add_test(t, damage_stays_inside);
    suite_add_tcase(s, t);
    return s;
}
