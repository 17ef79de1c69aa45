/*
 * page_option.c: --page: the typical page, or one that a browser recorded.
 */
#include "page_option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "web/har.h"

const struct cli_type page_type = {.placeholder = "PAGE",
                                   .accepts = "typical, or the name of a HAR file",
                                   .parse = cli_text_parse};

/* The whole file, to be freed; one octet more than is allowed tells that it is too large. */
static int read_file(const char *name, char **text, size_t *len)
{
    FILE *file = fopen(name, "re");
    int error = file ? 0 : -errno;
    char *bytes = NULL;
    size_t room = 0, n = 0, got = 1;

    while (error == 0 && got > 0 && n <= HAR_BYTES_MAX) {
        if (n == room) {
            char *more = realloc(bytes, room = room ? 2 * room : 1 << 16);

            error = more ? 0 : -ENOMEM;
            bytes = more ? more : bytes;
        }
        got = error == 0 ? fread(bytes + n, 1, room - n, file) : 0;
        n += got;
    }
    if (error == 0 && ferror(file))
        error = errno > 0 ? -errno : -EIO;
    if (file)
        (void)fclose(file);
    *text = bytes;
    *len = n;
    return error;
}

static void tell(const char *what, const char *command, const struct page *page,
                 const struct har_count *count)
{
    say("%s: %s: %d URLs of %d servers; of %zu entries %zu were left out and %zu were there "
        "already",
        command, what, page->urls, page->hosts, count->entries, count->left_out, count->repeated);
}

int page_option_read(const char *what, const char *command, struct page *page)
{
    struct har_count count;
    char message[HAR_MESSAGE_MAX] = "";
    char *text = NULL;
    size_t len = 0;
    int error;

    if (strcmp(what, "typical") == 0) {
        page_typical(page);
        return CLI_OK;
    }
    error = read_file(what, &text, &len);
    if (error < 0)
        say("%s: the page %s cannot be read: %s", command, what, strerror(-error));
    else if ((error = har_parse(text, len, page, &count, message)) < 0)
        say("%s: %s: %s", command, what, message);
    else
        tell(what, command, page, &count);
    free(text);
    return error < 0 ? CLI_FAILURE : CLI_OK;
}
