#include "cmd/help_internal.h"
#include "core/out.h"

void help_print_man(struct context *ctx, const struct command *command)
{
	out_printf(ctx->out, "%s\n", command ? command->name : "cctm");
}
