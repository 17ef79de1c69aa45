/*
 * cmd_bench.c: tlsyn bench: picks the study.
 */
#include <string.h>

#include "cli.h"
#include "cmd_bench.h"
#include "commands.h"
#include "link_options.h"
#include "say.h"

static int cmd_bench_links(int argc, char **argv)
{
    const struct cli_option options[] = {{.name = NULL}};
    const struct cli_command command = {
        .name = "bench links",
        .operands = "",
        .summary = "Lists the links that --link of tlsyn lab and of the studies knows by name: "
                   "networks whose round trips the reproduced studies tell.",
        .options = options,
    };
    int status = CLI_OK;

    if (cli_parse(&command, argc, argv, &status) < 0)
        return status;
    link_options_print();
    return CLI_OK;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} studies[] = {
    {"table2", cmd_bench_table2, "ping RTT against handshake time, sequential and embedded"},
    {"loss", cmd_bench_loss, "bulk through loss, delay and reordering, beside the kernel's TCP"},
    {"fallback", cmd_bench_fallback, "what embedding costs where it does not get through"},
    {"bulk", cmd_bench_bulk, "throughput of one flow: this stack, the kernel's, lwIP"},
    {"flood", cmd_bench_flood, "honest clients while forged SYNs arrive, beside nginx"},
    {"pageload", cmd_bench_pageload, "round trips of a whole page, under each handshake"},
    {"webperf", cmd_bench_webperf, "what caching session keys saves, for as long as asked"},
    {"report", cmd_bench_report, "the results of several runs side by side"},
    {"links", cmd_bench_links, "the links that --link knows by their names"},
    {NULL, NULL, NULL},
};

static void print_help(void)
{
    say_result(
        "Usage: tlsyn bench STUDY [OPTION]...\n\n"
        "Measures, in a laboratory on this machine, what carrying TLS in TCP's handshake saves,\n"
        "and how this TCP compares with the kernel's.\n\nStudies:\n");
    for (size_t i = 0; studies[i].name; i++)
        say_result("  %-9s %s\n", studies[i].name, studies[i].summary);
    say_result("\ntlsyn bench STUDY --help lists a study's options.\n");
}

int cmd_bench(int argc, char **argv)
{
    if (argc < 2) {
        print_help();
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return CLI_OK;
    }
    for (size_t i = 0; studies[i].name; i++) {
        if (strcmp(argv[1], studies[i].name) == 0)
            return studies[i].run(argc - 1, argv + 1);
    }
    say("there is no study \"%s\" (tlsyn bench --help lists them)", argv[1]);
    return CLI_USAGE;
}
