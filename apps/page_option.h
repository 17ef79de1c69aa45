/*
 * page_option.h: --page: the typical page, or one that a browser recorded.
 */
#ifndef PAGE_OPTION_H
#define PAGE_OPTION_H

#include "cli.h"
#include "web/page.h"

/** "typical" or the name of a HAR file; const char *. */
extern const struct cli_type page_type;

/** Reads it. CLI_OK; CLI_USAGE or CLI_FAILURE, and the user was told what is wrong. `command` is
 * the command's name. */
int page_option_read(const char *what, const char *command, struct page *page);

#endif
