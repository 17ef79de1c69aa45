/*
 * test_cli.c: command lines are understood, and what is wrong with them is said in one sentence.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "say.h"

/* --- values ----------------------------------------------------------------------------------- */

static bool takes(const struct cli_type *type, const char *text)
{
    union {
        tlsyn_time time;
        uint64_t size;
        int64_t number;
        double fraction;
        struct tlsyn_addr address;
        struct cli_network network;
        const char *text;
    } value;
    union {
        unsigned char byte[sizeof(value)];
    } before;
    int error = 0;

    memset(&value, 0xa5, sizeof(value));
    memcpy(&before, &value, sizeof(value));
    error = type->parse(type, text, &value);
    if (error < 0) {
        ck_assert_int_eq(error, -EINVAL);
        ck_assert_msg(memcmp(&before, &value, sizeof(value)) == 0,
                      "\"%s\" was refused, and changed the value", text);
    }
    return error == 0;
}

START_TEST(durations_have_a_unit)
{
    static const struct {
        const char *text;
        tlsyn_time value;
    } good[] = {{"20ms", 20000},    {"1.5s", 1500000}, {"300us", 300}, {"2min", 120000000},
                {"1h", 3600000000}, {"0", 0},          {".5ms", 500},  {"0.4ms", 400},
                {"1S", 1000000},    {"11.6ms", 11600}};
    static const char *const bad[] = {"",    "20",   "ms",  "-1s",  "1.5",   "1 s", "1sx", "0x10s",
                                      "nan", "infs", " 1s", "1,5s", "1e30s", "+1s", "1d"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tlsyn_time value = -1;

        ck_assert_msg(cli_duration.parse(&cli_duration, good[i].text, &value) == 0, "%s",
                      good[i].text);
        ck_assert_int_eq(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!takes(&cli_duration, bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(sizes_and_rates_know_their_units)
{
    static const struct {
        const struct cli_type *type;
        const char *text;
        uint64_t value;
    } good[] = {{&cli_size, "100", 100},
                {&cli_size, "64k", 64000},
                {&cli_size, "1.5M", 1500000},
                {&cli_size, "64KiB", 65536},
                {&cli_size, "1MiB", 1048576},
                {&cli_size, "2G", 2000000000},
                {&cli_rate, "10mbit", 10000000},
                {&cli_rate, "64kbit", 64000},
                {&cli_rate, "1.5Gbit", 1500000000},
                {&cli_rate, "8bit", 8}};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint64_t value = 0;

        ck_assert_msg(good[i].type->parse(good[i].type, good[i].text, &value) == 0, "%s",
                      good[i].text);
        ck_assert_uint_eq(value, good[i].value);
    }
    ck_assert(!takes(&cli_size, "-1"));
    ck_assert(!takes(&cli_size, "1kbit"));
    ck_assert(!takes(&cli_size, "lots"));
    ck_assert(!takes(&cli_size, "1e19"));
    ck_assert(!takes(&cli_rate, "10"));
    ck_assert(!takes(&cli_rate, "0kbit"));
    ck_assert(!takes(&cli_rate, "10MB"));
}
END_TEST

START_TEST(percentages_end_with_a_sign)
{
    double value = -1;

    ck_assert_int_eq(cli_percent.parse(&cli_percent, "2%", &value), 0);
    ck_assert_double_eq_tol(value, 0.02, 1e-12);
    ck_assert_int_eq(cli_percent.parse(&cli_percent, "0.5%", &value), 0);
    ck_assert_double_eq_tol(value, 0.005, 1e-12);
    ck_assert_int_eq(cli_percent.parse(&cli_percent, "100%", &value), 0);
    ck_assert_double_eq_tol(value, 1, 1e-12);
    ck_assert(!takes(&cli_percent, "2"));
    ck_assert(!takes(&cli_percent, "101%"));
    ck_assert(!takes(&cli_percent, "-1%"));
    ck_assert(!takes(&cli_percent, "%"));
}
END_TEST

START_TEST(addresses_are_whole)
{
    struct cli_network network;
    struct tlsyn_addr address;
    char text[CLI_ADDRESS_TEXT];

    ck_assert_int_eq(cli_address.parse(&cli_address, "10.0.0.9", &address), 0);
    ck_assert_str_eq(cli_address_text(&address, text), "10.0.0.9");
    ck_assert_int_eq(cli_network.parse(&cli_network, "192.168.1.250/24", &network), 0);
    ck_assert_str_eq(cli_address_text(&network.address, text), "192.168.1.250");
    ck_assert_int_eq(network.prefix_len, 24);
    ck_assert_int_eq(cli_address.parse(&cli_address, "fd77::9", &address), 0);
    ck_assert_str_eq(cli_address_text(&address, text), "fd77::9");
    ck_assert_str_eq(cli_address_host(&address, text), "[fd77::9]");
    ck_assert_int_eq(cli_network.parse(&cli_network, "fd77::9/64", &network), 0);
    ck_assert_int_eq(network.prefix_len, 64);
    ck_assert(!takes(&cli_network, "fd77::9/129"));
    ck_assert(!takes(&cli_address, "::ffff:10.0.0.9"));
    ck_assert(!takes(&cli_address, "fd77::9::1"));
    ck_assert(!takes(&cli_address, "10.0.0"));
    ck_assert(!takes(&cli_address, "10.0.0.256"));
    ck_assert(!takes(&cli_address, "10.0.0.9/24"));
    ck_assert(!takes(&cli_address, "example.org"));
    ck_assert(!takes(&cli_network, "10.0.0.9"));
    ck_assert(!takes(&cli_network, "10.0.0.9/"));
    ck_assert(!takes(&cli_network, "10.0.0.9/0"));
    ck_assert(!takes(&cli_network, "10.0.0.9/33"));
    ck_assert(!takes(&cli_network, "10.0.0.9/24x"));
    ck_assert(!takes(&cli_network, "10.0.0.9/-1"));
    ck_assert(!takes(&cli_network, "1000000000000000000000.0.0.9/24"));
}
END_TEST

START_TEST(numbers_keep_their_bounds)
{
    ck_assert(takes(&cli_port, "1"));
    ck_assert(takes(&cli_port, "65535"));
    ck_assert(!takes(&cli_port, "0"));
    ck_assert(!takes(&cli_port, "65536"));
    ck_assert(!takes(&cli_port, "80 "));
    ck_assert(!takes(&cli_port, "0x50"));
    ck_assert(takes(&cli_count, "2147483647"));
    ck_assert(!takes(&cli_count, "2147483648"));
    ck_assert(!takes(&cli_count, "99999999999999999999"));
    ck_assert(!takes(&cli_string, ""));
}
END_TEST

/* --- command lines ---------------------------------------------------------------------------- */

/* A command with one option of each kind, and what a command line made of it. */
struct line {
    int operands; /* of cli_parse() */
    int status;
    char *argv[16];
    int argc;
    bool verbose, keep;
    const char *output;
    tlsyn_time timeout;
    int level;
    bool options_first;
    char message[1024]; /* stderr */
};

static const char *const levels[] = {"none", "open", NULL};
static const struct cli_type level_type = {
    .placeholder = "LEVEL", .parse = cli_choice_parse, .choices = levels};

START_TEST(what_a_type_accepts_follows_from_its_choices_and_bounds)
{
    static const char *const words[] = {"new", "id", "psk", NULL};
    const struct cli_type one = {"WORD", .parse = cli_choice_parse, .choices = words};
    const struct cli_type some = {"WORD,...", .parse = cli_set_parse, .choices = words};
    const struct cli_type number = {"N", .parse = cli_number_parse, .min = -1, .max = 9};
    char text[CLI_ACCEPTS_TEXT];

    ck_assert_str_eq(cli_accepts(&level_type, text), "none or open");
    ck_assert_str_eq(cli_accepts(&one, text), "new, id or psk");
    ck_assert_str_eq(cli_accepts(&some, text), "some of new, id, psk, with commas between");
    ck_assert_str_eq(cli_accepts(&number, text), "a whole number from -1 to 9");
    ck_assert_str_eq(cli_accepts(&cli_port, text), cli_port.accepts);
}
END_TEST

/* Runs with stderr in a file. */
static void parse(struct line *l, const char *words)
{
    static char text[256];
    const struct cli_option options[] = {
        {"verbose", 'v', NULL, &l->verbose, "say more", NULL},
        {"keep", 'k', NULL, &l->keep, "keep it", NULL},
        {"output", 'o', &cli_file, &l->output, "write to FILE", NULL},
        {"level", 0, &level_type, &l->level, "what the SYN may carry", NULL},
        {.name = NULL},
    };
    const struct cli_option common[] = {
        {"timeout", 't', &cli_duration, &l->timeout, "longest wait", "TEST_TIMEOUT"},
        {.name = NULL},
    };
    const struct cli_command command = {.name = "test",
                                        .operands = "URL [FILE]",
                                        .summary = "Tests.",
                                        .options = options,
                                        .common = common,
                                        .operands_min = 1,
                                        .operands_max = l->options_first ? -1 : 2,
                                        .options_first = l->options_first};
    FILE *capture = tmpfile();
    int kept = dup(STDERR_FILENO);
    char *rest = NULL;

    (void)snprintf(text, sizeof(text), "test %s", words);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        l->argv[l->argc++] = word;
    ck_assert(capture && kept >= 0);
    (void)dup2(fileno(capture), STDERR_FILENO);
    l->operands = cli_parse(&command, l->argc, l->argv, &l->status);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    rewind(capture);
    l->message[fread(l->message, 1, sizeof(l->message) - 1, capture)] = '\0';
    (void)fclose(capture);
}

START_TEST(every_form_of_an_option_is_understood)
{
    static const char *const same[] = {
        "-vk -o out --timeout 2s url",
        "--verbose --keep --output out --timeout=2s url",
        "url -oout -kv -t 2s",
        "-vko out -t2s url",
        "--output=out -v -k -t 2s -- url",
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct line l = {0};

        parse(&l, same[i]);
        ck_assert_msg(l.operands == 1, "%s: %s", same[i], l.message);
        ck_assert(l.verbose && l.keep);
        ck_assert_str_eq(l.output, "out");
        ck_assert_int_eq(l.timeout, 2000000);
        ck_assert_str_eq(l.argv[1], "url");
        ck_assert_str_eq(l.message, "");
    }
}
END_TEST

START_TEST(operands_gather_in_their_order)
{
    struct line l = {0};

    parse(&l, "first -v second --keep");
    ck_assert_int_eq(l.operands, 2);
    ck_assert_str_eq(l.argv[1], "first");
    ck_assert_str_eq(l.argv[2], "second");
    ck_assert(l.verbose && l.keep);
}
END_TEST

START_TEST(a_dash_and_what_follows_two_are_operands)
{
    struct line l = {0};

    parse(&l, "- -- -v");
    ck_assert_int_eq(l.operands, 2);
    ck_assert_str_eq(l.argv[1], "-");
    ck_assert_str_eq(l.argv[2], "-v");
    ck_assert(!l.verbose);
}
END_TEST

START_TEST(somebody_elses_command_line_is_left_alone)
{
    struct line l = {.options_first = true};

    parse(&l, "-v ls -k --color -- x");
    ck_assert_int_eq(l.operands, 5);
    ck_assert(l.verbose && !l.keep);
    ck_assert_str_eq(l.argv[1], "ls");
    ck_assert_str_eq(l.argv[2], "-k");
    ck_assert_str_eq(l.argv[4], "--");
}
END_TEST

START_TEST(what_is_wrong_is_said_in_one_sentence)
{
    static const struct {
        const char *words, *message;
    } cases[] = {
        {"--nothing url", "there is no option --nothing"},
        {"-x url", "there is no option -x"},
        {"--verb url", "there is no option --verb"},
        {"--timeout 2 url", "--timeout takes a duration such as 20ms, 1.5s or 2min, not \"2\""},
        {"url --timeout", "--timeout needs a value: a duration"},
        {"--level high url", "--level takes none or open, not \"high\""},
        {"--keep=yes url", "--keep takes no value"},
        {"-v", "URL [FILE] is missing"},
        {"a b c", "\"c\" is one argument too many"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct line l = {0};

        parse(&l, cases[i].words);
        ck_assert_msg(l.operands == -1, "%s", cases[i].words);
        ck_assert_int_eq(l.status, CLI_USAGE);
        ck_assert_msg(strstr(l.message, cases[i].message), "%s: %s", cases[i].words, l.message);
        ck_assert_msg(strncmp(l.message, "tlsyn: test: ", 13) == 0, "%s", l.message);
        ck_assert_msg(strchr(l.message, '\n') == l.message + strlen(l.message) - 1, "%s",
                      l.message);
    }
}
END_TEST

START_TEST(the_environment_gives_defaults_that_options_replace)
{
    struct line l = {.timeout = 7};
    struct line given = {.timeout = 7};
    struct line wrong = {.timeout = 7};

    ck_assert_int_eq(setenv("TEST_TIMEOUT", "3s", 1), 0);
    parse(&l, "url");
    ck_assert_int_eq(l.timeout, 3000000);
    parse(&given, "url --timeout 1s");
    ck_assert_int_eq(given.timeout, 1000000);
    ck_assert_int_eq(setenv("TEST_TIMEOUT", "soon", 1), 0);
    parse(&wrong, "url");
    ck_assert_int_eq(wrong.operands, -1);
    ck_assert_int_eq(wrong.status, CLI_USAGE);
    ck_assert_ptr_nonnull(strstr(wrong.message, "TEST_TIMEOUT takes a duration"));
    ck_assert_int_eq(unsetenv("TEST_TIMEOUT"), 0);
}
END_TEST

START_TEST(defaults_stay_where_nothing_is_said)
{
    struct line l = {.timeout = 7, .level = 1, .output = "there"};

    parse(&l, "url");
    ck_assert_int_eq(l.timeout, 7);
    ck_assert_int_eq(l.level, 1);
    ck_assert_str_eq(l.output, "there");
    ck_assert(!l.verbose);
}
END_TEST

/* --- what is printed -------------------------------------------------------------------------- */

START_TEST(durations_and_bytes_read_well)
{
    char text[24];

    ck_assert_str_eq(say_duration(412, text), "0.412 ms");
    ck_assert_str_eq(say_duration(31500, text), "31.5 ms");
    ck_assert_str_eq(say_duration(2500000, text), "2.50 s");
    ck_assert_str_eq(say_bytes(0, text), "0 B");
    ck_assert_str_eq(say_bytes(999, text), "999 B");
    ck_assert_str_eq(say_bytes(1000, text), "1.0 kB");
    ck_assert_str_eq(say_bytes(100000000, text), "100.0 MB");
    ck_assert_str_eq(say_bytes(999999999, text), "1.0 GB");
    ck_assert_str_eq(say_bytes(UINT64_MAX, text), "18.4 EB");
}
END_TEST

Suite *cli_suite(void);

Suite *cli_suite(void)
{
    Suite *suite = suite_create("cli");
    TCase *values = tcase_create("values");
    TCase *lines = tcase_create("command lines");

    tcase_add_test(values, durations_have_a_unit);
    tcase_add_test(values, sizes_and_rates_know_their_units);
    tcase_add_test(values, percentages_end_with_a_sign);
    tcase_add_test(values, addresses_are_whole);
    tcase_add_test(values, numbers_keep_their_bounds);
    tcase_add_test(values, durations_and_bytes_read_well);
    suite_add_tcase(suite, values);
    tcase_add_test(lines, every_form_of_an_option_is_understood);
    tcase_add_test(lines, operands_gather_in_their_order);
    tcase_add_test(lines, a_dash_and_what_follows_two_are_operands);
    tcase_add_test(lines, somebody_elses_command_line_is_left_alone);
    tcase_add_test(lines, what_a_type_accepts_follows_from_its_choices_and_bounds);
    tcase_add_test(lines, what_is_wrong_is_said_in_one_sentence);
    tcase_add_test(lines, the_environment_gives_defaults_that_options_replace);
    tcase_add_test(lines, defaults_stay_where_nothing_is_said);
    suite_add_tcase(suite, lines);
    return suite;
}
