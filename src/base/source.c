/* SPDX-License-Identifier: MIT */
#include "base/source.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/list.h"
#include "base/mem.h"

ssize_t
source_read(struct source *s, void *buf, size_t n, struct err *err)
{
	return s->read(s, buf, n, err);
}

int
source_wait(struct source *s, int timeout_ms, struct err *err)
{
	return s->wait == NULL ? 1 : s->wait(s, timeout_ms, err);
}

bool
source_extent(struct source *s, struct extent *ret_extent)
{
	return s->extent != NULL && s->extent(s, ret_extent);
}

void
source_close(struct source *s)
{
	if (s != NULL)
		s->close(s);
}

ssize_t
source_read_full(struct source *s, void *buf, size_t n, struct err *err)
{
	char *at = buf;
	size_t got = 0;
	ssize_t done;

	while (got < n) {
		done = source_read(s, at + got, n - got, err);
		if (done < 0)
			return -1;
		if (done == 0)
			break;
		got += (size_t)done;
	}
	return (ssize_t)got;
}

/* Some bytes into the first buffers: 0 at the end, or -1. */
static ssize_t
read_some(struct source *s, const struct iovec *parts, int n, struct err *err)
{
	if (s->read_parts != NULL)
		return s->read_parts(s, parts, n, err);
	return source_read(s, parts->iov_base, parts->iov_len, err);
}

ssize_t
source_read_parts(struct source *s, struct iovec *parts, int n, struct err *err)
{
	size_t got = 0;

	for (;;) {
		ssize_t done;

		while (n > 0 && parts->iov_len == 0) {
			parts++;
			n--;
		}
		if (n == 0)
			break;
		done = read_some(s, parts, n, err);
		if (done < 0)
			return -1;
		if (done == 0)
			break;
		got += (size_t)done;
		for (size_t left = (size_t)done; left > 0;) {
			size_t one =
			    left < parts->iov_len ? left : parts->iov_len;

			parts->iov_base = (char *)parts->iov_base + one;
			parts->iov_len -= one;
			left -= one;
			if (parts->iov_len == 0 && left > 0) {
				parts++;
				n--;
			}
		}
	}
	return (ssize_t)got;
}

struct mem_source {
	struct source source;
	const char *p;
	size_t n;
};

static ssize_t
mem_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct mem_source *m = CONTAINER_OF(s, struct mem_source, source);

	(void)err;
	if (n > m->n)
		n = m->n;
	if (n == 0)
		return 0;
	memcpy(buf, m->p, n);
	m->p += n;
	m->n -= n;
	return (ssize_t)n;
}

static void
mem_close(struct source *s)
{
	free(CONTAINER_OF(s, struct mem_source, source));
}

struct source *
source_mem(const void *p, size_t n)
{
	struct mem_source *m = mem_calloc(1, sizeof(*m));

	m->source.read = mem_read;
	m->source.close = mem_close;
	m->p = p;
	m->n = n;
	return &m->source;
}

struct file_source {
	struct source source;
	struct extent left;
};

/* ${done}: what a call of pread() or preadv() returned. */
static ssize_t
file_took(struct file_source *f, ssize_t done, struct err *err)
{
	if (done < 0)
		return err_set_errno(err, ERR_IO, "cannot read a file");
	if (done == 0)
		return err_set(err, ERR_IO,
		    "a file ends at byte %" PRIu64 ", %" PRIu64
		    " bytes too early",
		    f->left.offset, f->left.length);
	f->left.offset += (uint64_t)done;
	f->left.length -= (uint64_t)done;
	return done;
}

static ssize_t
file_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct file_source *f = CONTAINER_OF(s, struct file_source, source);
	ssize_t done;

	if (n > f->left.length)
		n = (size_t)f->left.length;
	if (n == 0)
		return 0;
	do {
		done = pread(f->left.fd, buf, n, (off_t)f->left.offset);
	} while (done < 0 && errno == EINTR);
	return file_took(f, done, err);
}

static ssize_t
file_read_parts(
    struct source *s, const struct iovec *parts, int n, struct err *err)
{
	struct file_source *f = CONTAINER_OF(s, struct file_source, source);
	uint64_t room = 0;
	ssize_t done;
	int fit;

	for (fit = 0; fit < n && fit < IOV_MAX; fit++) {
		if (parts[fit].iov_len > f->left.length - room)
			break;
		room += parts[fit].iov_len;
	}
	/* The end lies in the first of them. */
	if (fit == 0)
		return file_read(s, parts->iov_base, parts->iov_len, err);
	do {
		done = preadv(f->left.fd, parts, fit, (off_t)f->left.offset);
	} while (done < 0 && errno == EINTR);
	return file_took(f, done, err);
}

static bool
file_extent(struct source *s, struct extent *ret_extent)
{
	*ret_extent = CONTAINER_OF(s, struct file_source, source)->left;
	return true;
}

static void
file_source_close(struct source *s)
{
	struct file_source *f = CONTAINER_OF(s, struct file_source, source);

	file_close(f->left.fd);
	free(f);
}

struct source *
source_file(int fd, uint64_t offset, uint64_t length)
{
	struct file_source *f = mem_calloc(1, sizeof(*f));

	f->source.read = file_read;
	f->source.read_parts = file_read_parts;
	f->source.extent = file_extent;
	f->source.close = file_source_close;
	f->left = (struct extent){ fd, offset, length };
	return &f->source;
}

struct prefixed_source {
	struct source source;
	struct source *inner;
	size_t at;
	size_t n;
	char prefix[];
};

static ssize_t
prefixed_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct prefixed_source *p =
	    CONTAINER_OF(s, struct prefixed_source, source);

	if (p->at == p->n)
		return source_read(p->inner, buf, n, err);
	if (n > p->n - p->at)
		n = p->n - p->at;
	memcpy(buf, p->prefix + p->at, n);
	p->at += n;
	return (ssize_t)n;
}

static int
prefixed_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct prefixed_source *p =
	    CONTAINER_OF(s, struct prefixed_source, source);

	return p->at < p->n ? 1 : source_wait(p->inner, timeout_ms, err);
}

static void
prefixed_close(struct source *s)
{
	struct prefixed_source *p =
	    CONTAINER_OF(s, struct prefixed_source, source);

	source_close(p->inner);
	free(p);
}

struct source *
source_prefixed(const void *p, size_t n, struct source *inner)
{
	struct prefixed_source *s = mem_calloc(1, sizeof(*s) + n);

	s->source.read = prefixed_read;
	s->source.wait = prefixed_wait;
	s->source.close = prefixed_close;
	s->inner = inner;
	s->n = n;
	memcpy(s->prefix, p, n);
	return &s->source;
}

struct limit_source {
	struct source source;
	struct source *inner;
	uint64_t limit;
	uint64_t left;
	enum err_code code;
};

static ssize_t
limit_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct limit_source *l = CONTAINER_OF(s, struct limit_source, source);
	ssize_t done;
	char more;

	/* Whether there is one byte too many shows only by reading it. */
	if (l->left == 0) {
		done = source_read(l->inner, &more, 1, err);
		if (done <= 0)
			return done;
		return err_set(err, l->code,
		    "the file is larger than %" PRIu64 " bytes", l->limit);
	}
	if (n > l->left)
		n = (size_t)l->left;
	done = source_read(l->inner, buf, n, err);
	if (done > 0)
		l->left -= (uint64_t)done;
	return done;
}

static int
limit_wait(struct source *s, int timeout_ms, struct err *err)
{
	return source_wait(CONTAINER_OF(s, struct limit_source, source)->inner,
	    timeout_ms, err);
}

static bool
limit_extent(struct source *s, struct extent *ret_extent)
{
	struct limit_source *l = CONTAINER_OF(s, struct limit_source, source);
	struct extent e;

	if (!source_extent(l->inner, &e) || e.length > l->left)
		return false;
	*ret_extent = e;
	return true;
}

static void
limit_close(struct source *s)
{
	struct limit_source *l = CONTAINER_OF(s, struct limit_source, source);

	source_close(l->inner);
	free(l);
}

struct source *
source_limit(struct source *inner, uint64_t limit, enum err_code code)
{
	struct limit_source *l = mem_calloc(1, sizeof(*l));

	l->source.read = limit_read;
	l->source.wait = limit_wait;
	l->source.extent = limit_extent;
	l->source.close = limit_close;
	l->inner = inner;
	l->limit = limit;
	l->left = limit;
	l->code = code;
	return &l->source;
}
