/* cctm config: what is in force and who set it; reads and edits cctm.yaml, one key at a time.
 *
 * Editing changes the bytes of that key and no others: comments, order and quotes are the user's. A result
 * that would not load, or that differs anywhere else, is never written.
 */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/config_internal.h"
#include "config/sample.h"
#include "config/stack_dir.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/str.h"

struct config_args {
	const char *action, *key, *value;
	bool is_dry_run;
	bool is_man; /* for tests/agree/refresh, which keeps man/ in step */
};

static const char *const actions[] = { "get", "set", "unset", "check", "sample", NULL };

/* What may stand first: an action, or a key to show. */
static const char *const *first_words(void)
{
	static const char **words;
	const size_t action_count = sizeof actions / sizeof *actions - 1;
	if (!words) {
		words = mem_calloc(action_count + config_key_count + 1, sizeof *words);
		for (size_t i = 0; i < action_count; i++)
			words[i] = actions[i];
		for (size_t i = 0; i < config_key_count; i++)
			words[action_count + i] = key_paths()[i];
	}
	return words;
}

static const struct opt config_options[] = {
	OPT(struct config_args, is_dry_run, 0, "dry-run", NULL,
		"with set and unset: show what would change, as a diff, and change nothing"),
	OPT(struct config_args, is_man, 0, "man", NULL, NULL),
	OPT_END,
};

static const struct opt_argument config_arguments[] = {
	{ .offset = offsetof(struct config_args, action),
		.name = "ACTION",
		.is_optional = true,
		.suggest = first_words,
		.help = "get, set, unset, check or sample; or a key or group to show; all keys "
			"when "
			"absent" },
	{ .offset = offsetof(struct config_args, key),
		.name = "KEY",
		.is_optional = true,
		.suggest = key_paths,
		.help = "the key to get, set or unset" },
	{ .offset = offsetof(struct config_args, value),
		.name = "VALUE",
		.is_optional = true,
		.help = "what to set; a list as a,b or as [a, \"b, c\"]; null for none" },
	OPT_ARGUMENT_END,
};

static const struct example config_examples[] = {
	{ "cctm config", "all keys, their values and who set them" },
	{ "cctm config bridge.zero_hold", "one key: value, origin, default and what is allowed" },
	{ "cctm config get ports.grafana", "the bare value, for a script" },
	{ "cctm config set prometheus.retention_time 180d --dry-run", "what an edit would change" },
	{ "cctm config unset bind", "back to the default" },
	{ "cctm config check --json", "every problem of cctm.yaml with line and column" },
	{ "cctm config sample > cctm.yaml", "a commented file to begin with" },
	{ NULL, NULL },
};

static int config_run(struct context *ctx, const void *args, struct error *err);

const struct command cmd_config = {
	.name = "config",
	.group = GROUP_STACK,
	.summary = "show the settings and who set them, or change one",
	.effect = EFFECT_CHANGES,
	.args_size = sizeof(struct config_args),
	.options = config_options,
	.arguments = config_arguments,
	.examples = config_examples,
	.text = "Without an action, shows the effective settings: all of them, those of a group "
		"(ports) "
		"or one key. A value comes from a flag, else from the environment (CCTM_BIND, "
		"CCTM_PROMETHEUS_RETENTION_TIME, ...), else from cctm.yaml, else from the profile, "
		"else "
		"it is the default. cctm.yaml(5) explains the keys.\n\n"
		"The file is the one in the directory of -C or CCTM_DIR, else in the nearest "
		"parent that "
		"holds one, else in the user's data directory.\n\n"
		"get prints a bare value. set and unset edit the file and keep comments, order and "
		"quotes; nothing is written that would not load. check lists every problem and "
		"exits "
		"with 3 when there is one. sample prints a commented file. Only set and unset "
		"write.",
	.run = config_run,
};

static const struct {
	const char *name;
	unsigned words; /* behind the action */
	int (*run)(const struct config_job *job, struct error *err);
	const char *usage;
} table[] = {
	{ "get", 1, config_get, "cctm config get KEY" },
	{ "set", 2, config_set, "cctm config set KEY VALUE" },
	{ "unset", 1, config_unset, "cctm config unset KEY" },
	{ "check", 0, config_print_check, "cctm config check" },
};

static int print_sample(struct context *ctx)
{
	AUTO(buf) struct buf text = BUF_INIT(BUF_UNLIMITED);
	config_sample(&text);
	if (ctx->is_json)
		out_json(ctx->out, 1, json_pack("{s:s}", "sample", buf_str(&text)));
	else
		out_write(ctx->out, buf_str(&text), text.len);
	return 0;
}

static int wrong_words(const char *usage, struct error *err)
{
	error_set(err, ERR_USAGE, "config: wrong number of words");
	error_hint(err, "write '%s'", usage);
	return -1;
}

int config_unknown_key(const char *path, struct error *err)
{
	const struct key *nearest = key_nearest(path);
	error_set(err, ERR_USAGE, "there is no key %.120s", path);
	if (key_is_secret(path))
		error_hint(err, "secrets do not stand in cctm.yaml but in .env");
	if (nearest)
		error_hint(err, "did you mean %s?", nearest->path);
	error_hint(err, "'cctm config' lists all keys");
	return -1;
}

/* A first word that is neither an action nor a key: which of both was meant? */
static int unknown_word(const char *word, struct error *err)
{
	size_t count = sizeof actions / sizeof *actions - 1;
	const char *nearest = str_nearest(word, actions, count);
	if (!nearest)
		return config_unknown_key(word, err);
	error_set(err, ERR_USAGE, "config: \"%s\" is neither an action nor a key", word);
	error_hint(err, "did you mean 'cctm config %s'?", nearest);
	return -1;
}

static int run_show(struct config_job *job, const struct config_args *args, struct error *err)
{
	bool is_key = args->action && (key_find(args->action) || key_is_group(args->action));
	if (args->key && is_key)
		return wrong_words("cctm config set KEY VALUE", err);
	if (args->action && !is_key)
		return unknown_word(args->action, err);
	job->key = args->action;
	return config_show(job, err);
}

static int run_action(struct config_job *job, const struct config_args *args, struct error *err)
{
	unsigned words = args->value ? 2 : args->key ? 1 : 0;
	for (size_t i = 0; args->action && i < sizeof table / sizeof *table; i++) {
		if (strcmp(table[i].name, args->action) == 0)
			return words == table[i].words ? table[i].run(job, err)
						       : wrong_words(table[i].usage, err);
	}
	return run_show(job, args, err);
}

static int config_run(struct context *ctx, const void *raw, struct error *err)
{
	const struct config_args *args = raw;
	struct config_job job = {
		.ctx = ctx, .key = args->key, .value = args->value, .is_dry_run = args->is_dry_run
	};
	bool is_edit = args->action &&
		       (strcmp(args->action, "set") == 0 || strcmp(args->action, "unset") == 0);
	if (args->is_man) {
		config_print_man(ctx);
		return 0;
	}
	if (args->is_dry_run && !is_edit) {
		error_set(err, ERR_USAGE, "--dry-run goes with set and unset");
		return -1;
	}
	if (args->action && strcmp(args->action, "sample") == 0)
		return args->key ? wrong_words("cctm config sample", err) : print_sample(ctx);
	if (!stack_dir_find(ctx->dir, &job.where, err))
		return -1;
	int status = run_action(&job, args, err);
	stack_dir_clear(&job.where);
	return status;
}
