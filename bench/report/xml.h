/* Text for HTML and SVG: what markup is made of is escaped, and what is no UTF-8, or a control
 * character, is replaced. */
#ifndef TLSYN_REPORT_XML_H
#define TLSYN_REPORT_XML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* At most n bytes of the text, which is whole characters; SIZE_MAX: to its end. Good in attributes,
 * too. */
void xml_text(FILE *out, const char *text, size_t n);

#endif
