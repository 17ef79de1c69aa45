/*
 * study/pageload/history.h: what a browser remembers of a page from visit to visit, in a file: the
 * URLs that its last load fetched (web/loader.h), for the historical prefetch.
 *
 * Text, a line per URL: its kind, frame and position, and the URL; the first line says what the
 * file is, the second which page's. Nobody but the owner may read it (0600), for it tells where he
 * was. One file holds one page; the next page replaces it.
 */
#ifndef STUDY_PAGELOAD_HISTORY_H
#define STUDY_PAGELOAD_HISTORY_H

#include "web/loader.h"

/** 0; -ENOENT: there is none, or one of another page; -EBADMSG: the file is damaged, and nothing of
 * it is believed; or -errno. */
int history_load(const char *path, const struct url *page, struct known_page *known);

/** In place of what was there, whole or not at all. 0 or -errno. */
int history_save(const char *path, const struct url *page, const struct known_page *known);

#endif
