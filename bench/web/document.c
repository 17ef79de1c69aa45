/*
 * web/document.c: libxml2's HTML parser, pushed, and its events.
 *
 *     frame, iframe          src          a document
 *     link rel=stylesheet    href         a style sheet (not of media that are not screens)
 *     script                 src          a script
 *     img, input type=image  src          an image
 *     body, table, td        background   an image
 *     style, style=          url(...)     an image; @import a style sheet
 *     base                   href         where the others start from; the first counts
 */
#include "web/document.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/css.h"

/* libxml2 takes the end of a script or style for text of it when a piece ends within the tag: it
 * gets tags whole, unless they are longer than this. */
#define HELD_MAX 8192

struct document {
    struct reference_user *user;
    struct url base;
    bool based; /* by a base element */
    bool in_style;
    size_t taken;
    struct css css; /* of the style element at hand */
    htmlParserCtxtPtr parser;
    size_t held;
    char bytes[HELD_MAX];
};

/* --- attributes ------------------------------------------------------------------------------- */

/* The value of an attribute without the white space around it, into `text`; false: none, or too
 * long. */
static bool attribute(const xmlChar **attributes, const char *name, char text[REFERENCE_MAX])
{
    static const char space[] = " \t\r\n\f";
    const char *value = NULL;
    size_t n;

    for (; attributes && attributes[0]; attributes += 2) {
        if (strcasecmp((const char *)attributes[0], name) == 0)
            value = (const char *)attributes[1];
    }
    if (!value)
        return false;
    value += strspn(value, space);
    n = strlen(value);
    while (n > 0 && strchr(space, value[n - 1]))
        n--;
    if (n >= REFERENCE_MAX)
        return false;
    memcpy(text, value, n);
    text[n] = '\0';
    return true;
}

/* Whether a list of words has this one. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    while (*list) {
        size_t n = strcspn(list, " \t\r\n\f,");

        if (n == length && strncasecmp(list, word, n) == 0)
            return true;
        list += n;
        list += strspn(list, " \t\r\n\f,");
    }
    return false;
}

static bool is_for_screens(const xmlChar **attributes)
{
    char media[REFERENCE_MAX];

    return !attribute(attributes, "media", media) || media[0] == '\0' || strchr(media, '(') ||
           has_word(media, "all") || has_word(media, "screen");
}

/* --- elements --------------------------------------------------------------------------------- */

static bool is_sheet(const xmlChar **attributes)
{
    char rel[REFERENCE_MAX];

    return attribute(attributes, "rel", rel) && has_word(rel, "stylesheet") &&
           !has_word(rel, "alternate") && is_for_screens(attributes);
}

static bool is_image_input(const xmlChar **attributes)
{
    char type[REFERENCE_MAX];

    return attribute(attributes, "type", type) && strcasecmp(type, "image") == 0;
}

static void take_base(struct document *document, const char *reference)
{
    struct url base;

    if (!document->based && url_resolve(&document->base, reference, &base) == 0) {
        document->base = base;
        document->based = true;
    }
}

static void take_style_attribute(struct document *document, const xmlChar **attributes)
{
    char text[REFERENCE_MAX];
    struct css css;

    if (!attribute(attributes, "style", text))
        return;
    css_init(&css, document->user, &document->base);
    css_take(&css, text, strlen(text));
}

static const struct {
    const char *element, *attribute;
    enum page_kind kind;
    bool (*counts)(const xmlChar **); /* NULL: always */
} elements[] = {
    {"frame", "src", PAGE_FRAME, NULL},       {"iframe", "src", PAGE_FRAME, NULL},
    {"link", "href", PAGE_CSS, is_sheet},     {"script", "src", PAGE_SCRIPT, NULL},
    {"img", "src", PAGE_IMAGE, NULL},         {"input", "src", PAGE_IMAGE, is_image_input},
    {"body", "background", PAGE_IMAGE, NULL}, {"table", "background", PAGE_IMAGE, NULL},
    {"td", "background", PAGE_IMAGE, NULL},
};

/* libxml2 keeps the open elements in a stack, and searches the whole of it for each end tag that
 * fits none of them: without a bound the work for a document could grow with its length squared. */
static bool is_too_deep(struct document *document)
{
    if (document->parser->nameNr <= DOCUMENT_DEPTH_MAX)
        return false;
    xmlStopParser(document->parser);
    return true;
}

static void on_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
    struct document *document = data;
    const char *element = (const char *)name;
    char text[REFERENCE_MAX];

    if (is_too_deep(document))
        return;
    if (strcasecmp(element, "base") == 0 && attribute(attributes, "href", text))
        take_base(document, text);
    if (strcasecmp(element, "style") == 0) {
        document->in_style = is_for_screens(attributes);
        css_init(&document->css, document->user, &document->base);
    }
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        if (strcasecmp(element, elements[i].element) == 0 &&
            (!elements[i].counts || elements[i].counts(attributes)) &&
            attribute(attributes, elements[i].attribute, text))
            reference_tell(document->user, elements[i].kind, &document->base, text);
    }
    take_style_attribute(document, attributes);
}

static void on_finish(void *data, const xmlChar *name)
{
    struct document *document = data;

    if (strcasecmp((const char *)name, "style") == 0)
        document->in_style = false;
}

static void on_text(void *data, const xmlChar *text, int n)
{
    struct document *document = data;

    if (document->in_style && n > 0)
        css_take(&document->css, (const char *)text, (size_t)n);
}

/* --- life ------------------------------------------------------------------------------------- */

struct document *document_new(struct reference_user *user, const struct url *base)
{
    htmlSAXHandler events = {.startElement = on_start,
                             .endElement = on_finish,
                             .characters = on_text,
                             .cdataBlock = on_text,
                             .initialized = 1};
    struct document *document = calloc(1, sizeof(*document));

    if (!document)
        return NULL;
    document->user = user;
    document->base = *base;
    document->parser =
        htmlCreatePushParserCtxt(&events, document, NULL, 0, NULL, XML_CHAR_ENCODING_NONE);
    if (!document->parser) {
        free(document);
        return NULL;
    }
    (void)htmlCtxtUseOptions(document->parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                                   HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    return document;
}

/* What is held, up to a tag that is not whole. */
static size_t whole(const struct document *document)
{
    size_t cut = document->held;

    while (cut > 0 && document->bytes[cut - 1] != '>' && document->bytes[cut - 1] != '<')
        cut--;
    if (cut == 0 || document->bytes[cut - 1] == '>')
        return document->held;
    cut--;
    return cut == 0 && document->held == sizeof(document->bytes) ? document->held : cut;
}

static void parse(struct document *document)
{
    size_t n = whole(document);

    if (n > 0)
        (void)htmlParseChunk(document->parser, document->bytes, (int)n, 0);
    document->held -= n;
    memmove(document->bytes, document->bytes + n, document->held);
}

void document_take(struct document *document, const char *bytes, size_t n)
{
    size_t room = DOCUMENT_BYTES_MAX - document->taken;

    n = n < room ? n : room;
    document->taken += n;
    while (n > 0) {
        size_t part = sizeof(document->bytes) - document->held;

        part = n < part ? n : part;
        memcpy(document->bytes + document->held, bytes, part);
        document->held += part;
        bytes += part;
        n -= part;
        parse(document);
    }
}

void document_end(struct document *document)
{
    (void)htmlParseChunk(document->parser, document->bytes, (int)document->held, 1);
    document->held = 0;
}

void document_free(struct document *document)
{
    if (!document)
        return;
    xmlFreeDoc(document->parser->myDoc);
    htmlFreeParserCtxt(document->parser);
    free(document);
}
