/* SPDX-License-Identifier: MIT */
#ifndef API_ROUTES_H
#define API_ROUTES_H

/*
 * THE table of routes: method, path, who may, where it runs, what it does.
 * The need for a key stands here and nowhere else.
 */

#include <stdbool.h>

#include "api/call.h"
#include "base/slice.h"

enum route_need {
	ROUTE_FREE, /* never a key; one that is given is not looked at */
	ROUTE_OPEN, /* a key with REQUIRE_API_KEY only */
	ROUTE_KEY,  /* always a key */
	/* As ROUTE_OPEN, but the key may also come later, in a message */
	ROUTE_LATER,
};

enum route_rest {
	ROUTE_EXACT, /* nothing follows the path */
	ROUTE_NAME,  /* a file name follows */
	ROUTE_IMAGE, /* the same, or with PREVIEW_SUFFIX behind it */
	ROUTE_WORD,  /* one segment follows (an id) */
};

enum route_kind {
	ROUTE_LOOP,     /* answered on the loop: touches nothing slow */
	ROUTE_SHORT,    /* small body, short reply */
	ROUTE_TRANSFER, /* moves a file */
	ROUTE_STREAM,   /* the same, and what came of it counts if it is cut */
};

struct route {
	enum http_method method; /* HTTP_GET serves HEAD, too */
	const char *path;        /* with a '/' at the end unless exact */
	enum route_rest rest;
	enum route_need need;
	unsigned scope; /* of the key, when one is needed or given */
	enum route_kind kind;
	/* The most bytes of body that can be meant; UINT64_MAX: no bound. */
	uint64_t (*body_max)(const struct app *app);
	void (*handle)(struct call *c);
};

struct route_match {
	const struct route *route; /* NULL: none for this method */
	struct slice rest;         /* of the path, where it has one */
	bool path_known;           /* some method has this path */
};

/* ${path}: percent-decoded. */
void routes_match(
    enum http_method method, struct slice path, struct route_match *ret);

#define ROUTES_ALLOW_SIZE 64
/* The methods of a path, as the field Allow has them: "GET, HEAD, OPTIONS". */
void routes_allow(struct slice path, char ret[ROUTES_ALLOW_SIZE]);

/* All routes, for tests that walk them; ends with a NULL path. */
extern const struct route routes_table[];

#endif
