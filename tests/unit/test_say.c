/*
 * What the command prints of what a peer says: text, and no orders to the terminal.
 */
#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "say.h"

/* What say() writes to stderr. */
static const char *said(const char *text)
{
    static char heard[256];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);

    ck_assert_ptr_nonnull(file);
    (void)fflush(stderr);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    say("%s", text);
    ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
    (void)close(saved);
    rewind(file);
    heard[fread(heard, 1, sizeof(heard) - 1, file)] = '\0';
    (void)fclose(file);
    return heard;
}

START_TEST(text_is_printed_as_it_is)
{
    ck_assert_str_eq(said("GET /a b\tc\nd"), "tlsyn: GET /a b\tc\nd\n");
    ck_assert_str_eq(said("stra\xc3\x9f"
                          "e \xe2\x82\xac"),
                     "tlsyn: stra\xc3\x9f"
                     "e \xe2\x82\xac\n");
}
END_TEST

/* ECMA-48: a terminal obeys ESC [, its eight-bit form 0x9b, and that one as U+009B. */
START_TEST(control_characters_are_not_printed)
{
    ck_assert_str_eq(said("a\x1b[2Jb\x7f\r"), "tlsyn: a?[2Jb??\n");
    ck_assert_str_eq(said("a\x9b"
                          "2Jb"),
                     "tlsyn: a?2Jb\n");
    ck_assert_str_eq(said("a\xc2\x9b"
                          "2Jb"),
                     "tlsyn: a??2Jb\n");
}
END_TEST

START_TEST(what_is_no_utf8_is_not_printed)
{
    ck_assert_str_eq(said("\xff\xc0\x80 \xe2\x82"), "tlsyn: ??? ??\n");
}
END_TEST

Suite *say_suite(void);

Suite *say_suite(void)
{
    Suite *s = suite_create("say");
    TCase *all = tcase_create("all");

    tcase_add_test(all, text_is_printed_as_it_is);
    tcase_add_test(all, control_characters_are_not_printed);
    tcase_add_test(all, what_is_no_utf8_is_not_printed);
    suite_add_tcase(s, all);
    return s;
}
