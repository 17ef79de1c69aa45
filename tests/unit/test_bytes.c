/* wire/bytes: network byte order, and cursors that stay inside their memory. */
#include <check.h>

#include "wire/bytes.h"

START_TEST(what_is_put_is_got)
{
    uint8_t bytes[10], copy[3];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct reader r;

    put_u8(&w, 0x01);
    put_u16(&w, 0x0203);
    put_u32(&w, 0x04050607);
    put_bytes(&w, (const uint8_t[]){8, 9, 10}, 3);
    ck_assert(!w.overrun);
    ck_assert_uint_eq(w.room, 0);
    for (uint8_t i = 0; i < 10; i++)
        ck_assert_uint_eq(bytes[i], i + 1);
    r = reader_of(bytes, sizeof(bytes));
    ck_assert_uint_eq(get_u8(&r), 0x01);
    ck_assert_uint_eq(get_u16(&r), 0x0203);
    ck_assert_uint_eq(get_u32(&r), 0x04050607);
    get_skip(&r, 1);
    get_bytes(&r, copy, 2);
    ck_assert_uint_eq(copy[1], 10);
    ck_assert_uint_eq(r.left, 0);
    ck_assert(!r.overrun);
}
END_TEST

START_TEST(high_bits_survive)
{
    uint8_t bytes[6] = {0xff, 0xfe, 0xff, 0xff, 0xff, 0xfd};
    struct reader r = reader_of(bytes, sizeof(bytes));

    ck_assert_uint_eq(get_u16(&r), 0xfffe);
    ck_assert_uint_eq(get_u32(&r), 0xfffffffd);
}
END_TEST

START_TEST(a_reader_that_overran_reads_zeros_and_remembers)
{
    uint8_t bytes[5] = {1, 2, 3, 4, 5}, copy[4] = {9, 9, 9, 9};
    struct reader r = reader_of(bytes, 3);

    ck_assert_uint_eq(get_u32(&r), 0);
    ck_assert(r.overrun);
    /* Three octets would have been there: but no more after a field that was not. */
    ck_assert_uint_eq(get_u8(&r), 0);
    ck_assert_uint_eq(get_u16(&r), 0);
    get_bytes(&r, copy, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(copy[i], 0);
    ck_assert_ptr_null(get_span(&r, 1));
    ck_assert(r.overrun);
}
END_TEST

START_TEST(a_writer_that_overran_writes_nothing)
{
    uint8_t bytes[4] = {9, 9, 9, 9};
    struct writer w = writer_of(bytes, 3);

    put_u32(&w, 0);
    put_u8(&w, 0);
    put_u16(&w, 0);
    put_bytes(&w, bytes, 1);
    ck_assert(w.overrun);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(bytes[i], 9);
}
END_TEST

START_TEST(a_length_near_the_largest_is_no_trap)
{
    uint8_t bytes[4] = {0};
    struct reader r = reader_of(bytes, 4);
    struct writer w = writer_of(bytes, 4);

    get_skip(&r, 1);
    ck_assert_ptr_null(get_span(&r, SIZE_MAX));
    put_u8(&w, 1);
    ck_assert_ptr_null(put_span(&w, SIZE_MAX));
}
END_TEST

START_TEST(nothing_can_be_read_of_nothing)
{
    struct reader r = reader_of(NULL, 0);

    ck_assert_uint_eq(get_u8(&r), 0);
    ck_assert(r.overrun);
}
END_TEST

Suite *bytes_suite(void);

Suite *bytes_suite(void)
{
    Suite *suite = suite_create("bytes");
    TCase *tc = tcase_create("bytes");

    tcase_add_test(tc, what_is_put_is_got);
    tcase_add_test(tc, high_bits_survive);
    tcase_add_test(tc, a_reader_that_overran_reads_zeros_and_remembers);
    tcase_add_test(tc, a_writer_that_overran_writes_nothing);
    tcase_add_test(tc, a_length_near_the_largest_is_no_trap);
    tcase_add_test(tc, nothing_can_be_read_of_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}
