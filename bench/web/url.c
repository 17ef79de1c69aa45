/*
 * web/url.c: https URLs. Read first: RFC 3986 5.2, RFC 3987 3.1.
 */
#include "web/url.h"

#include <errno.h>
#include <http_parser.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HTTPS_PORT 443

static bool has(const struct http_parser_url *parts, enum http_parser_url_fields field)
{
    return (parts->field_set & (1u << field)) != 0;
}

static int copy_host(const char *text, const struct http_parser_url *parts, struct url *url)
{
    size_t length = parts->field_data[UF_HOST].len;

    if (length == 0)
        return -EINVAL;
    if (length >= sizeof(url->host))
        return -ENAMETOOLONG;
    memcpy(url->host, text + parts->field_data[UF_HOST].off, length);
    url->host[length] = '\0';
    return 0;
}

/* The end of `path` without its last segment; the root stays. */
static char *drop_segment(const char *path, char *end)
{
    while (end > path && *--end != '/') {
    }
    return end;
}

/* RFC 3986 5.2.4 for a path that starts with "/": "." and ".." are resolved, and never climb
 * above the root. */
static void remove_dot_segments(char *path)
{
    char *out = path;
    const char *in = path;

    while (*in) {
        size_t length = 1 + strcspn(in + 1, "/");
        bool last = in[length] == '\0';
        bool dot = length == 2 && in[1] == '.';
        bool dots = length == 3 && in[1] == '.' && in[2] == '.';

        if (dots)
            out = drop_segment(path, out);
        if (!dot && !dots) {
            memmove(out, in, length);
            out += length;
        } else if (last) {
            *out++ = '/';
        }
        in += length;
    }
    *out = '\0';
}

/* RFC 3987 3.1: octets that are no ASCII become "%C3" and the like, which no terminal obeys. */
static int append(struct url *url, const char *text, size_t n)
{
    size_t length = strlen(url->target);

    for (size_t i = 0; i < n; i++) {
        unsigned char octet = (unsigned char)text[i];
        int size = snprintf(url->target + length, sizeof(url->target) - length,
                            octet < 0x80 ? "%c" : "%%%02X", octet);

        length += (size_t)size;
        if (length >= sizeof(url->target))
            return -ENAMETOOLONG;
    }
    return 0;
}

static int append_field(struct url *url, const char *text, const struct http_parser_url *parts,
                        enum http_parser_url_fields field)
{
    return append(url, text + parts->field_data[field].off, parts->field_data[field].len);
}

static int copy_target(const char *text, const struct http_parser_url *parts, struct url *url)
{
    int error = has(parts, UF_PATH) ? append_field(url, text, parts, UF_PATH) : append(url, "/", 1);

    if (error < 0)
        return error;
    remove_dot_segments(url->target);
    if (!has(parts, UF_QUERY) || parts->field_data[UF_QUERY].len == 0)
        return 0;
    error = append(url, "?", 1);
    return error < 0 ? error : append_field(url, text, parts, UF_QUERY);
}

/* Space and what controls would end a request line, or a part of it; the parser lets some pass. */
static bool has_space(const char *text)
{
    while ((unsigned char)*text > ' ' && *text != 0x7f)
        text++;
    return *text != '\0';
}

int url_parse(const char *text, struct url *url)
{
    struct http_parser_url parts;
    struct url parsed = {.port = HTTPS_PORT};
    int error = 0;

    http_parser_url_init(&parts);
    if (strlen(text) > UINT16_MAX)
        return -ENAMETOOLONG;
    if (has_space(text) || http_parser_parse_url(text, strlen(text), 0, &parts) != 0 ||
        !has(&parts, UF_SCHEMA) || !has(&parts, UF_HOST) || has(&parts, UF_USERINFO))
        return -EINVAL;
    if (parts.field_data[UF_SCHEMA].len != 5 || strncasecmp(text, "https", 5) != 0)
        return -EPROTONOSUPPORT;
    if (has(&parts, UF_PORT))
        parsed.port = parts.port;
    if (parsed.port == 0)
        return -EINVAL;
    error = copy_host(text, &parts, &parsed);
    if (error == 0)
        error = copy_target(text, &parts, &parsed);
    if (error == 0)
        *url = parsed;
    return error;
}

const char *url_authority(const struct url *url, char *text, size_t size)
{
    bool brackets = strchr(url->host, ':') != NULL; /* an IPv6 address */
    int n = snprintf(text, size, "%s%s%s", brackets ? "[" : "", url->host, brackets ? "]" : "");

    if (url->port != HTTPS_PORT && n > 0 && (size_t)n < size)
        (void)snprintf(text + n, size - (size_t)n, ":%u", url->port);
    return text;
}

const char *url_text(const struct url *url, char *text, size_t size)
{
    char authority[URL_AUTHORITY_MAX];

    (void)snprintf(text, size, "https://%s%s", url_authority(url, authority, sizeof(authority)),
                   url->target);
    return text;
}

/* --- relative references ---------------------------------------------------------------------- */

static bool has_scheme(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return n > 0 && text[n] == ':';
}

/* The target of a reference without scheme and authority. */
static int merge_target(const struct url *base, const char *reference, char *target, size_t size)
{
    size_t base_path = strcspn(base->target, "?");
    size_t keep = 0; /* of the base */
    int n = 0;

    if (reference[0] == '\0')
        keep = strlen(base->target);
    else if (reference[0] == '?')
        keep = base_path;
    else if (reference[0] != '/')
        for (keep = base_path; keep > 0 && base->target[keep - 1] != '/'; keep--) {
        }
    n = snprintf(target, size, "%.*s%s", (int)keep, base->target, reference);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int url_resolve(const struct url *base, const char *reference, struct url *url)
{
    char text[2 * sizeof(base->target)];
    struct url merged = *base;
    int n = 0;

    if (has_scheme(reference))
        return url_parse(reference, url);
    if (reference[0] == '/' && reference[1] == '/') {
        n = snprintf(text, sizeof(text), "https:%s", reference);
        return n < 0 || (size_t)n >= sizeof(text) ? -ENAMETOOLONG : url_parse(text, url);
    }
    n = snprintf(text, sizeof(text), "%.*s", (int)strcspn(reference, "#"), reference);
    if (n < 0 || (size_t)n >= sizeof(text))
        return -ENAMETOOLONG;
    n = merge_target(base, text, merged.target, sizeof(merged.target));
    if (n < 0)
        return n;
    return url_parse(url_text(&merged, text, sizeof(text)), url);
}
