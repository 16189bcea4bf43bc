/* SPDX-License-Identifier: MIT */
#ifndef UNIT_STORAGE_HELP_H
#define UNIT_STORAGE_HELP_H

/* What the tests of the storage share. */

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/err.h"
#include "base/id.h"
#include "storage/storage.h"

/* ${call}, with &err as its last argument, must succeed. */
#define OK(call)                                                               \
	do {                                                                   \
		struct err err = ERR_INIT;                                     \
                                                                               \
		if ((call) < 0)                                                \
			fail_msg("%s: %s", #call, err.msg);                    \
	} while (0)

/* ${call} must fail with ${expected}. */
#define FAILS(expected, call)                                                  \
	do {                                                                   \
		struct err err = ERR_INIT;                                     \
                                                                               \
		assert_true((call) < 0);                                       \
		assert_string_equal(                                           \
		    err_code_name(err.code), err_code_name(expected));         \
		assert_true(err.msg[0] != '\0');                               \
	} while (0)

/* For a child, which cannot use cmocka's assertions. */
#define CHILD_CHECK(condition)                                                 \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
			    #condition);                                       \
			_exit(1);                                              \
		}                                                              \
	} while (0)

void help_new_id(char ret[ID_SIZE]);
/* Publishes ${text} with the birth record "born ID". */
void help_publish(struct storage *st, const char *id, const char *text);
/* The whole blob must be ${text}. */
void help_assert_blob(struct storage *st, const char *id, const char *text);
/* Over the directory ${path}. */
struct storage *help_open_local(const char *path);

/* Runs ${body} in a child, for what only a process can: its wait status. */
int help_in_child(void (*body)(const char *path), const char *path);
/*
 * The same with an empty file system of 4 MiB of its own on the directory
 * ${path}.  Skips the test where that is not permitted, else the child must
 * end with 0.
 */
void help_on_small_disk(void (*body)(const char *path), const char *path);
/* In such a child: no more writing. */
void help_remount_read_only(const char *path);

#endif
