/* SPDX-License-Identifier: MIT */
#include "sft/resumable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

#define JOURNAL_MAX (64u * 1024 * 1024)
/* Each is a byte of it; so large is no file. */
#define PIECES_MAX (JOURNAL_MAX / 2)
#define HEADER "sft-journal 1\n"
#define HASH_STEP ((size_t)1024 * 1024)

struct resumable {
	struct landing_options options;
	struct landing *landing;
	int journal; /* the descriptor */
	char *url;
	char *etag;
	uint64_t size;
	uint64_t piece;
	uint64_t count;
	off_t digits; /* where they begin in the journal */
	pthread_mutex_t lock;
	char *there; /* '0' or '1' for each piece; under the lock */
};

/* --- opening -------------------------------------------------------------- */

static uint64_t
count_of(uint64_t size, uint64_t piece)
{
	return (size + piece - 1) / piece;
}

static struct resumable *
make(const struct landing_options *o, struct landing *landing)
{
	struct resumable *r = mem_calloc(1, sizeof(*r));

	r->options = *o;
	r->landing = landing;
	r->journal = -1;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

/* In a folder that others write to, somebody may have been there before. */
static int
check_journal(const struct resumable *r, const char *name, struct err *err)
{
	struct stat st;

	if (fstat(r->journal, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_nlink == 1 && st.st_uid == geteuid())
		return 0;
	return err_set(err, ERR_IO,
	    "the file '%s' beside '%s' is not ours: remove it", name,
	    r->options.path);
}

static int
open_journal(struct resumable *r, int flags, struct err *err)
{
	char *name = landing_journal_name(r->landing);
	int rc = -1;

	r->journal = file_open(landing_dir(r->landing), name,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | flags, 0666, err);
	if (r->journal >= 0)
		rc = check_journal(r, name, err);
	free(name);
	return rc;
}

static int
write_journal(struct resumable *r, struct err *err)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, JOURNAL_MAX);
	buf_printf(&b,
	    HEADER "url %s\netag %s\nsize %" PRIu64 "\npiece %" PRIu64 "\n\n",
	    r->url, r->etag, r->size, r->piece);
	r->digits = (off_t)b.len;
	if (buf_append(&b, r->there, (size_t)r->count) < 0)
		err_set(err, ERR_IO, "the file has too many pieces");
	else if (ftruncate(r->journal, 0) < 0)
		err_set_errno(err, ERR_IO, "cannot empty a journal");
	else
		rc = file_pwrite_all(r->journal, b.p, b.len, 0, err);
	buf_fini(&b);
	return rc;
}

int
resumable_new(const struct landing_options *o, const struct resumable_key *key,
    struct resumable **ret_r, struct err *err)
{
	struct landing *landing;
	struct resumable *r;

	if (count_of(key->size, RESUMABLE_PIECE) > PIECES_MAX)
		return err_set(err, ERR_IO,
		    "the server announces %" PRIu64 " bytes, and so large is "
		    "no file",
		    key->size);
	if (landing_open_kept(o, true, &landing, err) < 0)
		return -1;
	r = make(o, landing);
	r->url = mem_strdup(key->url);
	r->etag = mem_strdup(key->etag);
	r->size = key->size;
	r->piece = RESUMABLE_PIECE;
	r->count = count_of(r->size, r->piece);
	r->there = mem_alloc((size_t)r->count + 1);
	memset(r->there, '0', (size_t)r->count);
	if (open_journal(r, O_CREAT, err) < 0 || write_journal(r, err) < 0 ||
	    landing_reserve(landing, r->size, err) < 0) {
		resumable_discard(r);
		return -1;
	}
	*ret_r = r;
	return 0;
}

/* --- reading a journal ---------------------------------------------------- */

/* "name value" off the front of ${rest}. */
static bool
take_line(struct slice *rest, const char *name, struct slice *ret_value)
{
	struct slice line, word;

	if (!slice_next(rest, '\n', &line) || !slice_next(&line, ' ', &word) ||
	    !slice_eq_str(word, name))
		return false;
	*ret_value = line;
	return true;
}

static bool
parse(struct resumable *r, struct slice all)
{
	struct slice rest = all, url, etag, size, piece, line;

	if (!slice_starts(rest, HEADER))
		return false;
	rest.p += sizeof(HEADER) - 1;
	rest.n -= sizeof(HEADER) - 1;
	if (!take_line(&rest, "url", &url) ||
	    !take_line(&rest, "etag", &etag) ||
	    !take_line(&rest, "size", &size) ||
	    !take_line(&rest, "piece", &piece) ||
	    !slice_next(&rest, '\n', &line) || line.n != 0)
		return false;
	if (!num_uint(size, INT64_MAX, &r->size) || r->size == 0 ||
	    !num_uint(piece, INT64_MAX, &r->piece) ||
	    r->piece != RESUMABLE_PIECE)
		return false;
	r->count = count_of(r->size, r->piece);
	if (rest.n != r->count || etag.n < 2)
		return false;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] != '0' && rest.p[i] != '1')
			return false;
	r->digits = rest.p - all.p;
	r->url = slice_dup(url);
	r->etag = slice_dup(etag);
	r->there = slice_dup(rest);
	return true;
}

static bool
read_journal(struct resumable *r)
{
	char *name = landing_journal_name(r->landing);
	struct stat st;
	struct buf b;
	bool good;

	buf_init(&b, JOURNAL_MAX);
	good = file_read_all(landing_dir(r->landing), name, &b, NULL) == 0 &&
	       parse(r, buf_slice(&b)) &&
	       fstat(landing_fd(r->landing), &st) == 0 &&
	       (uint64_t)st.st_size == r->size;
	buf_fini(&b);
	free(name);
	return good;
}

int
resumable_take_up(const struct landing_options *o, const char *url,
    struct resumable **ret_r, struct err *err)
{
	struct err e = ERR_INIT;
	struct landing *landing;
	struct resumable *r;

	if (landing_open_kept(o, false, &landing, &e) < 0) {
		if (e.code == ERR_ABSENT)
			return 0;
		*err = e;
		return -1;
	}
	r = make(o, landing);
	/* What was looked at is what is read: nobody can put another there
	 * whom the folder does not let. */
	if (open_journal(r, 0, &e) < 0 || !read_journal(r) ||
	    strcmp(r->url, url) != 0) {
		resumable_discard(r);
		return 0;
	}
	*ret_r = r;
	return 1;
}

static void
destroy(struct resumable *r)
{
	file_close(r->journal);
	landing_close(r->landing);
	free(r->url);
	free(r->etag);
	free(r->there);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void
resumable_close(struct resumable *r)
{
	if (r == NULL)
		return;
	landing_keep(r->landing);
	destroy(r);
}

static void
remove_journal(struct resumable *r)
{
	char *name = landing_journal_name(r->landing);

	(void)unlinkat(landing_dir(r->landing), name, 0);
	free(name);
}

void
resumable_discard(struct resumable *r)
{
	remove_journal(r);
	destroy(r);
}

/* --- pieces --------------------------------------------------------------- */

uint64_t
resumable_size(const struct resumable *r)
{
	return r->size;
}

const char *
resumable_etag(const struct resumable *r)
{
	return r->etag;
}

uint64_t
resumable_count(const struct resumable *r)
{
	return r->count;
}

bool
resumable_has(const struct resumable *r, uint64_t piece)
{
	struct resumable *mine = (struct resumable *)r;
	bool has;

	pthread_mutex_lock(&mine->lock);
	has = r->there[piece] == '1';
	pthread_mutex_unlock(&mine->lock);
	return has;
}

uint64_t
resumable_there(const struct resumable *r)
{
	uint64_t bytes = 0;

	for (uint64_t i = 0; i < r->count; i++) {
		uint64_t at = i * r->piece;

		if (r->there[i] == '1')
			bytes +=
			    r->size - at < r->piece ? r->size - at : r->piece;
	}
	return bytes;
}

int
resumable_write(struct resumable *r, uint64_t offset, const void *p, size_t n,
    struct err *err)
{
	return landing_write_at(r->landing, offset, p, n, err);
}

int
resumable_done(struct resumable *r, uint64_t piece, struct err *err)
{
	pthread_mutex_lock(&r->lock);
	r->there[piece] = '1';
	pthread_mutex_unlock(&r->lock);
	return file_pwrite_all(
	    r->journal, "1", 1, (uint64_t)r->digits + piece, err);
}

/* --- the end -------------------------------------------------------------- */

int
resumable_hash(
    struct resumable *r, unsigned char ret[SHA256_SIZE], struct err *err)
{
	unsigned char *buf = mem_alloc(HASH_STEP);
	struct sha256 s;
	uint64_t at = 0;
	int rc = 0;

	sha256_init(&s);
	while (at < r->size && rc == 0) {
		ssize_t n = file_pread_full(
		    landing_fd(r->landing), buf, HASH_STEP, at, err);

		if (n <= 0) {
			if (n == 0)
				err_set(err, ERR_IO,
				    "the temporary file became shorter");
			rc = -1;
			break;
		}
		sha256_update(&s, buf, (size_t)n);
		at += (uint64_t)n;
		rc = interrupt_check(r->options.interrupt, err);
	}
	if (rc == 0)
		sha256_final(&s, ret);
	free(buf);
	return rc;
}

int
resumable_commit(struct resumable *r, struct err *err)
{
	if (landing_commit(r->landing, err) < 0)
		return -1;
	remove_journal(r);
	return 0;
}
