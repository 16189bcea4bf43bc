/* SPDX-License-Identifier: MIT */
#include "base/passing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rand.h"
#include "unit.h"

#define TMPFS 0x01021994
#define PAGES ((size_t)64)

static size_t
page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Which pages of the file are in memory: "0" and "1", in ${ret}. */
static void
cached(int fd, char ret[PAGES + 1])
{
	unsigned char v[PAGES];
	void *p = mmap(NULL, PAGES * page(), PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mincore(p, PAGES * page(), v), 0);
	(void)munmap(p, PAGES * page());
	for (size_t i = 0; i < PAGES; i++)
		ret[i] = (v[i] & 1) != 0 ? '1' : '0';
	ret[PAGES] = '\0';
}

/* A file of PAGES pages, on disk and not in memory; skips where there is
 * nothing but memory. */
static int
make_file(unsigned char *content)
{
	const char *path = unit_temppath("file");
	struct statfs fs;
	char now[PAGES + 1];
	int fd;

	rand_bytes(content, PAGES * page());
	fd = file_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, content, PAGES * page(), NULL), 0);
	assert_int_equal(file_sync(fd, NULL), 0);
	assert_int_equal(fstatfs(fd, &fs), 0);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	cached(fd, now);
	if (fs.f_type == TMPFS || strchr(now, '1') != NULL) {
		file_close(fd);
		skip();
	}
	return fd;
}

/* Into memory, and no other page with it. */
static void
bring_in(int fd, size_t first, size_t pages)
{
	char *p = mem_alloc(pages * page());

	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), 0);
	assert_int_equal(
	    file_pread_full(fd, p, pages * page(), first * page(), NULL),
	    pages * page());
	free(p);
}

TEST(test_base_passing__leaves_the_cache_as_it_was)
{
	/* whole pages, odd steps, and all at once */
	const size_t steps[] = { page(), 3 * page() + 17, PAGES * page() };
	unsigned char *content = mem_alloc(PAGES * page());
	unsigned char *p = mem_alloc(PAGES * page());
	char before[PAGES + 1], after[PAGES + 1];
	struct err err = ERR_INIT;
	struct source *src;
	size_t got = 0;
	ssize_t n;
	int fd = make_file(content);

	bring_in(fd, 5, 3);
	bring_in(fd, 40, 1);
	cached(fd, before);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		src = passing_open(source_file(
		    fcntl(fd, F_DUPFD_CLOEXEC, 0), 0, PAGES * page()));
		got = 0;
		while ((n = source_read(src, p + got, steps[i], &err)) > 0)
			got += (size_t)n;
		assert_int_equal(n, 0);
		assert_int_equal(got, PAGES * page());
		assert_memory_equal(p, content, got);
		source_close(src);
		cached(fd, after);
		assert_string_equal(after, before);
	}
	file_close(fd);
	free(p);
	free(content);
}

/* And closed before the end takes along what the kernel has read ahead. */
TEST(test_base_passing__reads_into_parts)
{
	unsigned char *content = mem_alloc(PAGES * page());
	char after[PAGES + 1], before[PAGES + 1];
	unsigned char a[100], b[5000];
	struct iovec parts[] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct err err = ERR_INIT;
	struct source *src;
	int fd = make_file(content);

	cached(fd, before);
	src = passing_open(source_file(
	    fcntl(fd, F_DUPFD_CLOEXEC, 0), 1000, PAGES * page() - 1000));
	assert_int_equal(
	    source_read_parts(src, parts, 2, &err), sizeof(a) + sizeof(b));
	assert_memory_equal(a, content + 1000, sizeof(a));
	assert_memory_equal(b, content + 1100, sizeof(b));
	source_close(src);
	cached(fd, after);
	assert_string_equal(after, before);
	file_close(fd);
	free(content);
}

/* What is in memory anyway passes as it is. */
TEST(test_base_passing__gives_back_what_is_no_file)
{
	struct source *inner = source_mem("text", 4);

	assert_ptr_equal(passing_open(inner), inner);
	source_close(inner);
}
