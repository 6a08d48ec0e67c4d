/* Prose in mdoc(7). */
#ifndef CCTM_CMD_MAN_TEXT_H
#define CCTM_CMD_MAN_TEXT_H

struct buf;

/* `text` in lines of which none is taken for a request, a new one for each sentence. */
void man_add_text(struct buf *out, const char *text);

#endif
