/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <string.h>

#include "unit.h"

#define ARGS_MAX 12

struct fixture {
	bool quiet, verbose, given;
	const char *output;
	uint64_t count, size;
	struct opt_choice sort;
	struct opt table[7];
	struct opt more[2];
	char words[ARGS_MAX][32];
	char *argv[ARGS_MAX + 1];
	struct opt_input in;
	int nargs;
	struct err err;
};

static void
init(struct fixture *f)
{
	const struct opt table[7] = {
		{ .name = "quiet", .letter = 'q', .value = &f->quiet },
		{ .name = "verbose", .letter = 'v', .value = &f->verbose },
		{ .name = "output",
		    .letter = 'o',
		    .kind = OPT_STR,
		    .value = &f->output,
		    .given = &f->given },
		{ .name = "count",
		    .letter = 'n',
		    .kind = OPT_UINT,
		    .value = &f->count,
		    .min = 1,
		    .max = 99 },
		{ .name = "size",
		    .kind = OPT_SIZE,
		    .value = &f->size,
		    .max = 1 << 20 },
		{ .name = "sort", .kind = OPT_CHOICE, .value = &f->sort },
		{ .name = NULL },
	};

	memset(f, 0, sizeof(*f));
	f->sort.words = "name|newest|size";
	memcpy(f->table, table, sizeof(table));
	f->in.table = f->table;
}

/* Parses "sft" and the words of ${line}, which blanks divide. */
static int
parse(struct fixture *f, const char *line)
{
	struct slice rest = slice_str(line);
	struct slice word;
	int n = 0;

	memcpy(f->words[n++], "sft", 4);
	while (slice_next(&rest, ' ', &word)) {
		assert_true(n < ARGS_MAX && word.n < 32);
		memcpy(f->words[n], word.p, word.n);
		f->words[n++][word.n] = '\0';
	}
	for (f->in.argc = 0; f->in.argc < n; f->in.argc++)
		f->argv[f->in.argc] = f->words[f->in.argc];
	f->argv[n] = NULL;
	f->in.argv = f->argv;
	return opt_parse(&f->in, &f->nargs, &f->err);
}

static void
check_args(struct fixture *f, const char *line)
{
	struct slice rest = slice_str(line);
	struct slice word;
	int n = 0;

	while (slice_next(&rest, ' ', &word)) {
		assert_true(n < f->nargs);
		assert_true(slice_eq_str(word, f->argv[1 + n++]));
	}
	assert_int_equal(f->nargs, n);
	assert_null(f->argv[1 + n]);
}

TEST(test_base_opt__takes_one_of_the_words)
{
	static const char *const bad[] = { "--sort=colour",
		"--sort=", "--sort=nam", "--sort=names", "--sort=name|newest",
		NULL };
	struct fixture f;
	int i;

	init(&f);
	assert_int_equal(0, parse(&f, "a"));
	assert_null(f.sort.value);
	assert_int_equal(0, parse(&f, "--sort size"));
	assert_string_equal("size", f.sort.value);
	for (i = 0; bad[i] != NULL; i++) {
		init(&f);
		assert_int_equal(-1, parse(&f, bad[i]));
		assert_int_equal(ERR_USAGE, f.err.code);
		assert_non_null(
		    strstr(f.err.msg, "must be name, newest or size"));
		assert_null(f.sort.value);
	}
}

TEST(test_base_opt__takes_every_form)
{
	static const char *const lines[] = { "--output x a b", "a --output=x b",
		"a b -o x", "-ox a b", "-o y a --output=x b" };
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		init(&f);
		assert_int_equal(parse(&f, lines[i]), 0);
		assert_string_equal(f.output, "x");
		assert_true(f.given);
		check_args(&f, "a b");
	}
	init(&f);
	assert_int_equal(parse(&f, "--output= -"), 0);
	assert_string_equal(f.output, "");
	check_args(&f, "-");
	init(&f);
	assert_int_equal(parse(&f, ""), 0);
	check_args(&f, "");
	assert_false(f.given);
}

TEST(test_base_opt__flags_go_together)
{
	struct fixture f;

	init(&f);
	assert_int_equal(parse(&f, "-qvo file"), 0);
	assert_true(f.quiet && f.verbose);
	assert_string_equal(f.output, "file");
	init(&f);
	assert_int_equal(parse(&f, "--quiet -vofile"), 0);
	assert_true(f.quiet && f.verbose);
	assert_string_equal(f.output, "file");
}

TEST(test_base_opt__checks_numbers)
{
	static const char *const bad[] = { "--count 0", "--count 100", "-n x",
		"--count=", "--count=-1", "--size 2M", "--size x" };
	struct fixture f;
	size_t i;

	init(&f);
	assert_int_equal(parse(&f, "-n 99 --size 1M"), 0);
	assert_int_equal(f.count, 99);
	assert_int_equal(f.size, 1 << 20);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		init(&f);
		f.count = f.size = 5;
		assert_int_equal(parse(&f, bad[i]), -1);
		assert_int_equal(f.err.code, ERR_USAGE);
		assert_true(f.count == 5 && f.size == 5);
	}
	init(&f);
	assert_int_equal(parse(&f, "--count 100"), -1);
	assert_string_equal(f.err.msg,
	    "option '--count' is '100': it must be a whole number from 1 to "
	    "99");
}

TEST(test_base_opt__refuses)
{
	static const struct {
		const char *line;
		const char *msg;
	} cases[] = {
		{ "--nope", "there is no option '--nope'" },
		{ "--outputs x", "there is no option '--outputs'" },
		{ "--out x", "there is no option '--out'" },
		{ "-x", "there is no option '-x'" },
		{ "-qx", "there is no option '-x'" },
		{ "--=x", "there is no option '--'" },
		{ "--quiet=yes", "option '--quiet' takes no value" },
		{ "--output", "option '--output' needs a value" },
		{ "-o", "option '--output' needs a value" },
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		init(&f);
		assert_int_equal(parse(&f, cases[i].line), -1);
		assert_int_equal(f.err.code, ERR_USAGE);
		assert_string_equal(f.err.msg, cases[i].msg);
	}
}

TEST(test_base_opt__two_dashes_end_the_options)
{
	struct fixture f;

	init(&f);
	assert_int_equal(parse(&f, "a -q -- -v --nope --"), 0);
	assert_true(f.quiet && !f.verbose);
	check_args(&f, "a -v --nope --");
}

TEST(test_base_opt__stops_before_a_command)
{
	struct fixture f;

	init(&f);
	f.in.stop_at_first = true;
	assert_int_equal(parse(&f, "-q upload -v --nope x"), 0);
	assert_true(f.quiet && !f.verbose);
	check_args(&f, "upload -v --nope x");
}

TEST(test_base_opt__leaves_what_others_know)
{
	struct fixture f;

	init(&f);
	f.in.keep_unknown = true;
	assert_int_equal(parse(&f, "--nope 1 -q -x --y=2 a -- -v"), 0);
	assert_true(f.quiet && !f.verbose);
	check_args(&f, "--nope 1 -x --y=2 a -- -v");
}

TEST(test_base_opt__looks_into_a_second_table)
{
	struct fixture f;
	bool json = false;

	init(&f);
	f.more[0] =
	    (struct opt){ .name = "json", .letter = 'j', .value = &json };
	f.in.more = f.more;
	assert_int_equal(parse(&f, "-q --json"), 0);
	assert_true(f.quiet && json);
	json = false;
	assert_int_equal(parse(&f, "-qj"), 0);
	assert_true(json);
}

TEST(test_base_opt__helps)
{
	static const struct opt table[] = {
		{ .name = "quiet", .letter = 'q', .help = "say nothing" },
		{ .name = "output",
		    .letter = 'o',
		    .kind = OPT_STR,
		    .arg = "FILE",
		    .help = "where to write what was received, "
		            "'-' is standard output, as ever" },
		{ .name = "hidden", .kind = OPT_FLAG },
		{ .name = "an-option-with-a-very-long-name",
		    .arg = "N",
		    .help = "x" },
		{ .name = NULL },
	};
	struct buf b;

	buf_init(&b, 10000);
	opt_help(table, &b);
	assert_string_equal(buf_str(&b),
	    "  -q, --quiet        say nothing\n"
	    "  -o, --output FILE  where to write what was received, '-' is "
	    "standard output,\n"
	    "                     as ever\n"
	    "      --an-option-with-a-very-long-name N\n"
	    "                     x\n");
	buf_fini(&b);
}
