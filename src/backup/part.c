#include "backup/part.h"

bool part_exists(const struct loaded *stack, enum backup_part part)
{
	switch (part) {
	case BACKUP_CONFIGURATION:
	case BACKUP_SECRETS:
		return true;
	case BACKUP_LEDGER:
		return stack->runtime == RUNTIME_EMBEDDED;
	case BACKUP_PARTS:
		break;
	}
	return false;
}

bool part_save(enum backup_part part, const struct loaded *stack, struct staging *staging,
	struct error *err)
{
	static bool (*const savers[BACKUP_PARTS])(
		const struct loaded *, struct staging *, struct error *) = {
		[BACKUP_CONFIGURATION] = part_save_configuration,
		[BACKUP_SECRETS] = part_save_secrets,
		[BACKUP_LEDGER] = part_save_ledger,
	};
	return savers[part](stack, staging, err);
}
