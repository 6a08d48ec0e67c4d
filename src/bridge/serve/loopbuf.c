#include "bridge/serve/loopbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void loopbuf_init(struct pages *loop)
{
	void *p = mmap(
		NULL, LOOPBUF_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		/* As core/mem does: there is nothing better to do without memory. */
		fprintf(stderr, "cctm: out of memory: no %zu bytes to read requests into\n",
			LOOPBUF_SIZE);
		exit(1);
	}
	*loop = (struct pages){ p, LOOPBUF_SIZE };
}

void pages_clear(struct pages *p)
{
	if (p->len)
		munmap(p->bytes, p->len);
	*p = (struct pages){ 0 };
}

void loopbuf_split(struct pages *loop, size_t from, size_t to, struct pages *out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t first = from / page * page;
	size_t last = (to + page - 1) / page * page;
	if (first)
		munmap(loop->bytes, first);
	if (last < loop->len)
		munmap(loop->bytes + last, loop->len - last);
	*out = (struct pages){ loop->bytes + first, last - first };
	loopbuf_init(loop);
}
