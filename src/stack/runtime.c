#include "stack/runtime.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "stack/engine.h"

const char *runtime_name(enum runtime runtime)
{
	static const char *const names[] = { "unknown", "docker", "embedded" };
	return names[runtime];
}

static void choose_by_engine(struct runtime_choice *out)
{
	AUTO(engine) struct engine engine = { 0 };
	engine_find(&engine);
	out->runtime = engine.is_usable ? RUNTIME_DOCKER : RUNTIME_EMBEDDED;
	out->why = TAKE(engine.why);
	out->hint = TAKE(engine.hint);
}

void runtime_choose(const struct config *config, enum runtime last, struct runtime_choice *out)
{
	const char *configured = config_text(config, "runtime");
	*out = (struct runtime_choice){ 0 };
	if (strcmp(configured, "auto") != 0) {
		const struct origin *origin = &config_setting(config, "runtime")->origin;
		AUTO(str) char *where = origin_text(origin);
		out->runtime =
			strcmp(configured, "docker") == 0 ? RUNTIME_DOCKER : RUNTIME_EMBEDDED;
		out->why = mem_printf("chosen in %s", where);
		return;
	}
	if (last == RUNTIME_UNKNOWN) {
		choose_by_engine(out);
		return;
	}
	out->runtime = last;
	out->why = mem_strdup("decided when the stack was made");
}

void runtime_choice_clear(struct runtime_choice *choice)
{
	free(choice->why);
	free(choice->hint);
	*choice = (struct runtime_choice){ 0 };
}
