/*
 * commands.h: the subcommands. Each gets its name in argv[0] and returns an exit status
 * (enum cli_exit).
 */
#ifndef COMMANDS_H
#define COMMANDS_H

int cmd_ping(int argc, char **argv);
int cmd_connect(int argc, char **argv);
int cmd_prefetch(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_ss(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_bench(int argc, char **argv);

#endif
