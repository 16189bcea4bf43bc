/* SPDX-License-Identifier: MIT */
#include "sft/walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "proto/filename.h"

static void
failed(struct walk *w, const char *path, const struct err *err)
{
	w->failed(w->arg, path, err);
}

static void
failed_errno(struct walk *w, const char *path)
{
	enum err_code code = errno == ENOENT ? ERR_ABSENT : ERR_IO;
	struct err e = ERR_INIT;

	(void)err_set_errno(&e, code, "cannot be read");
	failed(w, path, &e);
}

/* --- files ---------------------------------------------------------------- */

static void
add_file(struct walk *w, const char *path, const char *name, uint64_t size)
{
	struct err e = ERR_INIT;
	char *valid;

	if (access(path, R_OK) < 0) {
		failed_errno(w, path);
		return;
	}
	if (filename_normalise(slice_str(name), &valid, &e) < 0) {
		failed(w, path, &e);
		return;
	}
	if (w->count == w->capacity) {
		w->capacity = w->capacity == 0 ? 16 : 2 * w->capacity;
		w->files =
		    mem_realloc(w->files, w->capacity * sizeof(*w->files));
	}
	w->files[w->count++] = (struct walk_file){
		.path = mem_strdup(path),
		.name = valid,
		.size = size,
	};
}

/* --- folders -------------------------------------------------------------- */

struct folder {
	char *path;
	char *name; /* "": what is in it has no folder's name in front */
};

/* Those that wait; the last is the next. */
struct folders {
	struct folder *list;
	size_t count;
	size_t capacity;
};

static void
push(struct folders *fs, const char *path, const char *name)
{
	if (fs->count == fs->capacity) {
		fs->capacity = fs->capacity == 0 ? 16 : 2 * fs->capacity;
		fs->list =
		    mem_realloc(fs->list, fs->capacity * sizeof(*fs->list));
	}
	fs->list[fs->count++] =
	    (struct folder){ mem_strdup(path), mem_strdup(name) };
}

/* What is called ${entry} in a folder: a file, a folder for later, or neither.
 */
static void
add_entry(struct walk *w, struct folders *fs, const struct folder *in,
    const char *entry)
{
	char *path = mem_printf("%s/%s", in->path, entry);
	char *name = in->name[0] == '\0' ? mem_strdup(entry)
	                                 : mem_printf("%s/%s", in->name, entry);
	struct stat own, st;

	if (lstat(path, &own) < 0 || stat(path, &st) < 0)
		failed_errno(w, path);
	else if (S_ISREG(st.st_mode))
		add_file(w, path, name, (uint64_t)st.st_size);
	else if (S_ISDIR(st.st_mode) && S_ISLNK(own.st_mode))
		w->skipped(w->arg, path, "a symbolic link to a folder");
	else if (S_ISDIR(st.st_mode))
		push(fs, path, name);
	else
		w->skipped(w->arg, path, "neither a file nor a folder");
	free(name);
	free(path);
}

static int
is_entry(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* By the bytes of their names, in every language alike. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
read_folder(struct walk *w, struct folders *fs, const struct folder *in)
{
	struct dirent **entries;
	size_t first = fs->count;
	int n = scandir(in->path, &entries, is_entry, by_name);

	if (n < 0) {
		failed_errno(w, in->path);
		return;
	}
	for (int i = 0; i < n; i++) {
		add_entry(w, fs, in, entries[i]->d_name);
		free(entries[i]);
	}
	free((void *)entries);
	/* The last is the next: so the first becomes that. */
	for (size_t end = fs->count; end > first + 1; first++, end--) {
		struct folder one = fs->list[first];

		fs->list[first] = fs->list[end - 1];
		fs->list[end - 1] = one;
	}
}

static void
add_folder(struct walk *w, const char *path, const char *name)
{
	struct folders fs = { .list = NULL };

	push(&fs, path, name);
	while (fs.count > 0) {
		struct folder next = fs.list[--fs.count];

		read_folder(w, &fs, &next);
		free(next.path);
		free(next.name);
	}
	free(fs.list);
}

/* --- what is named -------------------------------------------------------- */

/* The last segment, for free(); "" when it says nothing. */
static char *
last_segment(const char *path)
{
	struct slice name = slice_str(path);
	struct slice last;

	while (name.n > 0 && name.p[name.n - 1] == '/')
		name.n--;
	last = name;
	for (size_t i = name.n; i > 0 && name.p[i - 1] != '/'; i--)
		last = (struct slice){ name.p + i - 1, name.n - i + 1 };
	if (name.n == 0 || slice_eq_str(last, ".") || slice_eq_str(last, ".."))
		return mem_strdup("");
	return slice_dup(last);
}

void
walk_add(struct walk *w, const char *path)
{
	char *name = last_segment(path);
	struct stat st;

	if (stat(path, &st) < 0)
		failed_errno(w, path);
	else if (S_ISDIR(st.st_mode))
		add_folder(w, path, name);
	else if (S_ISREG(st.st_mode))
		add_file(w, path, name, (uint64_t)st.st_size);
	else
		w->skipped(w->arg, path, "neither a file nor a folder");
	free(name);
}

int
walk_check(const struct walk *w, struct err *err)
{
	struct map *names = map_new();
	int rc = 0;

	for (size_t i = 0; i < w->count && rc == 0; i++) {
		const struct walk_file *f = &w->files[i];
		const struct walk_file *other =
		    map_put(names, slice_str(f->name), (void *)f);

		if (other != NULL)
			rc = err_set(err, ERR_USAGE,
			    "'%.64s' and '%.64s' would both be called "
			    "'%.64s' on the server: send them in two batches",
			    other->path, f->path, f->name);
	}
	map_free(names);
	return rc;
}

uint64_t
walk_bytes(const struct walk *w)
{
	uint64_t n = 0;

	for (size_t i = 0; i < w->count; i++)
		n += w->files[i].size;
	return n;
}

void
walk_fini(struct walk *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->files[i].path);
		free(w->files[i].name);
	}
	free(w->files);
	w->files = NULL;
	w->count = w->capacity = 0;
}
