/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define HELP_WIDTH 80
#define HELP_INDENT_MAX 34 /* longer options get a line for themselves */

/* A walk over argv: at is the next to look at, nargs those kept. */
struct walk {
	const struct opt_input *in;
	int at;
	int nargs;
};

static void
keep(struct walk *w, char *arg)
{
	w->in->argv[1 + w->nargs++] = arg;
}

static void
keep_rest(struct walk *w)
{
	while (w->at < w->in->argc)
		keep(w, w->in->argv[w->at++]);
}

static const struct opt *
find_name(const struct opt *o, struct slice name)
{
	for (; o != NULL && o->name != NULL; o++) {
		if (slice_eq_str(name, o->name))
			return o;
	}
	return NULL;
}

static const struct opt *
find_letter(const struct opt *o, char letter)
{
	for (; o != NULL && o->name != NULL; o++) {
		if (o->letter != '\0' && o->letter == letter)
			return o;
	}
	return NULL;
}

static int
set_number(const struct opt *o, const char *text, struct err *err)
{
	struct slice s = slice_str(text);
	uint64_t v;
	bool ok;

	ok = o->kind == OPT_SIZE ? num_size(s, o->max, &v)
	                         : num_uint(s, o->max, &v);
	if (!ok || v < o->min)
		return err_set(err, ERR_USAGE,
		    "option '--%s' is '%.64s': it must be a %s from %" PRIu64
		    " to %" PRIu64,
		    o->name, text,
		    o->kind == OPT_SIZE ? "size in bytes, K, M or G"
		                        : "whole number",
		    o->min, o->max);
	*(uint64_t *)o->value = v;
	return 0;
}

/* "name, newest or size" */
static void
list_words(const char *words, char *ret, size_t n)
{
	struct slice rest = slice_str(words);
	struct slice word;
	size_t len = 0;

	ret[0] = '\0';
	while (slice_next(&rest, '|', &word) && len < n)
		len += (size_t)snprintf(ret + len, n - len, "%s%.*s",
		    len == 0      ? ""
		    : rest.n == 0 ? " or "
		                  : ", ",
		    (int)word.n, word.p);
}

static int
set_choice(const struct opt *o, const char *text, struct err *err)
{
	struct opt_choice *choice = o->value;
	struct slice rest = slice_str(choice->words);
	struct slice word;
	char list[256];

	while (slice_next(&rest, '|', &word)) {
		if (slice_eq_str(word, text)) {
			choice->value = text;
			return 0;
		}
	}
	list_words(choice->words, list, sizeof(list));
	return err_set(err, ERR_USAGE,
	    "option '--%s' is '%.64s': it must be %s", o->name, text, list);
}

/* ${text} is NULL for flags. */
static int
set_value(const struct opt *o, const char *text, struct err *err)
{
	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->value = true;
		break;
	case OPT_STR:
		*(const char **)o->value = text;
		break;
	case OPT_UINT:
	case OPT_SIZE:
		if (set_number(o, text, err) < 0)
			return -1;
		break;
	case OPT_CHOICE:
		if (set_choice(o, text, err) < 0)
			return -1;
		break;
	}
	if (o->given != NULL)
		*o->given = true;
	return 0;
}

/* The value is ${joined} to the option, or else the next word. */
static int
take_value(
    struct walk *w, const struct opt *o, const char *joined, struct err *err)
{
	if (joined == NULL && w->at == w->in->argc)
		return err_set(
		    err, ERR_USAGE, "option '--%s' needs a value", o->name);
	return set_value(
	    o, joined != NULL ? joined : w->in->argv[w->at++], err);
}

/* "--name" or "--name=value" */
static int
parse_long(struct walk *w, char *word, struct err *err)
{
	struct slice name = slice_str(word + 2);
	const char *equals = strchr(word, '=');
	const struct opt *o;

	if (equals != NULL)
		name.n = (size_t)(equals - name.p);
	o = find_name(w->in->table, name);
	if (o == NULL)
		o = find_name(w->in->more, name);
	if (o == NULL && w->in->keep_unknown) {
		keep(w, word);
		return 0;
	}
	if (o == NULL)
		return err_set(err, ERR_USAGE, "there is no option '--%.*s'",
		    (int)(name.n < 64 ? name.n : 64), name.p);
	if (o->kind != OPT_FLAG)
		return take_value(
		    w, o, equals == NULL ? NULL : equals + 1, err);
	if (equals != NULL)
		return err_set(
		    err, ERR_USAGE, "option '--%s' takes no value", o->name);
	return set_value(o, NULL, err);
}

/* "-qvo FILE": flags, the last letter may take a value. */
static int
parse_letters(struct walk *w, char *word, struct err *err)
{
	const struct opt *o;
	const char *p;

	for (p = word + 1; *p != '\0'; p++) {
		o = find_letter(w->in->table, *p);
		if (o == NULL)
			o = find_letter(w->in->more, *p);
		if (o == NULL && w->in->keep_unknown && p == word + 1) {
			keep(w, word);
			return 0;
		}
		if (o == NULL)
			return err_set(
			    err, ERR_USAGE, "there is no option '-%c'", *p);
		if (o->kind != OPT_FLAG)
			return take_value(
			    w, o, p[1] == '\0' ? NULL : p + 1, err);
		if (set_value(o, NULL, err) < 0)
			return -1;
	}
	return 0;
}

int
opt_parse(const struct opt_input *in, int *ret_nargs, struct err *err)
{
	struct walk w = { in, 1, 0 };
	char *word;

	while (w.at < in->argc) {
		word = in->argv[w.at++];
		if (word[0] != '-' || word[1] == '\0') {
			keep(&w, word);
			if (in->stop_at_first)
				keep_rest(&w);
		} else if (strcmp(word, "--") == 0) {
			if (in->keep_unknown)
				keep(&w, word);
			keep_rest(&w);
		} else if (word[1] == '-') {
			if (parse_long(&w, word, err) < 0)
				return -1;
		} else if (parse_letters(&w, word, err) < 0) {
			return -1;
		}
	}
	/* Without a word, not even a program's name, there is no room. */
	if (in->argc > 0)
		in->argv[1 + w.nargs] = NULL;
	*ret_nargs = w.nargs;
	return 0;
}

/* "  -o, --output FILE" */
static int
head(const struct opt *o, char *ret, size_t n)
{
	char letter[8] = "    ";

	if (o->letter != '\0')
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	return snprintf(ret, n, "  %s--%s%s%s", letter, o->name,
	    o->arg == NULL ? "" : " ", o->arg == NULL ? "" : o->arg);
}

/* Words of ${text} from column ${indent} on; the first line is there. */
static void
wrap(struct buf *b, const char *text, int indent)
{
	struct slice rest = slice_str(text);
	struct slice word;
	int column = indent;

	while (slice_next(&rest, ' ', &word)) {
		if (column > indent &&
		    column + 1 + (int)word.n > HELP_WIDTH - 1) {
			buf_printf(b, "\n%*s", indent, "");
			column = indent;
		}
		if (column > indent) {
			buf_append_char(b, ' ');
			column++;
		}
		buf_append_slice(b, word);
		column += (int)word.n;
	}
	buf_append_char(b, '\n');
}

void
opt_help(const struct opt *table, struct buf *b)
{
	const struct opt *o;
	char text[HELP_WIDTH];
	int indent = 0;
	int n;

	for (o = table; o->name != NULL; o++) {
		n = o->help == NULL ? 0 : head(o, text, sizeof(text)) + 2;
		if (n > indent && n <= HELP_INDENT_MAX)
			indent = n;
	}
	if (indent == 0)
		indent = HELP_INDENT_MAX;
	for (o = table; o->name != NULL; o++) {
		if (o->help == NULL)
			continue;
		n = head(o, text, sizeof(text));
		buf_append_str(b, text);
		if (n + 2 > indent)
			buf_printf(b, "\n%*s", indent, "");
		else
			buf_printf(b, "%*s", indent - n, "");
		wrap(b, o->help, indent);
	}
}
