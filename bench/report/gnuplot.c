/* Runs gnuplot: script in, drawing out.
 *
 * The script goes in through an unnamed temporary file and the drawing comes out through another,
 * so neither side can block the other, and a gnuplot that hangs is stopped.
 */
#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 5, LIMIT_MS = 30000, DRAWING_MAX = 8 << 20 };

/* Wait for a child, but no longer than LIMIT_MS: then it is killed. */
static int wait_for(pid_t child)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    int status = 0;

    for (int waited = 0; waited < LIMIT_MS; waited += POLL_MS) {
        pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child) {
            bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
            /* 127 is what a failed exec looks like where spawn cannot tell. */
            bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
            return good ? 0 : missing ? -ENOENT : -EPROTO;
        }
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -ETIMEDOUT;
}

/* gnuplot -d: don't read the user's start-up files, the figure must look the same everywhere. */
static int run_gnuplot(FILE *script, FILE *drawing)
{
    char program[] = "gnuplot";
    char defaults[] = "-d";
    char *const arguments[] = {program, defaults, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = 0;

    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return -error;
    }
    posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(drawing), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    error = posix_spawnp(&child, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error != 0 ? -error : wait_for(child);
}

static int read_all(FILE *file, char **text)
{
    if (fseek(file, 0, SEEK_END) != 0) {
        return -errno;
    }
    long size = ftell(file);
    if (size <= 0 || size > DRAWING_MAX) {
        return -EPROTO;
    }
    rewind(file);
    *text = calloc((size_t)size + 1, 1);
    if (*text == NULL) {
        return -ENOMEM;
    }
    if (fread(*text, 1, (size_t)size, file) != (size_t)size) {
        free(*text);
        *text = NULL;
        return -EIO;
    }
    return 0;
}

int gnuplot_run(FILE *script, char **drawing)
{
    FILE *out = NULL;
    int error = 0;

    *drawing = NULL;
    if (fflush(script) != 0 || ferror(script)) {
        return -EIO;
    }
    if (lseek(fileno(script), 0, SEEK_SET) < 0 || (out = tmpfile()) == NULL) {
        return -errno; /* gnuplot shares the script's offset */
    }
    error = run_gnuplot(script, out);
    if (error == 0) {
        error = read_all(out, drawing);
    }
    fclose(out);
    return error;
}
