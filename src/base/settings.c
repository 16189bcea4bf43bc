/* SPDX-License-Identifier: MIT */
#include "base/settings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/envfile.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/settings_priv.h"
#include "base/utf8.h"

#define CONFIG_MAX ((size_t)256 * 1024)
#define SHOWN_MAX 64 /* of a bad value */

/* A text somebody gave, owned; later and stronger sources replace it. */
struct given {
	char *text;        /* NULL: nobody did */
	const char *where; /* the file, or NULL */
	unsigned line;     /* in the file */
};

/* By row; the alias is weaker than the name, wherever that comes from. */
struct given_row {
	struct given by_name;
	struct given by_alias;
};

struct load {
	const struct settings_input *in;
	const struct settings_file *file;
	struct given_row *rows;
};

static void
give(struct given *g, const char *text)
{
	if (g->text != NULL)
		mem_wipe(g->text, strlen(g->text));
	free(g->text);
	*g = (struct given){ .text = mem_strdup(text) };
}

static void
free_rows(struct given_row *rows)
{
	size_t i;

	for (i = 0; i < settings_n_rows; i++) {
		give(&rows[i].by_name, NULL);
		give(&rows[i].by_alias, NULL);
	}
	free(rows);
}

/* Where the value of ${name} belongs, NULL when it is no setting. */
static struct given *
find(struct load *l, struct slice name)
{
	const struct settings_row *row;
	size_t i;

	for (i = 0; i < settings_n_rows; i++) {
		row = &settings_rows[i];
		if (slice_eq_str(name, row->name))
			return &l->rows[i].by_name;
		if (row->alias != NULL && slice_eq_str(name, row->alias))
			return &l->rows[i].by_alias;
	}
	return NULL;
}

static int
add_line(void *arg, const struct envfile_line *line, struct err *err)
{
	struct load *l = arg;
	struct given *g = find(l, slice_str(line->name));

	if (g == NULL)
		return err_set(err, ERR_SETTING,
		    "line %u: there is no setting '%.64s'", line->number,
		    line->name);
	give(g, line->value);
	g->where = l->file->path;
	g->line = line->number;
	return 0;
}

static int
add_file(struct load *l, struct err *err)
{
	struct err inner = ERR_INIT;

	if (l->file == NULL ||
	    envfile_parse(l->file->text, add_line, l, &inner) == 0)
		return 0;
	return err_set(err, inner.code, "'%s', %s", l->file->path, inner.msg);
}

/* The environment is everybody's: names that are no settings are skipped. */
static void
add_env(struct load *l)
{
	char *const *env;
	const char *equals;
	struct given *g;

	for (env = l->in->env; env != NULL && *env != NULL; env++) {
		equals = strchr(*env, '=');
		if (equals == NULL)
			continue;
		g = find(l, (struct slice){ *env, (size_t)(equals - *env) });
		if (g != NULL)
			give(g, equals + 1);
	}
}

/* An option for every row and every alias. */
struct option {
	char name[SETTINGS_OPTION_SIZE];
	size_t row;
	const char *value; /* in argv; NULL: not given */
};

struct options {
	struct option *list;
	struct opt *table;
	size_t n;
};

static void
add_option(struct options *o, size_t row, const char *setting)
{
	struct option *option = &o->list[o->n];

	settings_option_name(setting, option->name);
	option->row = row;
	o->table[o->n].name = option->name;
	o->table[o->n].kind = OPT_STR;
	o->table[o->n].value = &option->value;
	o->n++;
}

static void
init_options(struct options *o)
{
	const struct settings_row *row;
	size_t i;

	o->n = 0;
	o->list = mem_calloc(settings_n_rows * 2, sizeof(o->list[0]));
	o->table = mem_calloc(settings_n_rows * 2 + 1, sizeof(o->table[0]));
	for (i = 0; i < settings_n_rows; i++) {
		row = &settings_rows[i];
		add_option(o, i, row->name);
		if (row->alias != NULL)
			add_option(o, i, row->alias);
	}
}

static void
fini_options(struct options *o)
{
	free(o->list);
	free(o->table);
}

static void
take_option(struct load *l, const struct option *option)
{
	if (option->value == NULL)
		return;
	give(&l->rows[option->row].by_name, option->value);
	/* It points into argv, which is ours to change. */
	if (settings_rows[option->row].is_secret)
		memset((char *)(uintptr_t)option->value, 'x',
		    strlen(option->value));
}

/* Options win over everything, so an alias is as good as the name. */
static int
add_options(struct load *l, int *ret_nargs, struct err *err)
{
	struct options o;
	struct opt_input in = {
		.argc = l->in->argc,
		.argv = l->in->argv,
		.keep_unknown = true,
	};
	size_t i;
	int rc;

	init_options(&o);
	in.table = o.table;
	rc = opt_parse(&in, ret_nargs, err);
	for (i = 0; rc == 0 && i < o.n; i++)
		take_option(l, &o.list[i]);
	fini_options(&o);
	return rc;
}

/* "'FILE', line 3: " for a value of a file, else nothing. */
static void
print_place(const struct given *g, struct buf *b)
{
	if (g->where != NULL)
		buf_printf(b, "'%s', line %u: ", g->where, g->line);
}

/* "NAME is 'value'", without what is secret or would break the line. */
static void
print_value(const struct settings_row *row, const char *name, const char *text,
    struct buf *b)
{
	size_t n;

	if (row->is_secret) {
		buf_printf(b, "%s (not shown)", name);
		return;
	}
	n = utf8_cut((struct slice){ text, strnlen(text, SHOWN_MAX) });
	buf_printf(b, "%s is '", name);
	for (; n > 0; n--, text++) {
		buf_append_char(b,
		    (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
	}
	buf_append_str(b, *text == '\0' ? "'" : "...'");
}

/* ${row}'s value ${g} is bad: because of its form, or (${is_not_built})
 * because it is not the default. */
static int
fail(const struct settings_row *row, const char *name, const struct given *g,
    bool is_not_built, struct err *err)
{
	struct buf b;

	buf_init(&b, ERR_MSG_MAX * 2);
	print_place(g, &b);
	print_value(row, name, g->text, &b);
	if (!is_not_built) {
		buf_append_str(&b, ": it must be ");
		settings_value_describe(row, &b);
	} else {
		buf_printf(&b,
		    ": this version cannot do that yet; leave it at '%s'",
		    row->fallback);
	}
	err_set(err, ERR_SETTING, "%s", buf_str(&b));
	buf_fini(&b);
	return -1;
}

/* Sets one member of ${s}; its default is in ${defaults}. */
static int
apply_row(struct load *l, size_t i, struct settings *s,
    const struct settings *defaults, struct err *err)
{
	const struct settings_row *row = &settings_rows[i];
	const struct given *g = &l->rows[i].by_name;
	const char *name = row->name;

	if (g->text == NULL && l->rows[i].by_alias.text != NULL) {
		g = &l->rows[i].by_alias;
		name = row->alias;
	}
	if (g->text == NULL) {
		(void)settings_value_set(row, s, row->fallback);
		return 0;
	}
	if (!settings_value_set(row, s, g->text))
		return fail(row, name, g, false, err);
	if (row->is_not_built && !settings_value_eq(row, s, defaults))
		return fail(row, name, g, true, err);
	return 0;
}

static int
apply(struct load *l, struct settings *ret_settings, struct err *err)
{
	struct settings defaults = { 0 };
	struct settings s = { 0 };
	int rc = 0;
	size_t i;

	for (i = 0; i < settings_n_rows; i++) {
		(void)settings_value_set(
		    &settings_rows[i], &defaults, settings_rows[i].fallback);
	}
	for (i = 0; rc == 0 && i < settings_n_rows; i++)
		rc = apply_row(l, i, &s, &defaults, err);
	settings_fini(&defaults);
	if (rc < 0)
		settings_fini(&s);
	else
		*ret_settings = s;
	return rc;
}

int
settings_load_text(struct settings *ret_settings,
    const struct settings_input *in, const struct settings_file *file,
    int *ret_nargs, struct err *err)
{
	struct load l = { .in = in, .file = file };
	int nargs = 0;
	int rc = -1;

	l.rows = mem_calloc(settings_n_rows, sizeof(l.rows[0]));
	if (add_file(&l, err) < 0)
		goto out;
	add_env(&l);
	if (add_options(&l, &nargs, err) < 0)
		goto out;
	rc = apply(&l, ret_settings, err);
	if (rc == 0)
		*ret_nargs = nargs;
out:
	free_rows(l.rows);
	return rc;
}

int
settings_load(struct settings *ret_settings, const struct settings_input *in,
    int *ret_nargs, struct err *err)
{
	struct settings_file file;
	struct buf b;
	int rc = -1;

	buf_init(&b, CONFIG_MAX);
	if (in->config == NULL) {
		rc = settings_load_text(ret_settings, in, NULL, ret_nargs, err);
		goto out;
	}
	/* At once: what is moved as it grows leaves its secrets behind. */
	(void)buf_reserve(&b, CONFIG_MAX);
	if (file_read_all(AT_FDCWD, in->config, &b, err) < 0)
		goto out;
	file = (struct settings_file){ in->config, buf_slice(&b) };
	rc = settings_load_text(ret_settings, in, &file, ret_nargs, err);
out:
	if (b.p != NULL)
		mem_wipe(b.p, b.cap);
	buf_fini(&b);
	return rc;
}

void
settings_fini(struct settings *s)
{
	size_t i;

	for (i = 0; i < settings_n_rows; i++)
		settings_value_fini(&settings_rows[i], s);
}
