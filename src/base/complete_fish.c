/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/complete_priv.h"

/* By enum complete_kind: what stands for an option's value (-x: nothing else;
 * -F: files), and for an argument. */
static const struct {
	const char *value;
	const char *argument; /* NULL: nothing */
} kinds[COMPLETE_KINDS] = {
	{ "-x", NULL },
	{ "-r -F", "-F" },
	{ "-x -a '(__fish_complete_directories)'",
	    "-a '(__fish_complete_directories)'" },
	{ "-x -a '(__sft_names)'", "-a '(__sft_names)'" },
	{ "-x", "" },
};

/* 'text', as fish quotes it. */
static void
add_quoted(struct slice text, struct buf *b)
{
	size_t i;

	buf_append_char(b, '\'');
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '\'' || text.p[i] == '\\')
			buf_append_char(b, '\\');
		buf_append_char(b, text.p[i]);
	}
	buf_append_char(b, '\'');
}

/* -a 'name newest size' */
static void
add_choices(struct slice words, struct buf *b)
{
	struct slice word;

	buf_append_str(b, " -a '");
	while (slice_next(&words, '|', &word)) {
		buf_append_slice(b, word);
		buf_append_str(b, words.n > 0 ? " " : "'");
	}
}

/* "complete -c sft -n '__sft_is sft key list'" */
static void
add_head(const struct complete *c, const char *command, struct buf *b)
{
	const char *name = c->program->name;

	buf_printf(b, "complete -c %s", name);
	if (command != NULL)
		buf_printf(b, " -n '__sft_is %s%s%s'", name,
		    command[0] == '\0' ? "" : " ", command);
}

/* For one command; NULL: for all. */
static void
add_options(const struct complete *c, const char *command, const struct opt *o,
    struct buf *b)
{
	struct complete_value v;

	for (; o != NULL && o->name != NULL; o++) {
		add_head(c, command, b);
		buf_printf(b, " -l %s", o->name);
		if (o->letter != '\0')
			buf_printf(b, " -s %c", o->letter);
		if (o->kind != OPT_FLAG) {
			v = complete_option_value(c, o);
			buf_printf(b, " %s", kinds[v.kind].value);
			if (v.kind == COMPLETE_WORDS)
				add_choices(v.words, b);
		}
		buf_append_str(b, " -d ");
		add_quoted(slice_str(o->help), b);
		buf_append_char(b, '\n');
	}
}

static void
add(struct complete *c, const struct complete_command *command)
{
	struct slice args = slice_str(command->args);
	struct buf *b = &c->body;
	struct complete_value v;

	/* fish does not count: what is said of the first holds for all. */
	if (complete_next_arg(c, &args, &v) && kinds[v.kind].argument != NULL) {
		add_head(c, command->name, b);
		if (v.kind == COMPLETE_WORDS)
			add_choices(v.words, b);
		else
			buf_printf(b, " %s", kinds[v.kind].argument);
		buf_append_char(b, '\n');
	}
	add_options(c, command->name, command->options, b);
}

struct grouping {
	const struct complete *c;
	struct buf *b;
	const char *group;
};

static void
add_word(void *arg, struct slice word, const char *summary)
{
	const struct grouping *g = arg;

	add_head(g->c, g->group, g->b);
	buf_append_str(g->b, " -a ");
	buf_append_slice(g->b, word);
	buf_append_str(g->b, " -d ");
	add_quoted(slice_str(summary), g->b);
	buf_append_char(g->b, '\n');
}

static void
add_group(void *arg, const char *group)
{
	struct grouping *g = arg;

	g->group = group;
	complete_each_word(g->c, group, add_word, g);
}

static void
add_group_name(void *arg, const char *group)
{
	buf_printf(arg, " %s", group);
}

static void
add_variables(const struct complete *c, struct buf *b)
{
	const char *name = c->program->name;
	const struct opt *o;

	buf_printf(b, "\nset -g __sft_valued_%s", name);
	for (o = c->program->globals; o->name != NULL; o++) {
		if (o->kind != OPT_FLAG)
			buf_printf(b, " --%s", o->name);
	}
	buf_printf(b, "\nset -g __sft_groups_%s", name);
	complete_each_group(c, add_group_name, b);
	buf_append_char(b, '\n');
}

static void
write_script(struct complete *c, struct buf *b)
{
	const char *name = c->program->name;
	struct grouping g = { c, b, "" };

	buf_printf(b,
	    "# fish completion for %s\n"
	    "# Made by %s itself, of the tables that it parses its line by.\n",
	    name, name);
	buf_append_str(b, complete_engine_fish);
	add_variables(c, b);
	buf_printf(b, "\ncomplete -c %s -f\n", name);
	add_options(c, NULL, c->program->globals, b);
	buf_append_char(b, '\n');
	add_group(&g, "");
	complete_each_group(c, add_group, &g);
	buf_append_slice(b, buf_slice(&c->body));
}

const struct complete_shell complete_fish = { "fish", add, write_script };
