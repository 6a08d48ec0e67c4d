#include <stdlib.h>

#include <jansson.h>

#include "core/error.h"
#include "fuzz.h"
#include "grafana/import.h"
#include "grafana/lint.h"

/* What is taken has a title and a uid, and no input that is open; whatever it is, it can be linted. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static json_t *sources;
	if (!sources)
		sources = json_pack("[{s:s, s:s, s:s}]", "uid", "prometheus_claude_metrics", "name",
			"Prometheus", "type", "prometheus");
	const struct import_request request = {
		.text = slice_of(bytes, len), .name = "input", .datasources = sources
	};
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(import) struct import import = { 0 };
	AUTO(lint) struct lint lint = { 0 };
	if (!import_read(&request, &import, &err))
		return 0;
	if (!*import.title || !*import.uid || json_object_get(import.model, "__inputs"))
		abort();
	lint_dashboard(import.model, LINT_STRICT, &lint);
	return 0;
}
