/*
 * test_history.c: what a browser remembers of a page: kept as it was, and nothing of a damaged file
 * believed.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "study/pageload/history.h"

static char path[64];
static struct url page;
static struct known_page known, again;

static void setup(void)
{
    (void)snprintf(path, sizeof(path), "/tmp/tlsyn-history-%d", (int)getpid());
    (void)unlink(path);
    ck_assert_int_eq(url_parse("https://www.page.test/", &page), 0);
    known.urls = 0;
    for (int i = 0; i < 3; i++) {
        static const char *const urls[] = {"https://www.page.test/", "https://www.page.test/R?a=b",
                                           "https://images.page.test:8443/x"};
        static const enum page_kind kinds[] = {PAGE_HTML, PAGE_REDIRECT, PAGE_IMAGE};
        struct known_url *k = &known.url[known.urls++];

        ck_assert_int_eq(url_parse(urls[i], &k->url), 0);
        k->what = (struct policy_url){.kind = kinds[i], .position = i + 1, .frame = i};
    }
}

static void teardown(void)
{
    (void)unlink(path);
}

static void write_file(const char *text)
{
    FILE *out = fopen(path, "we");

    ck_assert_ptr_nonnull(out);
    ck_assert_int_ge(fputs(text, out), 0);
    ck_assert_int_eq(fclose(out), 0);
}

START_TEST(a_page_is_remembered_by_its_owner_alone)
{
    struct stat status;

    ck_assert_int_eq(history_load(path, &page, &again), -ENOENT);
    ck_assert_int_eq(history_save(path, &page, &known), 0);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert_int_eq(history_load(path, &page, &again), 0);
    ck_assert_int_eq(again.urls, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(again.url[i].url.host, known.url[i].url.host);
        ck_assert_str_eq(again.url[i].url.target, known.url[i].url.target);
        ck_assert_int_eq(again.url[i].url.port, known.url[i].url.port);
        ck_assert_int_eq(again.url[i].what.kind, known.url[i].what.kind);
        ck_assert_int_eq(again.url[i].what.position, known.url[i].what.position);
        ck_assert_int_eq(again.url[i].what.frame, known.url[i].what.frame);
    }
}
END_TEST

START_TEST(another_page_is_not_this_one)
{
    struct url other;

    ck_assert_int_eq(url_parse("https://www.page.test/other", &other), 0);
    ck_assert_int_eq(history_save(path, &page, &known), 0);
    ck_assert_int_eq(history_load(path, &other, &again), -ENOENT);
}
END_TEST

#define HEAD "tlsyn page history 1\nhttps://www.page.test/\n"

START_TEST(nothing_of_a_damaged_file_is_believed)
{
    static const char *const damaged[] = {
        "",
        "something else\n",
        "tlsyn page history 2\nhttps://www.page.test/\n",
        HEAD "html 0 1 https://www.page.test/",
        HEAD "html 0 1 https://www.page.test/\nimage 0\n",
        HEAD "picture 0 1 https://www.page.test/\n",
        HEAD "image -1 1 https://www.page.test/\n",
        HEAD "image 0 1 http://www.page.test/\n",
        HEAD "image 0 1 https://user@www.page.test/\n",
    };
    char *longest;

    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        write_file(damaged[i]);
        again.urls = 7;
        ck_assert_msg(history_load(path, &page, &again) == -EBADMSG, "%s", damaged[i]);
        ck_assert_int_eq(again.urls, 0);
    }
    longest = malloc(5000);
    ck_assert_ptr_nonnull(longest);
    (void)snprintf(longest, 5000, HEAD "image 0 1 https://www.page.test/%04000d\n", 0);
    write_file(longest);
    free(longest);
    ck_assert_int_eq(history_load(path, &page, &again), -EBADMSG);
}
END_TEST

/* More URLs than a page may have: somebody else wrote this. */
START_TEST(a_page_of_too_many_urls_is_damage)
{
    FILE *out = fopen(path, "we");

    ck_assert_ptr_nonnull(out);
    (void)fputs(HEAD, out);
    for (int i = 0; i <= POLICY_URLS_MAX; i++)
        (void)fprintf(out, "image 0 1 https://www.page.test/%d\n", i);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(history_load(path, &page, &again), -EBADMSG);
}
END_TEST

START_TEST(what_cannot_be_written_is_told)
{
    ck_assert_int_eq(history_save("/nowhere/at/all", &page, &known), -ENOENT);
    ck_assert_int_lt(history_load("/tmp", &page, &again), 0);
}
END_TEST

Suite *history_suite(void);

Suite *history_suite(void)
{
    Suite *s = suite_create("history");
    TCase *file = tcase_create("file");

    tcase_add_checked_fixture(file, setup, teardown);
    tcase_add_test(file, a_page_is_remembered_by_its_owner_alone);
    tcase_add_test(file, another_page_is_not_this_one);
    tcase_add_test(file, nothing_of_a_damaged_file_is_believed);
    tcase_add_test(file, a_page_of_too_many_urls_is_damage);
    tcase_add_test(file, what_cannot_be_written_is_told);
    suite_add_tcase(s, file);
    return s;
}
