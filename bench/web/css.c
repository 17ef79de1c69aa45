/*
 * web/css.c: a tokeniser that knows comments, strings, URLs and one rule by its name.
 */
#include "web/css.h"

#include <string.h>
#include <strings.h>

void css_init(struct css *css, struct reference_user *user, const struct url *base)
{
    memset(css, 0, sizeof(*css));
    css->user = user;
    css->base = base;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '@' || (unsigned char)c >= 0x80;
}

static void add(struct css *css, char c)
{
    if (css->len < sizeof(css->text))
        css->text[css->len++] = c;
}

static void begin(struct css *css, enum css_state state)
{
    css->state = state;
    css->len = 0;
}

/* A string or URL is whole. What an @import names is a sheet, everything else an image: fonts too,
 * which the graph of a page has no kind for. */
static void end_text(struct css *css, bool named)
{
    bool whole = css->len < sizeof(css->text);

    css->text[whole ? css->len : 0] = '\0';
    if (named && whole)
        reference_tell(css->user, css->import ? PAGE_CSS : PAGE_IMAGE, css->base, css->text);
    css->len = 0;
}

static bool is_word(const struct css *css, const char *word)
{
    return css->word_len == strlen(word) && strncasecmp(css->word, word, css->word_len) == 0;
}

static void take_normal(struct css *css, char c)
{
    if (is_name(c)) {
        if (css->word_len < sizeof(css->word))
            css->word[css->word_len] = c;
        css->word_len += css->word_len <= sizeof(css->word);
        return;
    }
    if (is_word(css, "@import"))
        css->import = true;
    if (c == '(' && is_word(css, "url")) {
        begin(css, CSS_URL);
    } else if (c == '"' || c == '\'') {
        css->quote = c;
        css->in_url = false;
        begin(css, CSS_STRING);
    } else if (c == '/') {
        css->state = CSS_SLASH;
    } else if (c == ';' || c == '{' || c == '}') {
        css->import = false;
    }
    css->word_len = 0;
}

static void take_string(struct css *css, char c)
{
    if (css->escaped) {
        css->escaped = false;
        add(css, c);
    } else if (c == '\\') {
        css->escaped = true;
    } else if (c == css->quote || c == '\n') { /* a string ends with its line at the latest */
        end_text(css, c != '\n' && (css->in_url || css->import));
        css->state = css->in_url ? CSS_URL_BEHIND : CSS_NORMAL;
    } else {
        add(css, c);
    }
}

static void take_url(struct css *css, char c)
{
    if (is_space(c))
        return;
    if (c == '"' || c == '\'') {
        css->quote = c;
        css->in_url = true;
        begin(css, CSS_STRING);
    } else if (c == ')') {
        css->state = CSS_NORMAL;
    } else {
        begin(css, CSS_URL_RAW);
        css->escaped = c == '\\';
        if (!css->escaped)
            add(css, c);
    }
}

static void take_raw_url(struct css *css, char c)
{
    if (css->escaped) {
        css->escaped = false;
        add(css, c);
    } else if (c == '\\') {
        css->escaped = true;
    } else if (c == ')' || is_space(c)) {
        end_text(css, true);
        css->state = c == ')' ? CSS_NORMAL : CSS_URL_BEHIND;
    } else {
        add(css, c);
    }
}

static void take_one(struct css *css, char c)
{
    switch (css->state) {
    case CSS_NORMAL:
        take_normal(css, c);
        break;
    case CSS_SLASH:
        css->state = c == '*' ? CSS_COMMENT : CSS_NORMAL;
        if (css->state == CSS_NORMAL)
            take_normal(css, c);
        break;
    case CSS_COMMENT:
    case CSS_COMMENT_STAR:
        if (c == '/' && css->state == CSS_COMMENT_STAR)
            css->state = CSS_NORMAL;
        else
            css->state = c == '*' ? CSS_COMMENT_STAR : CSS_COMMENT;
        break;
    case CSS_STRING:
        take_string(css, c);
        break;
    case CSS_URL:
        take_url(css, c);
        break;
    case CSS_URL_RAW:
        take_raw_url(css, c);
        break;
    case CSS_URL_BEHIND:
        if (c == ')')
            css->state = CSS_NORMAL;
        break;
    }
}

void css_take(struct css *css, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        take_one(css, bytes[i]);
}
