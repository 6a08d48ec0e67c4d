#include "render/variables.h"

#include <stdlib.h>

#include "core/mem.h"
#include "render/model.h"

void variables_init(struct stack_variable out[STACK_VARIABLES], const struct config *config)
{
	const struct stack_variable all[STACK_VARIABLES] = {
		{ "CLAUDE_CODE_ENABLE_TELEMETRY", "without it nothing is sent", mem_strdup("1") },
		{ "OTEL_METRICS_EXPORTER", "tokens, cost, lines, commits, active time",
			mem_strdup("otlp") },
		{ "OTEL_LOGS_EXPORTER",
			"events: requests, errors, tool results; prompts are left out",
			mem_strdup("otlp") },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL", "over HTTP a request that failed is tried again",
			mem_strdup("http/protobuf") },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "where this stack receives",
			model_otlp_endpoint(config, false) },
		{ "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
			"sums since the start: after an outage the next export heals the totals, a "
			"delta would be lost",
			mem_strdup("cumulative") },
	};
	for (size_t i = 0; i < STACK_VARIABLES; i++)
		out[i] = all[i];
}

void variables_clear(struct stack_variable variables[STACK_VARIABLES])
{
	for (size_t i = 0; i < STACK_VARIABLES; i++)
		free(variables[i].value);
}
