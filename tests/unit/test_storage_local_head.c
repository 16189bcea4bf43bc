/* SPDX-License-Identifier: MIT */

/* Heads that one process writes while another reads them. */

#include "storage_help.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD 80

/* One call on a head, on a thread of its own. */
struct head_call {
	struct storage *st;
	const char *id;
	bool is_set;
	char head[HEAD];
	int rc;
	atomic_bool done;
};

static void *
call_head(void *arg)
{
	struct head_call *c = arg;
	const struct storage_ops *ops = c->st->ops;

	c->rc = c->is_set
	            ? ops->blob_set_head(c->st, c->id, c->head, HEAD, NULL)
	            : ops->blob_get_head(c->st, c->id, c->head, HEAD, NULL);
	atomic_store(&c->done, true);
	return NULL;
}

/* Does somebody wait for a lock on that file? */
static bool
is_waited_for(const char *path)
{
	FILE *f = fopen("/proc/locks", "re");
	bool found = false;
	char line[200], inode[40];
	struct stat st;

	assert_non_null(f);
	assert_int_equal(stat(path, &st), 0);
	snprintf(inode, sizeof(inode), ":%ju ", (uintmax_t)st.st_ino);
	while (fgets(line, sizeof(line), f) != NULL)
		found |=
		    strstr(line, "->") != NULL && strstr(line, inode) != NULL;
	assert_int_equal(fclose(f), 0);
	return found;
}

/* Begins ${c} while somebody else has the lock, and returns when it is through
 * or waits: through it must not be. */
static pthread_t
begin_call(struct head_call *c, const char *path)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, call_head, c), 0);
	while (!atomic_load(&c->done) && !is_waited_for(path))
		sched_yield();
	assert_false(atomic_load(&c->done));
	return thread;
}

/*
 * Rule 13: who reads a head while another process writes it waits for the
 * second half, and who writes it waits for those who read.
 */
TEST(test_storage_local_head__is_never_half_of_two)
{
	struct flock lock = { .l_whence = SEEK_SET, .l_len = HEAD };
	struct head_call c = { .st = help_open_local(unit_tempdir()) };
	char text[HEAD + 21], ours[HEAD], id[ID_SIZE];
	const char *path;
	pthread_t thread;
	int fd;

	memset(text, 'A', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	help_new_id(id);
	help_publish(c.st, id, text);
	c.id = id;
	snprintf(text, sizeof(text), "objects/%s/%s", id + ID_SIZE - 3, id);
	path = unit_temppath(text);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);

	lock.l_type = F_WRLCK;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(pwrite(fd, "BBBBBBBB", 8, 0), 8);
	thread = begin_call(&c, path);
	memset(ours, 'B', HEAD);
	assert_int_equal(pwrite(fd, ours, HEAD, 0), HEAD);
	lock.l_type = F_UNLCK;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(c.rc, 0);
	assert_memory_equal(c.head, ours, HEAD);

	lock.l_type = F_RDLCK;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	c.is_set = true;
	memset(c.head, 'C', HEAD);
	atomic_store(&c.done, false);
	thread = begin_call(&c, path);
	assert_int_equal(pread(fd, text, HEAD, 0), HEAD);
	assert_memory_equal(text, ours, HEAD);
	close(fd); /* and with it goes the lock */
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(c.rc, 0);
	storage_close(c.st);
}
