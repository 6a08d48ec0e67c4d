/* Finding bytes in JSON text many at a time; json.c is the reader. */
#ifndef CCTM_BRIDGE_OTLP_JSON_SCAN_H
#define CCTM_BRIDGE_OTLP_JSON_SCAN_H

/* The first quote, backslash or control character from p on, or end. */
const unsigned char *json_scan_string(const unsigned char *p, const unsigned char *end);

/* Behind the bracket that closes the one at p, which must be '{' or '[', or NULL when the text ends before.
 * Strings are respected; brackets of the other kind are not looked at. */
const unsigned char *json_scan_brackets(const unsigned char *p, const unsigned char *end);

#endif
