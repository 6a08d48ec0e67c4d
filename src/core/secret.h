/* Secrets: made from the kernel's random source, compared, and wiped. */
#ifndef CCTM_CORE_SECRET_H
#define CCTM_CORE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"
#include "core/slice.h"

struct error;

#define SECRET_CHARS 32 /* of 32 kinds: 160 bits */

/* Letters and digits that no file, shell or address has to quote, without those that are taken for each other. Yours;
 * secret_free it. NULL: the system gives no random bytes. */
char *secret_new(struct error *err) MUST_CHECK;

/* Overwrites the text before it is freed; NULL is fine. */
void secret_free(char *secret);

/* Takes as long wherever the two differ, so that nobody finds a secret by trying; it tells whether the lengths do. */
bool secret_equal(struct slice a, struct slice b);

static inline void auto_secret(char **secret)
{
	secret_free(*secret);
}

#endif
