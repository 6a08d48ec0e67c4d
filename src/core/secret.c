#include "core/secret.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/error.h"
#include "core/mem.h"

/* No 0, 1, l, o. As many as a byte's values divide into evenly, so that none is likelier than another. */
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(256 % (sizeof alphabet - 1) == 0, "every character is as likely as any other");

static bool fill(unsigned char *bytes, size_t len, struct error *err)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = getrandom(bytes + got, len - got, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, ERR_FAILED, errno,
				"the system gives no random bytes for a password");
		got += (size_t)n;
	}
	return true;
}

char *secret_new(struct error *err)
{
	unsigned char bytes[SECRET_CHARS];
	if (!fill(bytes, sizeof bytes, err))
		return NULL;
	char *secret = mem_zalloc(SECRET_CHARS + 1);
	for (size_t i = 0; i < sizeof bytes; i++)
		secret[i] = alphabet[bytes[i] % (sizeof alphabet - 1)];
	explicit_bzero(bytes, sizeof bytes);
	return secret;
}

void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

bool secret_equal(struct slice a, struct slice b)
{
	/* volatile: the compiler may not leave the loop once the answer is known */
	volatile unsigned char difference = 0;
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		difference = (unsigned char)(difference | (a.ptr[i] ^ b.ptr[i]));
	return difference == 0;
}
