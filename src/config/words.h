/* Texts with a grammar of their own: is it one? Each function returns NULL when it is, else what is wrong
 * with it, to stand behind the text: "is not an address". None looks anything up. */
#ifndef CCTM_CONFIG_WORDS_H
#define CCTM_CONFIG_WORDS_H

const char *words_address(const char *text); /* RFC 4291, dotted IPv4; no zone, no brackets */
const char *words_url(const char *text);     /* RFC 3986: http(s), authority without userinfo */
const char *words_origin(const char *text);  /* RFC 6454, 6.2; or "*" */
const char *words_image(const char *text);   /* the reference grammar of container registries */
const char *words_project(const char *text); /* Compose: [a-z0-9][a-z0-9_-]* */
const char *words_host(const char *text);    /* RFC 1123, 2.1 */
const char *words_zone(const char *text);    /* a name of the tz database, or +02:00 */
const char *words_file(const char *text);
const char *words_place(const char *text); /* a path, or the name of a volume as Docker allows it */
const char *words_name(const char *text);
const char *words_pair(const char *text);

#endif
