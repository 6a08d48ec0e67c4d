#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/problems.h"
#include "config/sample.h"
#include "config/tree.h"
#include "config/yaml_text.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

static void load(const char *text, struct config *config)
{
	AUTO(problems) struct problems problems = { 0 };
	const struct config_request request = { .path = "cctm.yaml" };
	if (!config_check_bytes(&request, slice_str(text), config, &problems)) {
		AUTO(str) char *said = problem_text(&problems.items[0]);
		fail_msg("%s", said);
	}
}

static void test_sample_as_it_is_changes_nothing(void **state)
{
	(void)state;
	AUTO(buf) struct buf sample = BUF_INIT(BUF_UNLIMITED);
	AUTO(config) struct config config = { 0 };
	config_sample(&sample);
	load(buf_str(&sample), &config);
	for (size_t i = 1; i < config_key_count; i++)
		assert_false(config_is_set(&config, config_keys[i].path));
}

/* Takes the "#" from every line that is a setting, as its head says. */
static void switch_on(const char *text, struct buf *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n") + 1;
		bool is_prose = text[0] == '#' && text[1] == ' ' && text[2] != ' ';
		size_t from = text[0] == '#' && !is_prose ? 1 : 0;
		buf_add(out, text + from, len - from);
		text += len;
	}
}

static void test_sample_switched_on_sets_every_key_to_its_default(void **state)
{
	(void)state;
	AUTO(buf) struct buf sample = BUF_INIT(BUF_UNLIMITED);
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	AUTO(config) struct config config = { 0 };
	AUTO(config) struct config defaults = { 0 };
	config_sample(&sample);
	switch_on(buf_str(&sample), &all);
	load(buf_str(&all), &config);
	load("", &defaults);
	for (size_t i = 0; i < config_key_count; i++) {
		const char *path = config_keys[i].path;
		if (!config_is_set(&config, path))
			fail_msg("%s is not in the sample", path);
		if (!value_equal(&config_setting(&config, path)->value,
			    &config_setting(&defaults, path)->value))
			fail_msg("%s is not its default", path);
	}
}

static void test_yaml_text_reads_back_the_same(void **state)
{
	(void)state;

	static const char *const texts[] = { "", "a", " ", "a ", "'", "\"", "\\", "#", "a #", ": ",
		"a:", "- a", "-", "? a", "[a]", "{a: b}", "&a", "*a", "!a", "|", ">", "%a", "@a",
		"`a", "$X", "${X}", "$$", "{{x}}", "{{{x}}}", "null", "~", "true", "1", "1_000",
		"0b1", "0o7", "1:2", "2026-11-25T10:00:00Z", ".inf", "\n", "a\nb", "a\r\nb", "\t",
		"\x01\x1F\x7F", "\xC2\x80\xC2\x85\xC2\x9F", "\xE2\x80\xA8\xE2\x80\xA9",
		"\xEF\xBB\xBF", "\xEF\xBF\xBD", "\xEF\xBF\xBE",
		"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "---", "...", "a, b", "=", "<<" };
	static const char *const frames[] = { "x: %s\n", "{ x: %s }\n", "{ x: %s, y: [%s] }\n" };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (int quotes = YAML_QUOTE_IF_NEEDED; quotes <= YAML_QUOTE_DOUBLE; quotes++) {
			for (size_t j = 0; j < sizeof frames / sizeof *frames; j++) {
				AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
				AUTO(buf) struct buf file = BUF_INIT(BUF_UNLIMITED);
				AUTO(tree) struct tree tree = { 0 };
				AUTO(error) struct error err = ERROR_INIT;
				size_t at;
				yaml_add_scalar(&text, texts[i], false, (enum yaml_quotes)quotes);
				for (const char *f = frames[j]; *f; f++) {
					if (*f == '%')
						buf_adds(&file, buf_str(&text));
					else if (*f != 's')
						buf_addc(&file, *f);
				}
				if (!tree_parse(buf_slice(&file), &tree, &err))
					fail_msg("%s: %s", buf_str(&file), err.message);
				const struct node *node = node_child(tree.root, "x", &at);
				assert_string_equal(node->text, texts[i]);
				assert_false(node_is_null(node));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample_as_it_is_changes_nothing),
		cmocka_unit_test(test_sample_switched_on_sets_every_key_to_its_default),
		cmocka_unit_test(test_yaml_text_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
