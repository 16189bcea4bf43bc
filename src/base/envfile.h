/* SPDX-License-Identifier: MIT */
#ifndef BASE_ENVFILE_H
#define BASE_ENVFILE_H

/*
 * Files of NAME=value lines, as systemd reads an EnvironmentFile (see
 * systemd.exec(5)), so that one file serves the unit and the program:
 *
 *	# a comment, as is a line that begins with a semicolon
 *	NAME=value          (spaces around name and value do not count)
 *	NAME="a \"b\" \\"   (\" \\ \` \$ are escapes, other \ stay)
 *	NAME='a \ b'        (as it stands, lines too)
 *	NAME=one\
 *	two                 (a \ at the end of a line joins the next)
 *
 * Unlike there, a line without '=', a name that is none and a quote that
 * does not end are errors.
 */

#include "base/err.h"
#include "base/slice.h"

/* One assignment, valid during the call; -1 ends the walk. */
struct envfile_line {
	const char *name;
	const char *value;
	unsigned number; /* of the line it begins in, from 1 */
};
typedef int (*envfile_fn)(
    void *arg, const struct envfile_line *line, struct err *err);

/* Calls ${fn} for each assignment; ERR_SETTING names the line. */
int envfile_parse(struct slice text, envfile_fn fn, void *arg, struct err *err);

#endif
