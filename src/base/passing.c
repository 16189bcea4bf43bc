/* SPDX-License-Identifier: MIT */
#include "base/passing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"

/*
 * How far ahead of the reader is looked, in pages: further than the kernel
 * reads ahead, whose pages would be taken for those of others.
 */
#define AHEAD 4096u
/* Pages lie in the cache in blocks of up to so many, and go when all of a block
 * is asked to. */
#define BLOCK 2048u

/*
 * Invariants: ${was_cached} knows the pages from the reader's on to that before
 * ${looked}, each at its number modulo AHEAD; those from ${run} on to the
 * reader's were not cached.
 */
struct passing {
	struct source source;
	struct source *inner;
	uint64_t page;   /* bytes */
	uint64_t looked; /* number of a page */
	uint64_t run;
	unsigned char was_cached[AHEAD];
};

/* Pages [first, end) of a file. */
struct span {
	int fd;
	uint64_t first;
	uint64_t end;
};

/* Those of the next ${n} bytes. */
static struct span
span_of(const struct passing *p, const struct extent *x, uint64_t n)
{
	uint64_t end = x->offset + (n < x->length ? n : x->length);

	return (struct span){
		.fd = x->fd,
		.first = x->offset / p->page,
		.end = (end + p->page - 1) / p->page,
	};
}

/* Where nobody tells, all count as cached. */
static void
look_at(struct passing *p, const struct span *s)
{
	size_t n = (size_t)(s->end - s->first);
	unsigned char vec[AHEAD];
	void *at;

	memset(vec, 1, n);
	at = mmap(NULL, n * p->page, PROT_READ, MAP_SHARED, s->fd,
	    (off_t)(s->first * p->page));
	if (at != MAP_FAILED) {
		(void)mincore(at, n * p->page, vec);
		(void)munmap(at, n * p->page);
	}
	for (size_t i = 0; i < n; i++)
		p->was_cached[(s->first + i) % AHEAD] = vec[i] & 1;
}

/* As far as there is room, in steps that are worth a call. */
static void
look_ahead(struct passing *p, const struct extent *x)
{
	struct span all = span_of(p, x, x->length);
	struct span next = all;

	if (p->looked > all.first)
		next.first = p->looked;
	if (next.end > all.first + AHEAD)
		next.end = all.first + AHEAD;
	if (next.first >= next.end ||
	    (next.end < all.end && next.end - next.first < AHEAD / 4))
		return;
	look_at(p, &next);
	p->looked = next.end;
}

static void
drop_run(const struct passing *p, int fd, uint64_t end)
{
	if (end > p->run)
		(void)posix_fadvise(fd, (off_t)(p->run * p->page),
		    (off_t)((end - p->run) * p->page), POSIX_FADV_DONTNEED);
}

/* What we brought in of these and of those before them. */
static void
drop(struct passing *p, const struct span *s)
{
	for (uint64_t at = s->first; at < s->end; at++) {
		if (p->was_cached[at % AHEAD] == 0)
			continue;
		drop_run(p, s->fd, at);
		p->run = at + 1;
	}
	drop_run(p, s->fd, s->end);
	if (s->end > p->run + BLOCK)
		p->run = s->end - BLOCK;
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
	look_ahead(p, &x);
	s = span_of(p, &x, sum);
	/* More than that at once stays, as if others had read it. */
	if (s.end > p->looked)
		s.end = p->looked;
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
	struct extent x;
	struct span s;

	/* Who ends early leaves what the kernel has read ahead. */
	if (source_extent(p->inner, &x)) {
		s = span_of(p, &x, x.length);
		if (s.end > p->looked)
			s.end = p->looked;
		drop(p, &s);
	}
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
	p = mem_calloc(1, sizeof(*p));
	p->source.read = read_one;
	p->source.read_parts = read_parts;
	p->source.close = passing_close;
	p->inner = inner;
	p->page = (uint64_t)sysconf(_SC_PAGESIZE);
	p->run = x.offset / p->page;
	look_ahead(p, &x);
	return &p->source;
}
