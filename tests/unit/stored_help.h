/* SPDX-License-Identifier: MIT */
#ifndef UNIT_STORED_HELP_H
#define UNIT_STORED_HELP_H

/*
 * What lies in the storage of an engine (engine_fixture.h), for tests that look
 * at it, or damage it.  STORED_TEST runs its body over every back end.
 *
 *	STORED_TEST(test_engine_verify__finds_damage)
 *	{
 *		stored_put(f, "a", 1000, true);
 *		...
 *	}
 */

#include <stdbool.h>

#include "engine_fixture.h"
#include "unit.h"

void stored_over_each(void (*test)(struct fixture *f));

#define STORED_TEST(name)                                                      \
	static void name##_over(struct fixture *f);                            \
	TEST(name)                                                             \
	{                                                                      \
		stored_over_each(name##_over);                                 \
	}                                                                      \
	static void name##_over(struct fixture *f)

/* Uploads ${n} bytes that are always the same. */
void stored_put(struct fixture *f, const char *name, size_t n, bool sealed);
/* Fails the test unless they come back. */
void stored_assert(struct fixture *f, const char *name, size_t n);
/* The record of ${name}, for rec_file_fini(). */
struct rec_file stored_record(struct fixture *f, const char *name);
/* Its first ${n} bytes as they lie. */
void stored_head(
    struct fixture *f, const char *name, unsigned char *ret, size_t n);
/* Turns a bit of byte ${at} of the stored bytes. */
void stored_flip(struct fixture *f, const char *name, size_t at);
void stored_remove(struct fixture *f, const char *name);

/* From here on the storage uses ${ops}, which begins as a copy of its own;
 * *${ret_real} are those, to be put back by hand. */
void stored_replace_ops(struct fixture *f, struct storage_ops *ops,
    const struct storage_ops **ret_real);

#endif
