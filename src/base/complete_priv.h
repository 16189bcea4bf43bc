/* SPDX-License-Identifier: MIT */
#ifndef BASE_COMPLETE_PRIV_H
#define BASE_COMPLETE_PRIV_H

/* What the scripts of all shells are made with; each shell has a file. */

#include <stddef.h>

#include "base/complete.h"
#include "base/slice.h"

#define COMPLETE_COMMANDS_MAX 64
#define COMPLETE_ID_SIZE 64

/* What completes a value or an argument. */
enum complete_kind {
	COMPLETE_TEXT, /* nothing */
	COMPLETE_FILE,
	COMPLETE_DIR,
	COMPLETE_NAME, /* a file on the server */
	COMPLETE_WORDS,
	COMPLETE_KINDS,
};

struct complete_value {
	enum complete_kind kind;
	struct slice title; /* "FILE" */
	struct slice words; /* "a|b|c" */
	bool is_repeated;
	bool may_miss;
};

struct complete {
	const struct complete_program *program;
	const struct complete_shell *shell;
	struct {
		const char *name;
		const char *summary;
	} commands[COMPLETE_COMMANDS_MAX];
	size_t n;
	struct buf body; /* what add() wrote */
};

struct complete_shell {
	const char *name;
	void (*add)(struct complete *c, const struct complete_command *command);
	void (*write)(struct complete *c, struct buf *b);
};

/* What each shell's scripts have in common: complete.bash, .zsh and .fish. */
extern const char complete_engine_bash[];
extern const char complete_engine_zsh[];
extern const char complete_engine_fish[];

extern const struct complete_shell complete_bash;
extern const struct complete_shell complete_zsh;
extern const struct complete_shell complete_fish;

/* The value of an option that is no flag. */
struct complete_value complete_option_value(
    const struct complete *c, const struct opt *o);
/* The next argument off the front of ${args}; false at the end. */
bool complete_next_arg(
    const struct complete *c, struct slice *args, struct complete_value *ret);

/*
 * The words that may follow those of ${group} ("" at the start: commands and
 * groups), each once: calls ${each} with the word and what is said of it,
 * which for a group are its own words.
 */
void complete_each_word(const struct complete *c, const char *group,
    void (*each)(void *arg, struct slice word, const char *summary), void *arg);
/* Calls ${each} for every group. */
void complete_each_group(const struct complete *c,
    void (*each)(void *arg, const char *group), void *arg);

/* "key new" as part of a function's name: "key_new". */
void complete_id(const char *name, char ret[COMPLETE_ID_SIZE]);

/* Appends ${text} with a backslash before each of ${special}, and in single
 * quotes as sh and zsh read them; without the quotes around it. */
void complete_escape(struct slice text, const char *special, struct buf *b);

#endif
