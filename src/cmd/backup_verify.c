/* cctm backup verify: is an archive whole, and can what is in it be read? It needs no stack. */
#include "backup/verify.h"
#include "cmd/backup_internal.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/out.h"
#include "core/zone.h"

static void on_progress(void *ctx, int64_t done, int64_t all)
{
	struct out *out = ctx;
	if (all > 0)
		out_status(out, "reading: %d %%", (int)(done * 100 / all));
}

static void print_text(struct out *out, const char *path, const struct verified *verified)
{
	const struct inventory *inventory = &verified->inventory;
	char first[ZONE_TEXT_MAX], last[ZONE_TEXT_MAX];
	out_printf(out, "%s: of %s, made %s by cctm %s%s\n", path, inventory->project,
		inventory->made_at, inventory->cctm, inventory->is_partial ? ", PARTIAL" : "");
	backup_print_parts(out, inventory);
	if (verified->last_ms) {
		zone_rfc3339(verified->first_ms, first);
		zone_rfc3339(verified->last_ms, last);
		out_printf(out, "%-14s from %s to %s\n", "history", first, last);
	}
	out_note(out,
		"whole: the sizes and SHA-256 of all %zu files are right, %zu of them were "
		"parsed%s",
		inventory->count, verified->parsed,
		verified->has_ledger ? ", and the ledger passes SQLite's integrity check" : "");
}

static void print_json(struct out *out, const char *path, const struct verified *verified)
{
	const struct inventory *inventory = &verified->inventory;
	out_json(out, 1,
		json_pack("{s:o, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:b, s:o}", "archive",
			out_json_text(path), "project", inventory->project, "made_at",
			inventory->made_at, "cctm", inventory->cctm, "runtime", inventory->runtime,
			"partial", inventory->is_partial, "files", (json_int_t)inventory->count,
			"parsed", (json_int_t)verified->parsed, "ledger_checked",
			verified->has_ledger, "parts", backup_parts_json(inventory)));
}

int backup_verify(struct context *ctx, const char *path, struct error *err)
{
	AUTO(verified) struct verified verified = { 0 };
	bool is_whole = verify_archive(path, on_progress, ctx->out, &verified, err);
	out_end_status(ctx->out);
	if (!is_whole)
		return -1;
	if (ctx->is_json)
		print_json(ctx->out, path, &verified);
	else
		print_text(ctx->out, path, &verified);
	return 0;
}
