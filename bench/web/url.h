/*
 * web/url.h: https URLs (RFC 3986, RFC 9110 4.2.2): apart, and one relative to another.
 */
#ifndef WEB_URL_H
#define WEB_URL_H

#include <stddef.h>
#include <stdint.h>

struct url {
    char host[256]; /* name or address, an IPv6 one without brackets */
    uint16_t port;
    char target[2048]; /* path and query, "/" at least: what stands in the request line */
};

/** 0; -EINVAL no URL, -EPROTONOSUPPORT not https, -ENAMETOOLONG. A fragment is left out, "." and
 * ".." are resolved (RFC 3986 6.2.2.3), and what is not ASCII is in hex (RFC 3987 3.1): the target
 * is printable. A user name is -EINVAL. */
int url_parse(const char *text, struct url *url);

/** What a Location field (RFC 9110 10.2.2) means that came from `base`. `url` may not be `base`.
 * Errors as url_parse(). */
int url_resolve(const struct url *base, const char *reference, struct url *url);

#define URL_AUTHORITY_MAX 270

/** "host", "[fd77::9]" or either with ":port" if that is not 443: what a Host field holds (RFC 9110
 * 7.2). Returns `text`. */
const char *url_authority(const struct url *url, char *text, size_t size);

/** "https://host/target" with the port if it is not 443. Returns `text`. */
const char *url_text(const struct url *url, char *text, size_t size);

#endif
