/*
 * web/script.c: a tokeniser that knows identifiers, strings in double quotes, and one call.
 */
#include "web/script.h"

#include <stdio.h>
#include <string.h>

void script_init(struct script *script, struct reference_user *user, const struct url *base)
{
    memset(script, 0, sizeof(*script));
    script->user = user;
    script->base = base;
    script->arguments = -1;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '.';
}

static void add(struct script *script, char c)
{
    if (script->len < sizeof(script->text))
        script->text[script->len++] = c;
}

/* The call is whole. */
static void tell(struct script *script)
{
    static const struct {
        const char *tag;
        enum page_kind kind;
    } kinds[] = {
        {"iframe", PAGE_FRAME}, {"link", PAGE_CSS}, {"script", PAGE_SCRIPT}, {"img", PAGE_IMAGE}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].tag, script->tag) == 0)
            reference_tell(script->user, kinds[i].kind, script->base, script->text);
    }
}

static void end_string(struct script *script)
{
    bool whole = script->len < sizeof(script->text);

    script->in_string = false;
    if (script->arguments < 0)
        return;
    script->text[whole ? script->len : 0] = '\0';
    if (script->arguments == 0)
        (void)snprintf(script->tag, sizeof(script->tag), "%.15s", script->text);
    if (++script->arguments < SCRIPT_ARGUMENTS)
        return;
    if (whole)
        tell(script);
    script->arguments = -1;
}

static void take_string(struct script *script, char c)
{
    if (script->escaped || (c != '\\' && c != '"' && c != '\n'))
        add(script, c);
    else if (c == '"')
        end_string(script);
    else if (c == '\n') /* none goes beyond its line */
        script->in_string = false;
    script->escaped = !script->escaped && c == '\\';
}

static void take_code(struct script *script, char c)
{
    if (is_name(c)) {
        if (script->word_len < sizeof(script->word))
            script->word[script->word_len++] = c;
        return;
    }
    if (c == '"') {
        script->in_string = true;
        script->len = 0;
    } else if (c == '(') {
        bool loads = script->word_len == 4 && memcmp(script->word, "load", 4) == 0;

        script->arguments = loads ? 0 : -1;
    } else if (c == ')' || c == ';') {
        script->arguments = -1;
    }
    script->word_len = 0;
}

void script_take(struct script *script, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (script->in_string)
            take_string(script, bytes[i]);
        else
            take_code(script, bytes[i]);
    }
}
