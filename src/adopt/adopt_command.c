/* A service's command: a list of words, or one text that Compose splits like a shell without expanding anything. */
#include <string.h>

#include "adopt/adopt_internal.h"
#include "core/mem.h"

static void add_word(
	const struct source *source, struct part *part, const char *text, const struct node *node)
{
	if (part->word_count >= WORDS_MAX) {
		source_fail(source, node, "the command has more than %d words", WORDS_MAX);
		return;
	}
	part->word_nodes[part->word_count] = node;
	part->words[part->word_count++] = mem_strdup(text);
}

/* One word from *at on; quotes and backslashes are taken away. False: a quote is open. */
static bool take_word(const char **at, struct buf *word)
{
	char quote = '\0';
	for (; **at && (quote || !strchr(" \t\n", **at)); ++*at) {
		char c = **at;
		if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? '\0' : c;
		else if (c == '\\' && quote != '\'' && (*at)[1])
			buf_addc(word, *++*at);
		else
			buf_addc(word, c);
	}
	return !quote;
}

static void split(const struct source *source, struct part *part, const struct node *node)
{
	for (const char *at = node->text + strspn(node->text, " \t\n"); *at;
		at += strspn(at, " \t\n")) {
		AUTO(buf) struct buf word = BUF_INIT(BUF_UNLIMITED);
		if (!take_word(&at, &word)) {
			source_fail(source, node, "a quote in the command is not closed");
			return;
		}
		add_word(source, part, buf_str(&word), node);
	}
}

void command_read(struct reader *reader, enum service service)
{
	struct part *part = &reader->parts[service];
	const struct source *source = &reader->compose;
	const struct node *command = node_any(part->node, "command");
	if (command && command->kind == NODE_MAP)
		source_fail(source, command, "command is a map and should be a list");
	if (command && command->kind == NODE_SCALAR)
		split(source, part, command);
	for (size_t i = 0; command && command->kind == NODE_LIST && i < command->count; i++) {
		const struct node *item = command->children[i];
		if (item->kind == NODE_SCALAR)
			add_word(source, part, item->text, item);
		else
			source_fail(source, item, "a word of the command is no text");
	}
}

const char *command_flag(const struct part *part, const char *name, const struct node **node)
{
	const char *value = NULL;
	size_t len = strlen(name);
	for (size_t i = 0; i < part->word_count; i++) {
		const char *word = part->words[i], *found = NULL;
		if (strncmp(word, name, len) != 0)
			continue;
		if (word[len] == '=')
			found = word + len + 1;
		else if (!word[len] && i + 1 < part->word_count)
			found = part->words[i + 1];
		if (!found)
			continue;
		value = found;
		*node = part->word_nodes[i];
	}
	return value;
}
