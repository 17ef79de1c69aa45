/*
 * cmd_bench.h: the studies of tlsyn bench, a file each. Each gets its name in argv[0] and returns
 * an exit status.
 */
#ifndef CMD_BENCH_H
#define CMD_BENCH_H

int cmd_bench_table2(int argc, char **argv);
int cmd_bench_loss(int argc, char **argv);
int cmd_bench_bulk(int argc, char **argv);
int cmd_bench_flood(int argc, char **argv);
int cmd_bench_pageload(int argc, char **argv);
int cmd_bench_fallback(int argc, char **argv);
int cmd_bench_webperf(int argc, char **argv);
int cmd_bench_report(int argc, char **argv);

#endif
