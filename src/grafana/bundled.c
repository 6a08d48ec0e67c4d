#include "grafana/bundled.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "grafana/bring.h"
#include "grafana/folders.h"
#include "grafana/import.h"

char *bundled_name(const struct bundled_file *file)
{
	return mem_strndup(file->path, strcspn(file->path, "."));
}

const struct bundled_file *bundled_find(const char *name)
{
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		AUTO(str) char *its_name = bundled_name(&grafana_bundled[i]);
		if (strcmp(its_name, name) == 0)
			return &grafana_bundled[i];
	}
	return NULL;
}

bool bundled_read(const struct bundled_file *file, struct import *out, struct error *err)
{
	const struct import_request request = { .text = slice_of(file->bytes, file->len),
		.name = file->path };
	return import_read(&request, out, err);
}

/* ---- all into Grafana ---- */

struct one {
	struct import ours;
	struct bring bring;
};

static bool create(const struct bring_place *place, const struct one *one, struct error *err)
{
	AUTO(str) char *folder = NULL;
	int64_t version;
	return grafana_folder_ensure(
		       place->grafana, BUNDLED_FOLDER_UID, BUNDLED_FOLDER_TITLE, &folder, err) &&
	       bring_save(place, &one->ours, &one->bring, BRING_AS_IT_CAME, folder, &version, err);
}

static bool save(const struct bring_place *place, const struct one *one, enum bring_way way,
	struct error *err)
{
	int64_t version;
	return bring_save(
		place, &one->ours, &one->bring, way, one->bring.there.folder_uid, &version, err);
}

/* The lines of a merge's notes, with the dashboard before each. */
static void note_merge(const struct one *one, struct buf *out)
{
	const char *line = buf_str(&one->bring.merge.notes);
	for (size_t len; *line; line += len) {
		len = strcspn(line, "\n") + 1;
		buf_addf(out, "%s: %.*s", one->ours.title, (int)len, line);
	}
}

static bool bring_one(const struct bring_place *place, const struct one *one, bool is_look_only,
	struct brought *out, struct error *err)
{
	switch (one->bring.state) {
	case BRING_ABSENT:
	case BRING_DELETED:
		out->created++;
		return is_look_only || create(place, one, err);
	case BRING_OLDER:
		out->updated++;
		return is_look_only || save(place, one, BRING_AS_IT_CAME, err);
	case BRING_EDITED_OLDER:
		out->merged++;
		note_merge(one, &out->notes);
		return is_look_only || save(place, one, BRING_MERGED, err);
	case BRING_SAME:
		return is_look_only || bring_keep(place, &one->ours, err);
	case BRING_UNKNOWN:
		buf_addf(&out->notes, "%s: %s: it is left alone\n", one->ours.title,
			bring_text(one->bring.state));
		return true;
	case BRING_EDITED:
	case BRING_PROVISIONED:
		return true;
	}
	return true;
}

static bool look_at_all(const struct bring_place *place, struct one *all, struct error *err)
{
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		if (!bundled_read(&grafana_bundled[i], &all[i].ours, err) ||
			!bring_look(place, &all[i].ours, &all[i].bring, err))
			return error_wrap(err, "the dashboard %s", grafana_bundled[i].path);
	}
	return true;
}

/* One that was there and is not: somebody deleted it, as long as others are there; else it is another Grafana. */
static bool is_left_out(const struct one *all, size_t i)
{
	for (size_t k = 0; k < grafana_bundled_count; k++) {
		if (all[i].bring.state == BRING_DELETED && all[k].bring.there.model)
			return true;
	}
	return false;
}

bool bundled_bring(
	const struct bring_place *place, bool is_look_only, struct brought *out, struct error *err)
{
	struct one *all = mem_calloc(grafana_bundled_count, sizeof *all);
	*out = (struct brought){ .notes = BUF_INIT(BUF_UNLIMITED) };
	bool is_done = look_at_all(place, all, err);
	for (size_t i = 0; is_done && i < grafana_bundled_count; i++) {
		if (is_left_out(all, i))
			continue;
		is_done = bring_one(place, &all[i], is_look_only, out, err) ||
			  error_wrap(err, "the dashboard %s", grafana_bundled[i].path);
	}
	for (size_t i = 0; i < grafana_bundled_count; i++) {
		import_clear(&all[i].ours);
		bring_clear(&all[i].bring);
	}
	free(all);
	return is_done;
}

void brought_clear(struct brought *brought)
{
	buf_clear(&brought->notes);
}
