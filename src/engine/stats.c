/* SPDX-License-Identifier: MIT */
#include "engine/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define MIB (1024.0 * 1024.0)

void
stats_fini(struct stats *s)
{
	free(s->types);
	memset(s, 0, sizeof(*s));
}

static int
check_who(const struct principal *who, struct err *err)
{
	if (who->prefix[0] == '\0')
		return 0;
	return err_set(err, ERR_FORBIDDEN,
	    "this key knows only names that begin with '%s', and sums are of "
	    "all",
	    who->prefix);
}

/* --- sums ----------------------------------------------------------------- */

/* "upload.completed" and its like: which direction and state. */
static bool
is_state(const char *name, struct stats *s, uint64_t n)
{
	bool is_upload = strncmp(name, "upload.", 7) == 0;
	const char *state;

	if (!is_upload && strncmp(name, "download.", 9) != 0)
		return false;
	state = strchr(name, '.') + 1;
	*(is_upload ? &s->uploads : &s->downloads) += n;
	if (strcmp(state, rec_status_name(REC_COMPLETED)) == 0)
		s->completed += n;
	else if (strcmp(state, rec_status_name(REC_FAILED)) == 0)
		s->failed += n;
	return true;
}

static void
add_type(struct stats *s, const char *extension, uint64_t n)
{
	struct stats_type *t;

	/* Doubled at each power of two. */
	if ((s->type_count & (s->type_count - 1)) == 0)
		s->types = mem_realloc(
		    s->types, (s->type_count == 0 ? 1 : 2 * s->type_count) *
		                  sizeof(*s->types));
	t = &s->types[s->type_count++];
	memset(t, 0, sizeof(*t));
	memcpy(t->extension, extension, strlen(extension));
	t->uploads = n;
}

static int
take(void *arg, const char *name, int64_t value, struct err *err)
{
	static const size_t type_n = sizeof(REC_COUNTER_TYPE) - 1;
	struct stats *s = arg;
	uint64_t n = value > 0 ? (uint64_t)value : 0;

	(void)err;
	if (is_state(name, s, n))
		return 0;
	if (strcmp(name, "rows") == 0)
		s->transfers = n;
	else if (strncmp(name, "bytes.", 6) == 0)
		s->bytes += n;
	else if (strncmp(name, "us.", 3) == 0)
		s->seconds += (double)n / 1e6;
	else if (strcmp(name, "encrypted") == 0)
		s->encrypted = n;
	else if (n > 0 && strncmp(name, REC_COUNTER_TYPE, type_n) == 0)
		add_type(s, name + type_n, n);
	return 0;
}

static int
read_all(struct db_tx *tx, void *arg, struct err *err)
{
	static const char *const sums[] = { "bytes.", "download.", "encrypted",
		"rows", REC_COUNTER_TYPE, "upload.", "us." };
	struct stats *s = arg;

	/* All but those of the days. */
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		if (rec_counter_each(tx, sums[i], take, s, err) < 0)
			return -1;
	return rec_client_count(tx, &s->clients, err);
}

static void
count_live(void *arg, struct transfer_view *v)
{
	struct stats *s = arg;

	if (v->rec.status != REC_QUEUED && !rec_status_is_ended(v->rec.status))
		s->active++;
}

int
stats_get(struct engine *e, const struct principal *who, struct stats *ret,
    struct err *err)
{
	unsigned waiting, held;

	memset(ret, 0, sizeof(*ret));
	if (check_who(who, err) < 0)
		return -1;
	if (db_read(e->db, read_all, ret, err) < 0) {
		stats_fini(ret);
		return -1;
	}
	transfers_each(e->transfers, "", count_live, ret);
	/* Also those whose names are not known yet. */
	sched_counts(e->sched, &waiting, &held);
	ret->queued = waiting;
	return 0;
}

static json_t *
types_json(const struct stats *s)
{
	json_t *types = json_object();

	for (size_t i = 0; i < s->type_count; i++)
		json_object_set_new(types, s->types[i].extension,
		    json_integer((json_int_t)s->types[i].uploads));
	return types;
}

json_t *
stats_json(const struct stats *s, uint64_t uptime_s)
{
	uint64_t ended = s->completed + s->failed;
	double rate =
	    ended == 0 ? 100.0 : 100.0 * (double)s->completed / (double)ended;
	double mb = (double)s->bytes / MIB;

	return json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:f, s:f, s:I, s:o, "
	                 "s:I, s:I, s:I, s:I, s:I}",
	    "total_transfers", (json_int_t)s->transfers, "total_bytes",
	    (json_int_t)s->bytes, "total_size_mb", mb, "completed_count",
	    (json_int_t)s->completed, "failed_count", (json_int_t)s->failed,
	    "active_count", (json_int_t)s->active, "success_rate", rate,
	    "average_speed_mbps", s->seconds > 0 ? mb / s->seconds : 0.0,
	    "total_clients", (json_int_t)s->clients, "file_types",
	    types_json(s), "encrypted_count", (json_int_t)s->encrypted,
	    "queue_length", (json_int_t)s->queued, "uptime_seconds",
	    (json_int_t)uptime_s, "uploads", (json_int_t)s->uploads,
	    "downloads", (json_int_t)s->downloads);
}

/* --- clients -------------------------------------------------------------- */

void
stats_clients_fini(struct stats_clients *c)
{
	for (size_t i = 0; i < c->count; i++) {
		for (size_t j = 0; j < c->list[i].file_count; j++)
			free(c->list[i].files[j]);
		free(c->list[i].files);
		rec_client_fini(&c->list[i].rec);
	}
	free(c->list);
	memset(c, 0, sizeof(*c));
}

static int
take_client(void *arg, const struct rec_client *c, struct err *err)
{
	struct stats_clients *all = arg;
	struct stats_client *one = &all->list[all->count++];

	(void)err;
	one->rec = *c;
	one->rec.ip = mem_strdup(c->ip);
	one->rec.id = mem_strdup(c->id);
	one->rec.agent = mem_strdup(c->agent);
	return 0;
}

struct files {
	struct stats_client *client;
	struct map *seen;
};

static int
take_file(void *arg, const char *filename, struct err *err)
{
	struct files *f = arg;
	struct stats_client *c = f->client;

	(void)err;
	if (map_put(f->seen, slice_str(filename), f) != NULL)
		return 0;
	c->files[c->file_count++] = mem_strdup(filename);
	return c->file_count == STATS_FILES_MAX ? 1 : 0;
}

static int
read_files(struct db_tx *tx, struct stats_client *c, struct err *err)
{
	struct files f = { c, map_new() };
	int rc;

	c->files = mem_calloc(STATS_FILES_MAX, sizeof(char *));
	rc = rec_client_each_file(tx, &c->rec, take_file, &f, err);
	map_free(f.seen);
	return rc;
}

static int
read_clients(struct db_tx *tx, void *arg, struct err *err)
{
	struct stats_clients *all = arg;

	if (rec_client_each(tx, STATS_CLIENTS_MAX, take_client, all, err) < 0)
		return -1;
	for (size_t i = 0; i < all->count; i++)
		if (read_files(tx, &all->list[i], err) < 0)
			return -1;
	return 0;
}

int
stats_get_clients(struct engine *e, const struct principal *who,
    struct stats_clients *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (check_who(who, err) < 0)
		return -1;
	ret->list = mem_calloc(STATS_CLIENTS_MAX, sizeof(*ret->list));
	if (db_read(e->db, read_clients, ret, err) < 0) {
		stats_clients_fini(ret);
		return -1;
	}
	return 0;
}
