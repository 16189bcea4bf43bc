/* SPDX-License-Identifier: MIT */
#include "engine/status_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "engine/view_json.h"
#include "proto/filename.h"
#include "proto/limits.h"

#define IP_MAX 63 /* characters of an address */
#define RETRIES_MAX 0xffffu

/* --- writing ----------------------------------------------------------- */

static json_t *
snapshot(const struct status_list *newest, const struct status_list *queue)
{
	json_t *transfers = json_object();

	for (size_t i = 0; i < newest->count; i++)
		(void)json_object_set_new(transfers,
		    newest->views[i].rec.filename,
		    view_json(&newest->views[i]));
	return json_pack("{s:o, s:o, s:{s:I, s:o, s:s}}", "transfers",
	    transfers, "queue", view_json_queue(queue), "metadata",
	    "total_transfers", (json_int_t)newest->total, "last_updated",
	    newest->last_updated == 0 ? json_null()
	                              : json_time(newest->last_updated),
	    "version", "1.0");
}

int
status_file_write(struct engine *e, struct err *err)
{
	const char *path = e->settings->log_file;
	char *backup = mem_printf("%s.backup", path);
	struct file_content content = { .mode = 0600, .backup = backup };
	static const struct status_page page = { "", STATUS_FILE_TRANSFERS };
	struct status_list newest = { 0 }, queue = { 0 };
	struct principal all;
	json_t *j = NULL;
	struct buf b;
	int rc = -1;

	buf_init(&b, STATUS_FILE_MAX);
	auth_anonymous(&all);
	if (status_newest(e, &all, &page, &newest, err) < 0)
		goto out;
	if (status_queue(e, &all, &queue, err) < 0)
		goto out;
	j = snapshot(&newest, &queue);
	if (json_write(j, &b, err) < 0)
		goto out;
	content.p = b.p;
	content.n = b.len;
	rc = file_replace(AT_FDCWD, path, &content, err);
out:
	json_decref(j);
	buf_fini(&b);
	status_list_fini(&newest);
	status_list_fini(&queue);
	free(backup);
	return rc;
}

/* --- parsing -------------------------------------------------------------- */

static const char *
text_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static uint64_t
number_of(const json_t *o, const char *name, uint64_t otherwise)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return otherwise;
	return (uint64_t)json_integer_value(v);
}

/* "2024-10-24T07:30:05", with or without a fraction and 'Z'; 0 for anything
 * else. */
static int64_t
time_of(const json_t *o, const char *name)
{
	const char *text = text_of(o, name);
	struct tm tm = { 0 };
	const char *rest;

	if (text == NULL)
		return 0;
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL || timegm(&tm) < 0)
		return 0;
	return (int64_t)timegm(&tm) * 1000;
}

static void
take_checksum(const json_t *o, struct rec_transfer *t)
{
	unsigned char raw[SHA256_SIZE];
	const char *hex = text_of(o, "checksum");

	if (hex != NULL && hex_decode(slice_str(hex), raw, sizeof(raw)))
		hex_encode(raw, sizeof(raw), t->sha256);
}

/* Fit for a log and a terminal? */
static bool
is_line(const char *text, size_t most)
{
	return text != NULL && text[0] != '\0' &&
	       utf8_is_line(slice_str(text), most);
}

static void
take_client(const json_t *o, struct rec_transfer *t)
{
	const char *ip = text_of(o, "client_ip");
	const char *id = text_of(o, "client_id");

	t->client_ip = mem_strdup(is_line(ip, IP_MAX) ? ip : "unknown");
	if (is_line(id, LIMIT_CLIENT_ID))
		t->client_id = mem_strdup(id);
}

static uint64_t
size_of(const json_t *o, const char *name)
{
	uint64_t n = number_of(o, name, REC_SIZE_UNKNOWN);

	return n <= STATUS_FILE_SIZE_MAX ? n : REC_SIZE_UNKNOWN;
}

static void
take_progress(const json_t *o, struct rec_transfer *t)
{
	uint64_t retries = number_of(o, "retry_count", 0);

	t->total = size_of(o, "total_bytes");
	if (t->total == REC_SIZE_UNKNOWN)
		t->total = size_of(o, "size");
	t->transferred = size_of(o, "transferred_bytes");
	if (t->transferred == REC_SIZE_UNKNOWN)
		t->transferred =
		    t->status == REC_COMPLETED && t->total != REC_SIZE_UNKNOWN
		        ? t->total
		        : 0;
	if (t->transferred > t->total)
		t->transferred = t->total;
	t->retry_count =
	    retries < RETRIES_MAX ? (unsigned)retries : RETRIES_MAX;
}

/* One that is in the future would stand before all that comes, so that a new
 * upload of its name were never seen. */
static int64_t
past_of(const json_t *o, const char *name, int64_t now_ms)
{
	int64_t ms = time_of(o, name);

	return ms < now_ms ? ms : now_ms;
}

static void
take_times(const json_t *o, int64_t now_ms, struct rec_transfer *t)
{
	t->created_ms = past_of(o, "created_at", now_ms);
	t->updated_ms = past_of(o, "updated_at", now_ms);
	if (t->updated_ms < t->created_ms)
		t->updated_ms = t->created_ms;
	if (t->updated_ms - t->created_ms > STATUS_FILE_LASTS_MAX_MS)
		t->created_ms = t->updated_ms;
	/* The history is in the order of ids. */
	id_at(t->created_ms, t->id);
}

/* One entry, but for its times; false when its name or state is none of
 * ours. */
static bool
entry(const char *name, const json_t *o, struct rec_transfer *t)
{
	const char *status = text_of(o, "status");
	const char *direction = text_of(o, "direction");
	struct err ignored = ERR_INIT;
	uint64_t priority = number_of(o, "priority", 0);

	memset(t, 0, sizeof(*t));
	if (status == NULL || !rec_status_of_name(status, &t->status))
		return false;
	if (filename_normalise(slice_str(name), &t->filename, &ignored) < 0)
		return false;
	/* What moved then moves no more. */
	if (!rec_status_is_ended(t->status))
		t->status = REC_INTERRUPTED;
	t->direction = direction != NULL && strcmp(direction, "download") == 0
	                   ? REC_DOWNLOAD
	                   : REC_UPLOAD;
	t->encryption = json_is_true(json_object_get(o, "encryption"));
	t->priority = priority <= LIMIT_PRIORITY ? (int)priority : 0;
	take_checksum(o, t);
	take_client(o, t);
	take_progress(o, t);
	return true;
}

int
status_file_parse(struct slice text, int64_t now_ms, rec_transfer_fn fn,
    void *arg, struct err *err)
{
	json_t *j = json_parse(text.p, text.n, err);
	json_t *transfers, *o;
	const char *name;
	int rc = -1;

	if (j == NULL)
		return -1;
	transfers = json_object_get(j, "transfers");
	if (!json_is_object(transfers)) {
		err_set(err, ERR_INVALID_JSON, "it has no object 'transfers'");
		goto out;
	}
	json_object_foreach(transfers, name, o)
	{
		struct rec_transfer t;
		int went = 0;

		if (entry(name, o, &t)) {
			take_times(o, now_ms, &t);
			went = fn(arg, &t, err);
		}
		rec_transfer_fini(&t);
		if (went < 0)
			goto out;
	}
	rc = 0;
out:
	json_decref(j);
	return rc;
}

/* --- the start --------------------------------------------------------------
 */

int
status_file_check(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	return err_set(err, ERR_SETTING,
	    "LOG_FILE is '%s', which is %s: it must be the path of a file",
	    path, S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
}

int
status_file_check_folder(const char *path, struct err *err)
{
	char *folder = file_folder(path);
	int rc = 0;

	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
		rc = err_set_errno(err, ERR_SETTING,
		    "LOG_FILE is '%s', whose folder '%s' must be there and "
		    "writable at the start",
		    path, folder);
	free(folder);
	return rc;
}

struct taken {
	struct rec_transfer *list;
	size_t count;
	int64_t now_ms;
};

static int
keep(void *arg, const struct rec_transfer *t, struct err *err)
{
	struct taken *k = arg;

	(void)err;
	/* Doubled at each power of two. */
	if ((k->count & (k->count - 1)) == 0)
		k->list = mem_realloc(k->list,
		    (k->count == 0 ? 1 : 2 * k->count) * sizeof(*k->list));
	rec_transfer_copy(&k->list[k->count++], t);
	return 0;
}

static void
taken_fini(struct taken *k)
{
	for (size_t i = 0; i < k->count; i++)
		rec_transfer_fini(&k->list[i]);
	free(k->list);
	k->list = NULL;
	k->count = 0;
}

static int
put_all(struct db_tx *tx, void *arg, struct err *err)
{
	const struct taken *k = arg;

	for (size_t i = 0; i < k->count; i++)
		if (rec_transfer_put(tx, &k->list[i], err) < 0)
			return -1;
	return 0;
}

static int
read_one(const char *path, struct taken *ret, struct err *err)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, STATUS_FILE_MAX);
	if (file_read_all(AT_FDCWD, path, &b, err) < 0)
		goto out;
	rc = status_file_parse(
	    (struct slice){ b.p, b.len }, ret->now_ms, keep, ret, err);
	if (rc < 0)
		taken_fini(ret);
out:
	buf_fini(&b);
	return rc;
}

static void
set_aside(const char *path, int64_t now_ms)
{
	char *name = mem_printf("%s.damaged-%" PRId64, path, now_ms / 1000);

	/* If it cannot be moved the next snapshot replaces it. */
	(void)rename(path, name);
	free(name);
}

int
status_file_load(struct engine *e, bool take_over, uint64_t *ret_taken,
    struct err *ret_damage, struct err *err)
{
	const char *path = e->settings->log_file;
	struct taken k = { .now_ms = clock_wall_ms(e->clock) };
	struct err e2 = ERR_INIT;
	char *backup;
	int rc = 0;

	err_clear(ret_damage);
	/* Again: the start has made directories since. */
	if (status_file_check(path, err) < 0)
		return -1;
	backup = mem_printf("%s.backup", path);
	if (read_one(path, &k, &e2) < 0 && e2.code != ERR_ABSENT) {
		*ret_damage = e2;
		set_aside(path, k.now_ms);
		err_clear(&e2);
		(void)read_one(backup, &k, &e2);
	}
	if (take_over && k.count > 0) {
		rc = db_write(e->db, put_all, &k, err);
		if (rc == 0)
			*ret_taken = k.count;
	}
	taken_fini(&k);
	free(backup);
	return rc;
}
