/* SPDX-License-Identifier: MIT */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

/*
 * The frame around the unit tests: cmocka's assertions, tests that
 * register themselves, and a temporary directory for those that ask.
 *
 *	TEST(test_base_buf__grows)
 *	{
 *		...
 *		assert_int_equal(buf.len, 3);
 *	}
 *
 * Names are test_<folder>_<file>__<what_it_does>.  `unit_tests base_buf`
 * runs those whose name contains "base_buf".  A test that runs for longer
 * than UNIT_TIMEOUT_S ends the whole run: its name is the last one printed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* What cmocka does not say: fail() and skip() leave the test. */
void _fail(const char *file, int line) __attribute__((noreturn));
void _skip(const char *file, int line) __attribute__((noreturn));

#include <cmocka.h>

#ifdef __clang_analyzer__
/* Nor does it say that a failed assertion does. */
#undef assert_true
#define assert_true(c) ((c) ? (void)0 : fail())
#undef assert_non_null
#define assert_non_null(p) assert_true((p) != NULL)
#endif

#define UNIT_TIMEOUT_S 60

struct unit_case {
	const char *name;
	CMUnitTestFunction run;
	struct unit_case *next;
};

/* Called by TEST before main() runs; `c` must stay for the whole run. */
void unit_register(struct unit_case *c);

/*
 * The running test's own empty directory, the same one at each call.  It is
 * made at the first call and removed with all that is in it when the test
 * ends, passed or not.  Not for threads.
 */
const char *unit_tempdir(void);

/*
 * "<unit_tempdir()>/<name>".  The string is valid until the test ends.
 */
const char *unit_temppath(const char *name);

/* cmocka's, counted. */
#undef skip
#define skip() (unit_note_skip(), _skip(__FILE__, __LINE__))
void unit_note_skip(void);

#define TEST(name)                                                             \
	static void name(void **state);                                        \
	__attribute__((constructor)) static void name##_register(void)         \
	{                                                                      \
		static struct unit_case self = { #name, name, NULL };          \
                                                                               \
		unit_register(&self);                                          \
	}                                                                      \
	static void name(void **state __attribute__((unused)))

#endif
