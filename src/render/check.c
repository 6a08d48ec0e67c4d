#include "render/check.h"

#include <jansson.h>
#include <yaml.h>

#include "core/error.h"
#include "core/str.h"

static bool yaml_failed(const char *path, const yaml_parser_t *parser, struct error *err)
{
	return error_set(err, ERR_FAILED, "%s:%zu:%zu: %s", path, parser->problem_mark.line + 1,
		parser->problem_mark.column + 1, parser->problem ? parser->problem : "is no YAML");
}

static bool check_yaml(const char *path, struct slice text, struct error *err)
{
	yaml_parser_t parser;
	bool is_right = true, is_over = false;
	if (!yaml_parser_initialize(&parser))
		return error_set(err, ERR_FAILED, "%s: cannot start the YAML parser", path);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text.ptr, text.len);
	while (is_right && !is_over) {
		yaml_event_t event;
		is_right = yaml_parser_parse(&parser, &event) || yaml_failed(path, &parser, err);
		if (is_right) {
			is_over = event.type == YAML_STREAM_END_EVENT;
			yaml_event_delete(&event);
		}
	}
	yaml_parser_delete(&parser);
	return is_right;
}

static bool check_json(const char *path, struct slice text, struct error *err)
{
	json_error_t why;
	json_t *document =
		json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
	if (!document)
		return error_set(
			err, ERR_FAILED, "%s:%d:%d: %s", path, why.line, why.column, why.text);
	json_decref(document);
	return true;
}

bool check_text(const char *path, struct slice text, struct error *err)
{
	if (str_has_suffix(path, ".yml") || str_has_suffix(path, ".yaml"))
		return check_yaml(path, text, err);
	if (str_has_suffix(path, ".json"))
		return check_json(path, text, err);
	return true;
}
