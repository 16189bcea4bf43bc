/* SPDX-License-Identifier: MIT */
#include "base/complete_priv.h"

/* By enum complete_kind; words stand for themselves. */
static const char *const kinds[COMPLETE_KINDS] = { "@", "@file", "@dir",
	"@name", "" };

static void
add_kind(struct buf *b, const struct complete_value *v)
{
	buf_append_str(b, kinds[v->kind]);
	if (v->kind == COMPLETE_WORDS)
		buf_append_slice(b, v->words);
}

/* "--sort=name|newest|size --names -1" */
static void
add_options(const struct complete *c, const struct opt *o, struct buf *b)
{
	struct complete_value v;
	int i;

	for (; o != NULL && o->name != NULL; o++) {
		for (i = 0; i < (o->letter == '\0' ? 1 : 2); i++) {
			buf_append_str(b, "\n\t\t\t");
			if (i == 0)
				buf_printf(b, "--%s", o->name);
			else
				buf_printf(b, "-%c", o->letter);
			if (o->kind == OPT_FLAG)
				continue;
			v = complete_option_value(c, o);
			buf_append_char(b, '=');
			add_kind(b, &v);
		}
	}
}

static void
add(struct complete *c, const struct complete_command *command)
{
	struct slice args = slice_str(command->args);
	struct complete_value v;
	struct buf *b = &c->body;

	buf_printf(b, "\t'%s')\n\t\targs='", command->name);
	while (complete_next_arg(c, &args, &v)) {
		add_kind(b, &v);
		buf_append_str(b, v.is_repeated ? "..." : "");
		buf_append_str(b, args.n > 0 ? " " : "");
	}
	buf_append_str(b, "'\n\t\toptions='");
	add_options(c, command->options, b);
	buf_append_str(b, "'\n\t\t;;\n");
}

static void
add_word(void *arg, struct slice word, const char *summary)
{
	(void)summary;
	buf_append_char(arg, ' ');
	buf_append_slice(arg, word);
}

/* The words of a group, whose name is a word as well. */
struct grouping {
	const struct complete *c;
	struct buf *b;
};

static void
add_group(void *arg, const char *group)
{
	const struct grouping *g = arg;

	buf_printf(g->b, "\t'%s')\n\t\tcommands='", group);
	complete_each_word(g->c, group, add_word, g->b);
	buf_append_str(g->b, "'\n\t\t;;\n");
}

static void
write_script(struct complete *c, struct buf *b)
{
	const char *name = c->program->name;
	struct grouping g = { c, b };

	buf_printf(b,
	    "# bash completion for %s -*- shell-script -*-\n"
	    "# Made by %s itself, of the tables that it parses its line by.\n",
	    name, name);
	buf_append_str(b, complete_engine_bash);
	buf_printf(b,
	    "\n_%s_takes()\n{\n\targs= options= commands=\n\tcase $1 in\n"
	    "\t--)\n\t\toptions='",
	    name);
	add_options(c, c->program->globals, b);
	buf_append_str(b, "'\n\t\t;;\n");
	add_group(&g, "");
	complete_each_group(c, add_group, &g);
	buf_append_slice(b, buf_slice(&c->body));
	buf_printf(b,
	    "\tesac\n}\n\n_%s()\n{\n\t__sft_complete %s \"$1\"\n}\n\n"
	    "complete -F _%s %s\n",
	    name, name, name, name);
}

const struct complete_shell complete_bash = { "bash", add, write_script };
