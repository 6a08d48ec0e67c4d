#include "bridge/otlp/reasons.h"

#include <assert.h>

struct reason_row {
	const char *slug;
	enum reason_scope scope;
	int http_status, grpc_status;
	const char *sentence;
};

static const struct reason_row rows[] = {
#define X(name, slug_, scope_, http, grpc, sentence_) \
	[name] = { (slug_), (scope_), (http), (grpc), (sentence_) },
	REASONS(X)
#undef X
};

static const struct reason_row *row_of(enum reason r)
{
	assert((unsigned)r < REASON_COUNT);
	return &rows[r];
}

const char *reason_slug(enum reason r)
{
	return row_of(r)->slug;
}

enum reason_scope reason_scope(enum reason r)
{
	return row_of(r)->scope;
}

int reason_http_status(enum reason r)
{
	return row_of(r)->http_status;
}

int reason_grpc_status(enum reason r)
{
	return row_of(r)->grpc_status;
}

bool reason_retry_helps(enum reason r)
{
	int status = row_of(r)->http_status;
	return status == 429 || status == 503;
}

const char *reason_sentence(enum reason r)
{
	return row_of(r)->sentence;
}
