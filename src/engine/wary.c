/* SPDX-License-Identifier: MIT */
#include "engine/wary.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define IP_SIZE 48

struct one {
	char ip[IP_SIZE];
	uint64_t heard; /* a count; 0: a free place */
	bool is_told;   /* else it was poor for the first time */
};

struct wary {
	pthread_mutex_t lock; /* over all of it */
	struct one ones[WARY_MAX];
	uint64_t count; /* of what was heard */
};

struct wary *
wary_new(void)
{
	struct wary *w = mem_calloc(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void
wary_free(struct wary *w)
{
	if (w == NULL)
		return;
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* The client's place; NULL: it is not unstable.  *${ret_oldest} is the place
 * for a new one. */
static struct one *
find(struct wary *w, const char *ip, struct one **ret_oldest)
{
	*ret_oldest = &w->ones[0];
	for (size_t i = 0; i < WARY_MAX; i++) {
		struct one *o = &w->ones[i];

		if (o->heard > 0 && strcmp(o->ip, ip) == 0)
			return o;
		if (o->heard < (*ret_oldest)->heard)
			*ret_oldest = o;
	}
	return NULL;
}

static enum wary_change
note_poor(struct wary *w, const char *ip)
{
	enum wary_change change = WARY_SAME;
	struct one *oldest;
	struct one *o = find(w, ip, &oldest);

	if (o == NULL) {
		o = oldest;
		(void)snprintf(o->ip, sizeof(o->ip), "%s", ip);
		o->is_told = false;
	} else if (!o->is_told) {
		o->is_told = true;
		change = WARY_UNSTABLE;
	}
	o->heard = ++w->count;
	return change;
}

static enum wary_change
note_better(struct wary *w, const char *ip, enum health_quality quality)
{
	struct one *oldest;
	struct one *o = find(w, ip, &oldest);

	if (o == NULL)
		return WARY_SAME;
	if (o->is_told && quality == HEALTH_FAIR) {
		o->heard = ++w->count;
		return WARY_SAME;
	}
	o->heard = 0;
	return o->is_told ? WARY_RECOVERED : WARY_SAME;
}

enum wary_change
wary_note(struct wary *w, const char *ip, enum health_quality quality)
{
	enum wary_change change;

	pthread_mutex_lock(&w->lock);
	change = quality == HEALTH_POOR ? note_poor(w, ip)
	                                : note_better(w, ip, quality);
	pthread_mutex_unlock(&w->lock);
	return change;
}
