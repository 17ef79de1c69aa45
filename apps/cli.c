/*
 * cli.c: parses a command line by a table, and prints the table as help.
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

#define HELP_COLUMN 30
#define HELP_WIDTH  96

/* The command line while it is read: argv[next] is looked at next; operands gather in
 * argv[1..operands]. */
struct scan {
    const struct cli_command *command;
    int argc;
    char **argv;
    int next;
    int operands;
};

enum outcome { PARSED, WRONG, HELP };

static enum outcome complain(const struct scan *s, const char *text)
{
    say("%s: %s (tlsyn %s --help lists the options)", s->command->name, text, s->command->name);
    return WRONG;
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct cli_option *find_in(const struct cli_option *o, const char *name, size_t length,
                                        char letter)
{
    for (; o && o->name; o++) {
        if (name && strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
        if (!name && o->letter == letter)
            return o;
    }
    return NULL;
}

static const struct cli_option *find(const struct cli_command *command, const char *name,
                                     size_t length, char letter)
{
    const struct cli_option *o = find_in(command->options, name, length, letter);

    return o ? o : find_in(command->common, name, length, letter);
}

static enum outcome take(const struct scan *s, const struct cli_option *o, const char *value)
{
    char accepts[CLI_ACCEPTS_TEXT], text[512];

    if (!o->type) {
        *(bool *)o->into = true;
        return PARSED;
    }
    if (o->type->parse(o->type, value, o->into) == 0)
        return PARSED;
    (void)snprintf(text, sizeof(text), "--%s takes %s, not \"%s\"", o->name,
                   cli_accepts(o->type, accepts), value);
    return complain(s, text);
}

/* Gives an option the following argument as its value. */
static enum outcome take_next(struct scan *s, const struct cli_option *o)
{
    char accepts[CLI_ACCEPTS_TEXT], text[512];

    if (!o->type || o->type->alone)
        return take(s, o, o->type ? o->type->alone : NULL);
    if (s->next < s->argc)
        return take(s, o, s->argv[s->next++]);
    (void)snprintf(text, sizeof(text), "--%s needs a value: %s", o->name,
                   cli_accepts(o->type, accepts));
    return complain(s, text);
}

/* --- arguments -------------------------------------------------------------------------------- */

static enum outcome scan_long(struct scan *s, const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    const struct cli_option *o = find(s->command, argument, length, 0);
    char text[512];

    if (length == 4 && memcmp(argument, "help", 4) == 0)
        return HELP;
    if (!o) {
        (void)snprintf(text, sizeof(text), "there is no option --%.*s", (int)length, argument);
        return complain(s, text);
    }
    if (!equals)
        return take_next(s, o);
    if (!o->type) {
        (void)snprintf(text, sizeof(text), "--%s takes no value", o->name);
        return complain(s, text);
    }
    return take(s, o, equals + 1);
}

static enum outcome scan_letters(struct scan *s, const char *letters)
{
    char text[512];

    for (; *letters; letters++) {
        const struct cli_option *o = find(s->command, NULL, 0, *letters);
        enum outcome outcome = PARSED;

        if (*letters == 'h' && !o)
            return HELP;
        if (!o) {
            (void)snprintf(text, sizeof(text), "there is no option -%c", *letters);
            return complain(s, text);
        }
        if (o->type && letters[1])
            return take(s, o, letters + 1);
        outcome = take_next(s, o);
        if (outcome != PARSED || o->type)
            return outcome;
    }
    return PARSED;
}

static void keep_rest(struct scan *s)
{
    while (s->next < s->argc)
        s->argv[++s->operands] = s->argv[s->next++];
}

static enum outcome scan_argument(struct scan *s)
{
    char *argument = s->argv[s->next++];

    if (strcmp(argument, "--") == 0) {
        keep_rest(s);
        return PARSED;
    }
    if (argument[0] == '-' && argument[1] == '-')
        return scan_long(s, argument + 2);
    if (argument[0] == '-' && argument[1] != '\0')
        return scan_letters(s, argument + 1);
    s->argv[++s->operands] = argument;
    if (s->command->options_first)
        keep_rest(s);
    return PARSED;
}

static enum outcome take_environment(const struct scan *s, const struct cli_option *o)
{
    for (; o && o->name; o++) {
        const char *value = o->environment ? getenv(o->environment) : NULL;
        char accepts[CLI_ACCEPTS_TEXT], text[512];

        if (!value || value[0] == '\0' || !o->type)
            continue;
        if (o->type->parse(o->type, value, o->into) == 0)
            continue;
        (void)snprintf(text, sizeof(text), "the environment variable %s takes %s, not \"%s\"",
                       o->environment, cli_accepts(o->type, accepts), value);
        return complain(s, text);
    }
    return PARSED;
}

static enum outcome count_operands(const struct scan *s)
{
    const struct cli_command *c = s->command;
    char text[512];

    if (s->operands < c->operands_min) {
        (void)snprintf(text, sizeof(text), "%s is missing", c->operands);
        return complain(s, text);
    }
    if (c->operands_max >= 0 && s->operands > c->operands_max) {
        (void)snprintf(text, sizeof(text), "\"%s\" is one argument too many",
                       s->argv[c->operands_max + 1]);
        return complain(s, text);
    }
    return PARSED;
}

/* --- help ------------------------------------------------------------------------------------- */

/* Prints text from the present column on, broken at blanks. */
static void print_wrapped(const char *text, int indent, int column)
{
    while (*text) {
        size_t length = strcspn(text, " ");

        if (column > indent && column + 1 + (int)length > HELP_WIDTH) {
            say_result("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            say_result(" ");
            column++;
        }
        say_result("%.*s", (int)length, text);
        column += (int)length;
        text += length;
        text += strspn(text, " ");
    }
    say_result("\n");
}

static void print_options(const struct cli_option *o)
{
    for (; o && o->name; o++) {
        char head[128];
        char help[512];
        int length = 0;

        if (o->letter)
            length = snprintf(head, sizeof(head), "  -%c, --%s", o->letter, o->name);
        else
            length = snprintf(head, sizeof(head), "      --%s", o->name);
        if (o->type)
            length += snprintf(head + length, sizeof(head) - (size_t)length,
                               o->type->alone ? "[=%s]" : " %s", o->type->placeholder);
        (void)snprintf(help, sizeof(help), "%s%s%s%s", o->help, o->environment ? " [$" : "",
                       o->environment ? o->environment : "", o->environment ? "]" : "");
        if (length >= HELP_COLUMN)
            say_result("%s\n%*s", head, HELP_COLUMN, "");
        else
            say_result("%-*s", HELP_COLUMN, head);
        print_wrapped(help, HELP_COLUMN, HELP_COLUMN);
    }
}

static void print_help(const struct cli_command *command)
{
    say_result("Usage: tlsyn %s [OPTION]...%s%s\n\n", command->name,
               command->operands[0] ? " " : "", command->operands);
    print_wrapped(command->summary, 0, 0);
    say_result("\nOptions:\n");
    print_options(command->options);
    say_result("  -h, --help%*sshow this text\n", HELP_COLUMN - 12, "");
    if (command->common && command->common->name) {
        say_result("\nNetwork options:\n");
        print_options(command->common);
    }
    say_result("\nExit status: 0 done, 1 failure, 2 usage, 3 rights are missing, 4 TLS failed, "
               "5 HTTP error status,\n130 interrupted, 141 nobody reads the output any more.\n");
    if (command->notes)
        say_result("\n%s", command->notes);
}

/* --- parsing ---------------------------------------------------------------------------------- */

int cli_parse(const struct cli_command *command, int argc, char **argv, int *exit_status)
{
    struct scan s = {.command = command, .argc = argc, .argv = argv, .next = 1};
    enum outcome outcome = take_environment(&s, command->options);

    if (outcome == PARSED)
        outcome = take_environment(&s, command->common);
    while (outcome == PARSED && s.next < argc)
        outcome = scan_argument(&s);
    if (outcome == PARSED)
        outcome = count_operands(&s);
    if (outcome == PARSED)
        return s.operands;
    *exit_status = outcome == HELP ? CLI_OK : CLI_USAGE;
    if (outcome == HELP)
        print_help(command);
    return -1;
}

int cli_output_lost(int error)
{
    if (error == -EPIPE)
        return CLI_READER_GONE;
    say("the output can't be written: %s", strerror(-error));
    return CLI_FAILURE;
}
