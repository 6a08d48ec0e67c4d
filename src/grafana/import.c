#include "grafana/import.h"

#include <ctype.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/str.h"
#include "grafana/dashboards.h"

#define INPUTS_MAX   100
#define DEPTH_MAX    100
#define STACK_SOURCE "prometheus_claude_metrics" /* the uid that the stack's own datasource has */

/* ---- wrappers ---- */

static json_t *parse(const struct import_request *request, struct error *err)
{
	json_error_t why;
	struct slice text = request->text;
	if (text.len > IMPORT_MAX) {
		error_set(err, ERR_FAILED,
			"%s is larger than 16 MB, which is all that Grafana takes", request->name);
		return NULL;
	}
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		text = slice_of(text.ptr + 3, text.len - 3);
	json_t *root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(root))
		return root;
	error_set(err, ERR_CORRUPT, "%s is no dashboard: %s", request->name,
		root ? "it is JSON, but no object" : why.text);
	if (!root)
		error_wrap(err, "line %d, column %d", why.line, why.column);
	json_decref(root);
	return NULL;
}

static bool is_v2(const json_t *root, const char *version)
{
	return (version && strstr(version, "/v2")) ||
	       json_object_get(json_object_get(root, "spec"), "elements") ||
	       (json_object_get(root, "elements") && json_object_get(root, "layout"));
}

/* The dashboard itself, a new reference. */
static json_t *unwrap(const struct import_request *request, const json_t *root, struct import *out,
	struct error *err)
{
	const char *version = json_string_value(json_object_get(root, "apiVersion"));
	const json_t *spec = json_object_get(root, "spec");
	const json_t *wrapped = json_object_get(root, "dashboard");
	if (is_v2(root, version)) {
		error_set(err, ERR_FAILED, "%s is a dashboard of schema v2", request->name);
		error_hint(err, "export it again with 'Export as: Classic'; Grafana's API takes no "
				"other form yet");
		return NULL;
	}
	if (json_is_object(wrapped)) {
		buf_adds(&out->notes, "taken out of its {dashboard, meta}\n");
		return json_deep_copy(wrapped);
	}
	if (version && json_is_object(spec)) {
		buf_addf(&out->notes, "taken out of a resource of %s\n", version);
		return json_deep_copy(spec);
	}
	return json_deep_copy(root);
}

/* ---- inputs ---- */

static const char *field(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* By uid or name. */
static const json_t *find_source(const json_t *sources, const char *wanted)
{
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *source = json_array_get(sources, i);
		if (strcmp(field(source, "uid"), wanted) == 0 ||
			strcmp(field(source, "name"), wanted) == 0)
			return source;
	}
	return NULL;
}

/* Of that type, an array of its own. */
static json_t *candidates_of(const json_t *sources, const char *type)
{
	json_t *candidates = json_array();
	for (size_t i = 0; i < json_array_size(sources); i++) {
		json_t *source = json_array_get(sources, i);
		if (strcmp(field(source, "type"), type) == 0)
			json_array_append(candidates, source);
	}
	return candidates;
}

/* The one that a page would offer first: the stack's own, or the only one of its type; else who asks says which. */
static const json_t *choose_source(
	const struct import_request *request, const json_t *input, struct error *err)
{
	const char *type = field(input, "pluginId");
	json_t *candidates = candidates_of(request->datasources, type);
	size_t count = json_array_size(candidates);
	const json_t *own = find_source(candidates, STACK_SOURCE);
	const json_t *found = own	   ? own
			      : count == 1 ? json_array_get(candidates, 0)
			      : count && request->choose
				      ? request->choose(request->choose_ctx, input, candidates, err)
				      : NULL;
	json_decref(candidates);
	if (found || error_is_set(err))
		return found;
	if (count)
		error_set(err, ERR_USAGE,
			"%s asks for a datasource of type %s, and Grafana has %zu", request->name,
			type, count);
	else
		error_set(err, ERR_FAILED,
			"%s asks for a datasource of type %s, and Grafana has none", request->name,
			type);
	error_hint(err, "name one: --datasource UID");
	return NULL;
}

static const char *resolve(
	const struct import_request *request, const json_t *input, struct error *err)
{
	const json_t *found = request->datasource
				      ? find_source(request->datasources, request->datasource)
				      : choose_source(request, input, err);
	if (found)
		return field(found, "uid");
	if (request->datasource) {
		error_set(err, ERR_FAILED, "Grafana has no datasource \"%s\"", request->datasource);
		error_hint(err, "name one: --datasource UID");
	}
	return NULL;
}

/* What stands for each input; and how many bytes may still be put in, for values may be long and stand often. */
struct values {
	const char *names[INPUTS_MAX],
		*texts[INPUTS_MAX]; /* borrowed from the inputs and datasources */
	size_t count;
	size_t left;
	bool is_too_large;
};

/* The input that `at`, behind "${", names with its "}"; NULL: none. */
static const char *value_at(const struct values *values, const char *at, size_t *len)
{
	for (size_t i = 0; i < values->count; i++) {
		*len = strlen(values->names[i]);
		if (*len && strncmp(at, values->names[i], *len) == 0 && at[*len] == '}')
			return values->texts[i];
	}
	return NULL;
}

/* In one pass: what a value holds is not looked through again. */
static json_t *replaced(struct values *values, const char *text)
{
	AUTO(buf) struct buf out = BUF_INIT(BUF_UNLIMITED);
	const char *next;
	while ((next = strstr(text, "${"))) {
		size_t len;
		const char *value = value_at(values, next + 2, &len);
		buf_add(&out, text, (size_t)(next - text));
		if (!value) {
			buf_adds(&out, "${");
			text = next + 2;
			continue;
		}
		size_t added = strlen(value);
		values->is_too_large |= added > values->left;
		if (values->is_too_large)
			return NULL;
		values->left -= added;
		buf_adds(&out, value);
		text = next + len + 3;
	}
	buf_adds(&out, text);
	return json_string(buf_str(&out));
}

static void put(struct values *values, json_t *node, int depth);

/* What takes the member's place; NULL: it stays. */
static json_t *instead(struct values *values, json_t *member, int depth)
{
	const char *text = json_string_value(member);
	if (text)
		return strstr(text, "${") ? replaced(values, text) : NULL;
	put(values, member, depth + 1);
	return NULL;
}

/* In every string below. */
static void put(struct values *values, json_t *node, int depth)
{
	const char *key;
	json_t *member;
	size_t i;
	void *next;
	if (depth > DEPTH_MAX)
		return;
	json_object_foreach_safe(node, next, key, member)
	{
		json_t *other = instead(values, member, depth);
		if (other)
			json_object_set_new(node, key, other);
	}
	json_array_foreach(node, i, member)
	{
		json_t *other = instead(values, member, depth);
		if (other)
			json_array_set_new(node, i, other);
	}
}

static bool read_inputs(const struct import_request *request, const json_t *inputs,
	struct values *values, struct import *out, struct error *err)
{
	if (json_array_size(inputs) > INPUTS_MAX)
		return error_set(
			err, ERR_FAILED, "%s has more than %d inputs", request->name, INPUTS_MAX);
	for (size_t i = 0; i < json_array_size(inputs); i++) {
		const json_t *input = json_array_get(inputs, i);
		bool is_source = strcmp(field(input, "type"), "datasource") == 0;
		const char *value =
			is_source ? resolve(request, input, err) : field(input, "value");
		if (!value)
			return false;
		values->names[values->count] = field(input, "name");
		values->texts[values->count++] = value;
		buf_addf(&out->notes, "${%s} is %.80s\n", field(input, "name"), value);
	}
	return true;
}

static bool resolve_inputs(
	const struct import_request *request, struct import *out, struct error *err)
{
	static const char *const exported[] = { "__inputs", "__requires", "__elements" };
	struct values values = { .left = IMPORT_MAX };
	json_t *inputs = json_incref(json_object_get(out->model, "__inputs"));
	for (size_t i = 0; i < sizeof exported / sizeof *exported; i++)
		json_object_del(out->model, exported[i]);
	bool is_read = read_inputs(request, inputs, &values, out, err);
	if (is_read && values.count)
		put(&values, out->model, 0);
	json_decref(inputs);
	if (is_read && values.is_too_large)
		return error_set(err, ERR_FAILED, "with its inputs put in, %s is larger than 16 MB",
			request->name);
	return is_read;
}

/* ---- names ---- */

bool import_is_uid(const char *uid)
{
	size_t len = strlen(uid);
	if (len == 0 || len > GRAFANA_UID_MAX)
		return false;
	for (; *uid; uid++) {
		if (!isalnum((unsigned char)*uid) && *uid != '-' && *uid != '_')
			return false;
	}
	return true;
}

/* Without one Grafana would make another dashboard with each import. */
static char *uid_of_title(const char *title)
{
	char uid[GRAFANA_UID_MAX + 1];
	size_t len = 0;
	for (; *title && len < GRAFANA_UID_MAX; title++) {
		if (isalnum((unsigned char)*title))
			uid[len++] = (char)tolower((unsigned char)*title);
		else if (len && uid[len - 1] != '-')
			uid[len++] = '-';
	}
	uid[len] = '\0';
	return mem_strdup(len ? uid : "dashboard");
}

static bool name(const struct import_request *request, struct import *out, struct error *err)
{
	const char *title = field(out->model, "title");
	if (strspn(title, " ") == strlen(title))
		return error_set(err, ERR_CORRUPT, "%s has no title", request->name);
	const char *given = request->uid ? request->uid : field(out->model, "uid");
	AUTO(str) char *uid = *given ? mem_strdup(given) : uid_of_title(title);
	if (!import_is_uid(uid)) {
		error_set(err, ERR_USAGE, "\"%.60s\" is no uid", uid);
		return error_hint(err, "at most 40 letters, digits, - and _: --uid my-dashboard");
	}
	if (!*given)
		buf_addf(&out->notes, "it has no uid, and gets %s\n", uid);
	json_object_set_new(out->model, "uid", json_string(uid));
	json_object_del(out->model, "id");
	json_object_del(out->model, "version");
	out->title = field(out->model, "title");
	out->uid = field(out->model, "uid");
	return true;
}

bool import_read(const struct import_request *request, struct import *out, struct error *err)
{
	*out = (struct import){ .notes = BUF_INIT(BUF_UNLIMITED) };
	json_t *root = parse(request, err);
	if (root)
		out->model = unwrap(request, root, out, err);
	json_decref(root);
	if (out->model && resolve_inputs(request, out, err) && name(request, out, err))
		return true;
	import_clear(out);
	return false;
}

void import_clear(struct import *import)
{
	json_decref(import->model);
	buf_clear(&import->notes);
	*import = (struct import){ 0 };
}
