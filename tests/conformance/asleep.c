/*
 * conformance/asleep.c: see asleep.h.
 */
#include "conformance/asleep.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* proc(5): the state is the letter behind the name, which is in parentheses. */
bool thread_is_asleep(pid_t thread)
{
    char path[64], text[512] = "";
    const char *behind;
    int fd;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    behind = strrchr(text, ')');
    return !behind || behind[1] == '\0' || behind[2] == 'S';
}
