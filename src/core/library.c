#include "core/library.h"

#include <dlfcn.h>
#include <string.h>

#include "core/error.h"

bool library_load(struct library *library, struct error *err)
{
	if (library->handle)
		return true;
	void *handle = dlopen(library->name, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		error_set(err, ERR_FAILED, "%s cannot be loaded", library->name);
		return error_hint(err, "install it (%s)", library->package);
	}
	for (size_t i = 0; i < library->count; i++) {
		void *symbol = dlsym(handle, library->symbols[i].name);
		if (!symbol)
			return error_set(err, ERR_FAILED, "%s has no %s", library->name,
				library->symbols[i].name);
		memcpy(library->symbols[i].slot, &symbol, sizeof symbol);
	}
	library->handle = handle;
	return true;
}
