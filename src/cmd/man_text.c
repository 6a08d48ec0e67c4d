#include "cmd/man_text.h"

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"

#define LINE_WIDTH 78

static void add_sentence(struct buf *out, const char *sentence)
{
	AUTO(buf) struct buf wrapped = BUF_INIT(BUF_UNLIMITED);
	text_wrap(&wrapped, sentence, 0, LINE_WIDTH);
	for (const char *at = buf_str(&wrapped); *at;) {
		size_t len = strcspn(at, "\n");
		if (*at == '.' || *at == '\'')
			buf_adds(out, "\\&");
		buf_addf(out, "%.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

void man_add_text(struct buf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		size_t len = end ? (size_t)(end + 1 - text) : strlen(text);
		AUTO(str) char *sentence = mem_strndup(text, len);
		add_sentence(out, sentence);
		text += len;
		text += strspn(text, " ");
	}
}
