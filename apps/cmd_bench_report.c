/*
 * cmd_bench_report.c: tlsyn bench report: several runs side by side.
 */
#include <errno.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_bench.h"
#include "say.h"
#include "study.h"
#include "study/compare/compare.h"

#define PAGE        "comparison.html"
#define ROOM_NEEDED (2 << 20) /* bytes on disk that the page may take */

struct report_command {
    const char *out;
    bool no_html;
};

static int write_page(const struct report_command *c, const struct compare *compare,
                      const char *typed)
{
    FILE *out = NULL;
    int error = study_try_folder(c->out, ROOM_NEEDED);

    if (error < 0)
        return error;
    out = study_open_file(c->out, PAGE);
    error = study_close_file(out, out ? compare_html(compare, typed, out) : -errno, c->out, PAGE);
    if (error == 0)
        say_result("\nIn %s: %s.\n", c->out, PAGE);
    return error;
}

static int run(const struct report_command *c, char **folders, int count, const char *typed)
{
    struct compare *compare = compare_new();
    char message[COMPARE_MESSAGE_MAX] = "out of memory";
    int error = compare ? 0 : -ENOMEM;

    for (int i = 0; i < count && error >= 0; i++)
        error = compare_add(compare, folders[i], message);
    if (error < 0)
        say("%s", message);
    else
        error = compare_text(compare, stdout, study_width(STDOUT_FILENO));
    if (error == 0 && !c->no_html)
        error = write_page(c, compare, typed);
    compare_free(compare);
    return error < 0 ? CLI_FAILURE : CLI_OK;
}

int cmd_bench_report(int argc, char **argv)
{
    struct report_command command = {.out = "out/report"};
    const struct cli_option options[] = {
        {"out", 'o', &cli_folder, &command.out, "where the page goes (out/report)", NULL},
        {"no-html", 0, NULL, &command.no_html, "write no page", NULL},
        {.name = NULL},
    };
    const struct cli_command description = {
        .name = "bench report",
        .operands = "DIR...",
        .summary = "Puts results of several runs side by side, from the folders that the studies "
                   "left: every row that any of them has, and each run beside the first.",
        .options = options,
        .notes = "  tlsyn bench table2 -o out/before; ...; tlsyn bench table2 -o out/after\n"
                 "  tlsyn bench report out/before out/after\n",
        .operands_min = 1,
        .operands_max = 16,
    };
    char typed[1024];
    int status = CLI_USAGE;
    int count;

    study_join(argc, argv, typed, sizeof(typed));
    count = cli_parse(&description, argc, argv, &status);
    return count < 0 ? status : run(&command, argv + 1, count, typed);
}
