#include "loaded/own_grafana.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/secret.h"
#include "render/model.h"
#include "render/own_files.h"

bool own_grafana_find(const struct loaded *stack, struct own_grafana *out, struct error *err)
{
	*out = (struct own_grafana){ 0 };
	if (stack->runtime == RUNTIME_EMBEDDED)
		return error_set(err, ERR_USAGE, "an embedded stack has no Grafana");
	if (!loaded_secret(stack, GRAFANA_PASSWORD, &out->password, err))
		return false;
	out->url = model_url(&stack->config, "ports.grafana", "");
	out->user = mem_strdup(config_text(&stack->config, "grafana.admin_user"));
	out->grafana =
		(struct grafana){ .url = out->url, .user = out->user, .password = out->password };
	return true;
}

void own_grafana_clear(struct own_grafana *own)
{
	free(own->url);
	free(own->user);
	secret_free(own->password);
	*own = (struct own_grafana){ 0 };
}
