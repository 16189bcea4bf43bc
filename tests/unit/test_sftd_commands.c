/* SPDX-License-Identifier: MIT */
#include "sftd/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "sftd/check.h"
#include "sftd/cmd_key.h"
#include "sftd/cmd_rotate.h"
#include "sftd/cmd_verify.h"
#include "sftd/server.h"
#include "sftd/supervisor.h"
#include "unit.h"

#define WORDS_MAX 6
#define SECRET "0123456789abcdef-secret"

/* What a command line came to. */
struct parsed {
	char words[WORDS_MAX + 1][64];
	char *argv[WORDS_MAX + 2];
	struct commands_input in;
	int rc;
	int status;
	char *out; /* all that was printed, on both */
};

/* Both streams into one file; returns the real ones. */
static void
redirect(int fd, int saved[2])
{
	(void)fflush(stdout);
	saved[0] = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	saved[1] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
}

static void
restore(const int saved[2])
{
	(void)fflush(stdout);
	(void)dup2(saved[0], STDOUT_FILENO);
	(void)dup2(saved[1], STDERR_FILENO);
	file_close(saved[0]);
	file_close(saved[1]);
}

static void
parse(const char *const *words, struct parsed *p)
{
	const char *path = unit_temppath("out");
	struct buf b;
	int argc = 1;
	int saved[2];
	int fd;

	memset(p, 0, sizeof(*p));
	(void)snprintf(p->words[0], sizeof(p->words[0]), "sftd");
	for (; words[argc - 1] != NULL; argc++)
		(void)snprintf(p->words[argc], sizeof(p->words[argc]), "%s",
		    words[argc - 1]);
	for (int i = 0; i < argc; i++)
		p->argv[i] = p->words[i];
	fd =
	    file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, NULL);
	assert_true(fd >= 0);
	redirect(fd, saved);
	p->rc = commands_parse(argc, p->argv, &p->in, &p->status);
	restore(saved);
	file_close(fd);
	buf_init(&b, 1000000);
	assert_int_equal(file_read_all(AT_FDCWD, path, &b, NULL), 0);
	(void)buf_str(&b);
	p->out = buf_take(&b);
}

static void
parsed_fini(struct parsed *p)
{
	if (p->rc == 0)
		commands_fini(&p->in);
	free(p->out);
}

/* What is answered at once: with which status, in which words. */
struct answer {
	const char *words[WORDS_MAX];
	int status;
	const char *says;
};

static void
assert_answers(const struct answer *rows, size_t n)
{
	struct parsed p;

	for (size_t i = 0; i < n; i++) {
		parse(rows[i].words, &p);
		assert_int_equal(p.rc, -1);
		assert_int_equal(p.status, rows[i].status);
		if (strstr(p.out, rows[i].says) == NULL)
			fail_msg("'%s' lacks '%s'", p.out, rows[i].says);
		assert_null(strstr(p.out, SECRET));
		assert_true(p.out[strlen(p.out) - 1] == '\n');
		parsed_fini(&p);
	}
}

TEST(test_sftd_commands__answers_questions_and_refuses_nonsense)
{
	static const struct answer rows[] = {
		{ { "--help" }, COMMANDS_OK, "Usage: sftd" },
		{ { "-h" }, COMMANDS_OK, "--server-port PORT" },
		{ { "--version" }, COMMANDS_OK, "sftd " SFT_VERSION "\n" },
		{ { "--version", "--print-config" }, COMMANDS_OK,
		    "sftd " SFT_VERSION "\n" },
		{ { "--print-config" }, COMMANDS_OK, "\nDURABILITY=full\n" },
		{ { "--print-config", "--durability", "relaxed" }, COMMANDS_OK,
		    "\nDURABILITY=relaxed\n" },
		{ { "--durability=relaxed", "--print-config" }, COMMANDS_OK,
		    "\nDURABILITY=relaxed\n" },
		{ { "--print-config", "--admin-api-key", SECRET }, COMMANDS_OK,
		    "\n#ADMIN_API_KEY=********\n" },
		{ { "--bogus" }, COMMANDS_USAGE, "'--bogus'" },
		{ { "serve" }, COMMANDS_USAGE, "'serve'" },
		{ { "--check", "now" }, COMMANDS_USAGE, "'now'" },
		{ { "--config" }, COMMANDS_USAGE, "--config" },
		{ { "--durability" }, COMMANDS_USAGE, "--durability" },
		{ { "--durability", "some" }, COMMANDS_FAILED,
		    "sftd: DURABILITY is 'some': it must be full or relaxed" },
		{ { "--admin-api-key", "short" }, COMMANDS_FAILED,
		    "ADMIN_API_KEY (not shown)" },
		{ { "--database-url", "me" }, COMMANDS_FAILED,
		    "this version cannot do that yet" },
		{ { "--config", "/nowhere/at/all" }, COMMANDS_FAILED,
		    "/nowhere/at/all" },
	};

	assert_answers(rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(test_sftd_commands__answers_about_its_commands)
{
	static const struct answer rows[] = {
		{ { "--help" }, COMMANDS_OK, "\n  rotate-key  " },
		{ { "verify", "--help" }, COMMANDS_OK, "Usage: sftd verify" },
		{ { "verify", "-h" }, COMMANDS_OK, "--rate BYTES" },
		{ { "--durability", "relaxed", "rotate-key", "--help" },
		    COMMANDS_OK, "Usage: sftd rotate-key" },
		{ { "verify", "more" }, COMMANDS_USAGE, "takes no 'more'" },
		{ { "verify", "rotate-key" }, COMMANDS_USAGE,
		    "takes no 'rotate-key'" },
		{ { "verify", "--rate", "fast" }, COMMANDS_USAGE, "--rate" },
		{ { "verify", "--rate" }, COMMANDS_USAGE, "--rate" },
		{ { "rotate-key", "--file", "a" }, COMMANDS_USAGE, "--file" },
		{ { "--file", "a" }, COMMANDS_USAGE, "'--file'" },
		{ { "--help" }, COMMANDS_OK, "\n  key  " },
		{ { "key", "--help" }, COMMANDS_OK, "Usage: sftd key new" },
		{ { "key", "new", "-h" }, COMMANDS_OK, "--scopes LIST" },
		{ { "key" }, COMMANDS_USAGE, "'sftd key new'" },
		{ { "key", "old" }, COMMANDS_USAGE, "'sftd key new'" },
		{ { "key", "--name", "new" }, COMMANDS_USAGE,
		    "'sftd key new'" },
		{ { "key", "new", "more" }, COMMANDS_USAGE, "'more'" },
		{ { "key", "new", "--scopes" }, COMMANDS_USAGE, "--scopes" },
		{ { "key", "new", "--rate=1" }, COMMANDS_USAGE, "--rate" },
		{ { "verify", "--durability", "some" }, COMMANDS_FAILED,
		    "DURABILITY" },
	};

	assert_answers(rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(test_sftd_commands__chooses_what_to_run)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *fds; /* as a supervisor sets it */
		int (*run)(struct commands_input *in);
	} rows[] = {
		{ { NULL }, NULL, supervisor_run },
		{ { "--auto-restart-enabled", "true" }, NULL, supervisor_run },
		{ { "--auto-restart-enabled", "no" }, NULL, server_run },
		{ { NULL }, "3,4,5", server_run },
		{ { "--check" }, NULL, check_run },
		{ { "--check", "--durability", "relaxed" }, NULL, check_run },
		{ { "verify" }, NULL, cmd_verify },
		{ { "rotate-key" }, NULL, cmd_rotate },
		{ { "key", "new" }, NULL, cmd_key },
		{ { "--durability", "relaxed", "verify" }, NULL, cmd_verify },
		{ { "rotate-key", "--durability", "relaxed" }, NULL,
		    cmd_rotate },
	};
	struct parsed p;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].fds != NULL)
			(void)setenv(SERVER_FDS, rows[i].fds, 1);
		parse(rows[i].words, &p);
		(void)unsetenv(SERVER_FDS);
		assert_int_equal(p.rc, 0);
		assert_string_equal(p.out, "");
		assert_true(p.in.run == rows[i].run);
		parsed_fini(&p);
	}
}

TEST(test_sftd_commands__takes_the_options_of_verify)
{
	static const char *const plain[] = { "verify", NULL };
	static const char *const all[] = { "verify", "--file", "a/b",
		"--rate=5M", "--repair-records", NULL };
	struct parsed p;

	parse(plain, &p);
	assert_int_equal(p.rc, 0);
	assert_null(p.in.verify.file);
	assert_int_equal(p.in.verify.rate, 200 << 20);
	assert_false(p.in.verify.repair_records);
	parsed_fini(&p);
	parse(all, &p);
	assert_int_equal(p.rc, 0);
	assert_string_equal(p.in.verify.file, "a/b");
	assert_int_equal(p.in.verify.rate, 5 << 20);
	assert_true(p.in.verify.repair_records);
	parsed_fini(&p);
}

TEST(test_sftd_commands__takes_the_options_of_key)
{
	static const char *const plain[] = { "key", "new", NULL };
	static const char *const all[] = { "key", "new", "--scopes=read,admin",
		"--name=a b", "--expires=30d", "--prefix=p/", NULL };
	struct parsed p;

	parse(plain, &p);
	assert_int_equal(p.rc, 0);
	assert_null(p.in.key.scopes);
	assert_null(p.in.key.name);
	assert_null(p.in.key.expires);
	assert_null(p.in.key.prefix);
	parsed_fini(&p);
	parse(all, &p);
	assert_int_equal(p.rc, 0);
	assert_string_equal(p.in.key.scopes, "read,admin");
	assert_string_equal(p.in.key.name, "a b");
	assert_string_equal(p.in.key.expires, "30d");
	assert_string_equal(p.in.key.prefix, "p/");
	parsed_fini(&p);
}

/* The process list shows no key; the child gets it all the same. */
TEST(test_sftd_commands__hides_a_key_and_keeps_it_for_the_child)
{
	static const char *const words[] = { "--admin-api-key", SECRET,
		"--durability", "relaxed", NULL };
	struct parsed p;
	size_t i;

	parse(words, &p);
	assert_int_equal(p.rc, 0);
	assert_string_equal(p.in.settings.admin_api_key, SECRET);
	assert_int_equal(p.in.settings.durability, SETTINGS_RELAXED);
	for (i = 0; i < sizeof(p.words) / sizeof(p.words[0]); i++)
		assert_null(strstr(p.words[i], "secret"));
	assert_string_equal(p.in.args[0], "sftd");
	for (i = 0; words[i] != NULL; i++)
		assert_string_equal(p.in.args[1 + i], words[i]);
	assert_null(p.in.args[1 + i]);
	parsed_fini(&p);
}

/* A file's values, and an option's that goes before. */
TEST(test_sftd_commands__reads_the_file_that_is_named)
{
	static const char text[] = "DURABILITY=relaxed\nMAX_FILE_SIZE=1M\n";
	const struct file_content content = {
		.p = text,
		.n = sizeof(text) - 1,
		.mode = 0600,
	};
	const char *words[] = { "--max-file-size=2M", "--config",
		unit_temppath("conf"), NULL };
	struct parsed p;

	assert_int_equal(file_replace(AT_FDCWD, words[2], &content, NULL), 0);
	parse(words, &p);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.in.settings.durability, SETTINGS_RELAXED);
	assert_int_equal(p.in.settings.max_file_size, 2 << 20);
	parsed_fini(&p);
}
