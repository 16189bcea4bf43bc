/* SPDX-License-Identifier: MIT */
#include "base/passing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"

/* A read is looked at so far; what is beyond stays in the cache. */
#define PAGES_MAX 1024

struct passing {
	struct source source;
	struct source *inner;
	uint64_t page; /* bytes */
	unsigned char was_cached[PAGES_MAX];
};

/* Pages from that of ${begin} to that before ${end}. */
struct span {
	int fd;
	uint64_t begin; /* of the first page */
	size_t pages;
};

static struct span
span_of(const struct passing *p, const struct extent *x, uint64_t n)
{
	struct span s = { x->fd, x->offset / p->page * p->page, 0 };
	uint64_t end = x->offset + (n < x->length ? n : x->length);
	uint64_t pages = (end - s.begin + p->page - 1) / p->page;

	s.pages = pages < PAGES_MAX ? (size_t)pages : PAGES_MAX;
	return s;
}

/* Where nobody tells, all of it counts as cached. */
static void
look(struct passing *p, const struct span *s)
{
	size_t n = s->pages * p->page, i;
	void *at;

	for (i = 0; i < s->pages; i++)
		p->was_cached[i] = 1;
	if (s->pages == 0)
		return;
	at = mmap(NULL, n, PROT_READ, MAP_SHARED, s->fd, (off_t)s->begin);
	if (at == MAP_FAILED)
		return;
	(void)mincore(at, n, p->was_cached);
	(void)munmap(at, n);
}

/* Each run of pages that we brought in. */
static void
drop(const struct passing *p, const struct span *s)
{
	size_t from, to;

	for (from = 0; from < s->pages; from = to + 1) {
		for (to = from; to < s->pages && (p->was_cached[to] & 1) == 0;
		     to++)
			continue;
		if (to > from)
			(void)posix_fadvise(s->fd,
			    (off_t)(s->begin + from * p->page),
			    (off_t)((to - from) * p->page),
			    POSIX_FADV_DONTNEED);
	}
}

static ssize_t
read_parts(
    struct source *source, const struct iovec *parts, int n, struct err *err)
{
	struct passing *p = CONTAINER_OF(source, struct passing, source);
	struct extent x;
	struct span s;
	uint64_t sum = 0;
	ssize_t done;

	for (int i = 0; i < n; i++)
		sum += parts[i].iov_len;
	if (!source_extent(p->inner, &x))
		x = (struct extent){ -1, 0, 0 };
	s = span_of(p, &x, sum);
	look(p, &s);
	done = p->inner->read_parts == NULL
	           ? source_read(p->inner, parts->iov_base, parts->iov_len, err)
	           : p->inner->read_parts(p->inner, parts, n, err);
	drop(p, &s);
	return done;
}

static ssize_t
read_one(struct source *source, void *buf, size_t n, struct err *err)
{
	const struct iovec part = { buf, n };

	return read_parts(source, &part, 1, err);
}

static void
passing_close(struct source *source)
{
	struct passing *p = CONTAINER_OF(source, struct passing, source);

	source_close(p->inner);
	free(p);
}

struct source *
passing_open(struct source *inner)
{
	struct passing *p;
	struct extent x;

	if (!source_extent(inner, &x))
		return inner;
	/* What the kernel read ahead of us would look like others' pages. */
	(void)posix_fadvise(x.fd, 0, 0, POSIX_FADV_RANDOM);
	p = mem_calloc(1, sizeof(*p));
	p->source.read = read_one;
	p->source.read_parts = read_parts;
	p->source.close = passing_close;
	p->inner = inner;
	p->page = (uint64_t)sysconf(_SC_PAGESIZE);
	return &p->source;
}
