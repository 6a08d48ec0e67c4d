/* Three dashboards as a list. A side that did not change gives the other one, and no panel of mine that is new is lost. */
#include "grafana/dashboard_merge.h"

#include <stdlib.h>

#include "fuzz.h"

static bool is_same(const json_t *merged, json_t *model)
{
	json_t *copy = json_copy(model);
	json_object_del(copy, "id");
	json_object_del(copy, "version");
	bool is_same = json_equal(merged, copy) == 1;
	json_decref(copy);
	return is_same;
}

static void check(json_t *base, json_t *mine, json_t *theirs, json_t *wanted)
{
	AUTO(dashboard_merge) struct dashboard_merge merge = { 0 };
	dashboard_merge(base, mine, theirs, &merge);
	if (!json_is_object(merge.model) || (wanted && !is_same(merge.model, wanted)))
		abort();
}

/* With those in rows. */
static size_t count_panels(const json_t *panels)
{
	size_t count = json_array_size(panels), all = count;
	for (size_t i = 0; i < count; i++)
		all += json_array_size(json_object_get(json_array_get(panels, i), "panels"));
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	json_t *root = json_loadb((const char *)bytes, len, 0, NULL);
	json_t *base = json_array_get(root, 0), *mine = json_array_get(root, 1),
	       *theirs = json_array_get(root, 2);
	if (json_is_object(base) && json_is_object(mine) && json_is_object(theirs)) {
		json_t *none = json_pack("{s:[]}", "panels");
		AUTO(dashboard_merge) struct dashboard_merge merge = { 0 };
		check(base, mine, theirs, NULL);
		check(base, base, theirs, theirs);
		check(base, mine, base, mine);
		dashboard_merge(none, mine, theirs, &merge);
		if (json_is_array(json_object_get(mine, "panels")) &&
			count_panels(json_object_get(merge.model, "panels")) <
				count_panels(json_object_get(mine, "panels")))
			abort();
		json_decref(none);
	}
	json_decref(root);
	return 0;
}
