/* SPDX-License-Identifier: MIT */
#include "base/complete.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/complete_priv.h"
#include "base/mem.h"

static const struct complete_shell *const shells[] = {
	&complete_bash,
	&complete_zsh,
	&complete_fish,
};

/* How values are called, and what they are. */
static const struct {
	const char *title;
	enum complete_kind kind;
} titles[] = {
	{ "FILE", COMPLETE_FILE },
	{ "PATH", COMPLETE_FILE },
	{ "DIR", COMPLETE_DIR },
	{ "NAME", COMPLETE_NAME },
	{ "PREFIX", COMPLETE_NAME },
};

static const struct complete_shell *
find(const char *shell)
{
	size_t i;

	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i]->name, shell) == 0)
			return shells[i];
	}
	return NULL;
}

bool
complete_knows(const char *shell)
{
	return find(shell) != NULL;
}

struct complete *
complete_new(const char *shell, const struct complete_program *program)
{
	struct complete *c = mem_calloc(1, sizeof(*c));

	c->program = program;
	c->shell = find(shell);
	assert(c->shell != NULL);
	buf_init(&c->body, SIZE_MAX);
	return c;
}

void
complete_free(struct complete *c)
{
	if (c == NULL)
		return;
	buf_fini(&c->body);
	free(c);
}

void
complete_add(struct complete *c, const struct complete_command *command)
{
	assert(c->n < COMPLETE_COMMANDS_MAX);
	c->commands[c->n].name = command->name;
	c->commands[c->n++].summary = command->summary;
	c->shell->add(c, command);
}

void
complete_write(struct complete *c, struct buf *b)
{
	c->shell->write(c, b);
}

static enum complete_kind
kind_of(const struct complete *c, struct slice title)
{
	size_t i;

	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		if (!slice_eq_str(title, titles[i].title))
			continue;
		if (titles[i].kind == COMPLETE_NAME && !c->program->has_names)
			return COMPLETE_TEXT;
		return titles[i].kind;
	}
	return COMPLETE_TEXT;
}

struct complete_value
complete_option_value(const struct complete *c, const struct opt *o)
{
	struct complete_value v = { .title = slice_str(o->arg) };
	const struct opt_choice *choice = o->value;

	if (o->kind == OPT_CHOICE) {
		v.kind = COMPLETE_WORDS;
		v.words = slice_str(choice->words);
	} else {
		v.kind = kind_of(c, v.title);
	}
	return v;
}

bool
complete_next_arg(
    const struct complete *c, struct slice *args, struct complete_value *ret)
{
	struct slice word, first;

	memset(ret, 0, sizeof(*ret));
	if (!slice_next(args, ' ', &word))
		return false;
	if (word.n > 2 && word.p[0] == '[' && word.p[word.n - 1] == ']') {
		ret->may_miss = true;
		word = (struct slice){ word.p + 1, word.n - 2 };
	}
	if (word.n > 3 && memcmp(word.p + word.n - 3, "...", 3) == 0) {
		ret->is_repeated = true;
		word.n -= 3;
	}
	ret->words = word;
	(void)slice_next(&word, '|', &first);
	ret->title = first;
	ret->kind = kind_of(c, first);
	if (first.n != ret->words.n && first.p[0] >= 'a') {
		ret->kind = COMPLETE_WORDS;
		ret->title = ret->words;
	}
	return true;
}

/* The first word of a name behind ${group} and the blank after it; a null
 * slice when it is not of the group. */
static struct slice
word_behind(const char *name, const char *group)
{
	size_t n = strlen(group);
	struct slice word = SLICE_NULL;
	struct slice rest;

	if (n > 0 && (strncmp(name, group, n) != 0 || name[n] != ' '))
		return SLICE_NULL;
	rest = slice_str(n > 0 ? name + n + 1 : name);
	(void)slice_next(&rest, ' ', &word);
	return word;
}

/* "new, list, revoke" */
static void
add_words(const struct complete *c, const char *group, struct buf *b)
{
	struct slice word;
	size_t i;

	for (i = 0; i < c->n; i++) {
		word = word_behind(c->commands[i].name, group);
		if (word.n == 0)
			continue;
		buf_append_str(b, b->len == 0 ? "" : ", ");
		buf_append_slice(b, word);
	}
}

/* Did a command before the one at ${at} begin with ${word}, too? */
static bool
is_known(
    const struct complete *c, const char *group, size_t at, struct slice word)
{
	size_t i;

	for (i = 0; i < at; i++) {
		if (slice_eq(word_behind(c->commands[i].name, group), word))
			return true;
	}
	return false;
}

void
complete_each_word(const struct complete *c, const char *group,
    void (*each)(void *arg, struct slice word, const char *summary), void *arg)
{
	struct slice word;
	const char *name;
	struct buf sum;
	char *inner;
	size_t i;

	for (i = 0; i < c->n; i++) {
		name = c->commands[i].name;
		word = word_behind(name, group);
		if (word.n == 0 || is_known(c, group, i, word))
			continue;
		if (word.p + word.n == name + strlen(name)) {
			each(arg, word, c->commands[i].summary);
			continue;
		}
		inner = slice_dup(
		    (struct slice){ name, (size_t)(word.p - name) + word.n });
		buf_init(&sum, SIZE_MAX);
		add_words(c, inner, &sum);
		each(arg, word, buf_str(&sum));
		buf_fini(&sum);
		free(inner);
	}
}

void
complete_each_group(const struct complete *c,
    void (*each)(void *arg, const char *group), void *arg)
{
	const char *name;
	struct slice word;
	char *group;
	size_t i;

	for (i = 0; i < c->n; i++) {
		name = c->commands[i].name;
		word = word_behind(name, "");
		if (name[word.n] == '\0' || is_known(c, "", i, word))
			continue;
		group = slice_dup(word);
		each(arg, group);
		free(group);
	}
}

void
complete_id(const char *name, char ret[COMPLETE_ID_SIZE])
{
	size_t i;

	for (i = 0; name[i] != '\0' && i < COMPLETE_ID_SIZE - 1; i++)
		ret[i] = name[i] == ' ' || name[i] == '-' ? '_' : name[i];
	ret[i] = '\0';
}

void
complete_escape(struct slice text, const char *special, struct buf *b)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '\'') {
			buf_append_str(b, "'\\''");
			continue;
		}
		if (strchr(special, text.p[i]) != NULL)
			buf_append_char(b, '\\');
		buf_append_char(b, text.p[i]);
	}
}
