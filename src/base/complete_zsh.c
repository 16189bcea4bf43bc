/* SPDX-License-Identifier: MIT */
#include "base/complete_priv.h"

/* By enum complete_kind. */
static const char *const actions[COMPLETE_KINDS] = { " ", "_files", "_files -/",
	"__sft_names", "" };

/* ":FILE:_files" */
static void
add_value(struct buf *b, const struct complete_value *v)
{
	struct slice words = v->words;
	struct slice word;

	buf_append_char(b, ':');
	complete_escape(v->title, "\\:", b);
	buf_append_char(b, ':');
	buf_append_str(b, actions[v->kind]);
	if (v->kind != COMPLETE_WORDS)
		return;
	buf_append_char(b, '(');
	while (slice_next(&words, '|', &word)) {
		buf_append_slice(b, word);
		buf_append_str(b, words.n > 0 ? " " : ")");
	}
}

/* '(-o --output)--output=[where to]:FILE:_files', and for the letter */
static void
add_option(const struct complete *c, const struct opt *o, bool is_letter,
    struct buf *b)
{
	struct complete_value v;

	buf_append_str(b, " \\\n\t\t'");
	if (o->letter != '\0')
		buf_printf(b, "(-%c --%s)", o->letter, o->name);
	if (is_letter)
		buf_printf(
		    b, "-%c%s", o->letter, o->kind == OPT_FLAG ? "" : "+");
	else
		buf_printf(
		    b, "--%s%s", o->name, o->kind == OPT_FLAG ? "" : "=");
	buf_append_char(b, '[');
	complete_escape(slice_str(o->help), "\\[]:", b);
	buf_append_char(b, ']');
	if (o->kind != OPT_FLAG) {
		v = complete_option_value(c, o);
		add_value(b, &v);
	}
	buf_append_char(b, '\'');
}

static void
add_options(const struct complete *c, const struct opt *o, struct buf *b)
{
	for (; o != NULL && o->name != NULL; o++) {
		if (o->letter != '\0')
			add_option(c, o, true, b);
		add_option(c, o, false, b);
	}
}

static void
add_arguments(const struct complete *c, struct slice args, struct buf *b)
{
	struct complete_value v;
	int i;

	for (i = 1; complete_next_arg(c, &args, &v); i++) {
		buf_append_str(b, " \\\n\t\t'");
		if (v.is_repeated)
			buf_append_char(b, '*');
		else
			buf_printf(b, "%d%s", i, v.may_miss ? ":" : "");
		add_value(b, &v);
		buf_append_char(b, '\'');
	}
}

static void
add(struct complete *c, const struct complete_command *command)
{
	char id[COMPLETE_ID_SIZE];

	complete_id(command->name, id);
	buf_printf(&c->body,
	    "\n_%s_command_%s()\n{\n\t_arguments -s -S : $globals",
	    c->program->name, id);
	add_options(c, command->options, &c->body);
	add_arguments(c, slice_str(command->args), &c->body);
	buf_append_str(&c->body, "\n}\n");
}

static void
add_word(void *arg, struct slice word, const char *summary)
{
	buf_append_str(arg, "\n\t\t\t'");
	complete_escape(word, "\\:", arg);
	buf_append_char(arg, ':');
	complete_escape(slice_str(summary), "\\", arg);
	buf_append_char(arg, '\'');
}

struct grouping {
	const struct complete *c;
	struct buf *b;
};

static void
add_words(void *arg, const char *group)
{
	const struct grouping *g = arg;

	buf_printf(g->b, "\t'%s')\n\t\tfound=(", group);
	complete_each_word(g->c, group, add_word, g->b);
	buf_append_str(g->b, "\n\t\t)\n\t\t;;\n");
}

static void
add_group(void *arg, const char *group)
{
	const struct grouping *g = arg;

	buf_printf(g->b, "\n_%s_command_%s()\n{\n\t__sft_walk %s\n}\n",
	    g->c->program->name, group, group);
}

/* The options that are told to who is asked for names. */
static void
add_given(const struct opt *o, struct buf *b)
{
	buf_append_str(b, "\t__sft_given");
	for (; o->name != NULL; o++) {
		if (o->kind != OPT_FLAG)
			buf_printf(b, " --%s", o->name);
	}
	buf_append_char(b, '\n');
}

static void
write_script(struct complete *c, struct buf *b)
{
	const char *name = c->program->name;
	struct grouping g = { c, b };

	buf_printf(b,
	    "#compdef %s\n"
	    "# Made by %s itself, of the tables that it parses its line by.\n",
	    name, name);
	buf_append_str(b, complete_engine_zsh);
	buf_printf(b, "\n_%s_words()\n{\n\tcase $1 in\n", name);
	add_words(&g, "");
	complete_each_group(c, add_words, &g);
	buf_append_str(b, "\tesac\n}\n");
	complete_each_group(c, add_group, &g);
	buf_append_slice(b, buf_slice(&c->body));
	buf_printf(b,
	    "\n_%s()\n{\n"
	    "\tlocal prefix=%s program=${${(Q)words[1]}/#\\~\\//$HOME/}\n"
	    "\tlocal -a given globals\n\n\tglobals=(",
	    name, name);
	add_options(c, c->program->globals, b);
	buf_append_str(b, "\n\t)\n");
	add_given(c->program->globals, b);
	buf_printf(b,
	    "\t__sft_walk ''\n}\n\n"
	    "# Loaded by compinit or sourced.\n"
	    "if [[ $funcstack[1] == _%s ]]; then\n\t_%s \"$@\"\n"
	    "else\n\tcompdef _%s %s\nfi\n",
	    name, name, name, name);
}

const struct complete_shell complete_zsh = { "zsh", add, write_script };
