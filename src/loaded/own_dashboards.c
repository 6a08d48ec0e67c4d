#include "loaded/own_dashboards.h"

#include "core/file.h"
#include "core/mem.h"
#include "grafana/bring.h"
#include "loaded/own_grafana.h"

char *own_dashboards_copies(const struct loaded *stack)
{
	AUTO(str) char *state = path_join(stack->dir, STATE_DIR);
	return path_join(state, "dashboards");
}

bool own_dashboards_bring(
	const struct loaded *stack, bool is_look_only, struct brought *out, struct error *err)
{
	AUTO(own_grafana) struct own_grafana own = { 0 };
	AUTO(str) char *copies = own_dashboards_copies(stack);
	const struct bring_place place = { .grafana = &own.grafana, .copies = copies };
	*out = (struct brought){ .notes = BUF_INIT(BUF_UNLIMITED) };
	return own_grafana_find(stack, &own, err) && bundled_bring(&place, is_look_only, out, err);
}

char *own_dashboards_said(const struct brought *brought)
{
	const struct {
		size_t count;
		const char *text;
	} parts[] = {
		{ brought->created, "new" },
		{ brought->updated, "brought up to date" },
		{ brought->merged, "brought up to date, with your edits" },
	};
	AUTO(buf) struct buf said = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].count)
			buf_addf(&said, "%s%zu %s", said.len ? ", " : "", parts[i].count,
				parts[i].text);
	}
	return mem_strdup(buf_str(&said));
}
