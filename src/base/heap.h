/* SPDX-License-Identifier: MIT */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/*
 * Binary min-heap of embedded nodes, each knowing its place, so removal and
 * re-keying cost O(log n).  Not locked.
 */

#include <stdbool.h>
#include <stddef.h>

#define HEAP_NOWHERE ((size_t)-1)

struct heap_node {
	size_t at; /* HEAP_NOWHERE while in no heap */
};

typedef bool (*heap_less_fn)(
    const struct heap_node *a, const struct heap_node *b);

struct heap {
	struct heap_node **nodes;
	size_t len;
	size_t cap;
	heap_less_fn less;
};

void heap_init(struct heap *h, heap_less_fn less);
void heap_fini(struct heap *h);
void heap_node_init(struct heap_node *n);
void heap_push(struct heap *h, struct heap_node *n);
void heap_remove(struct heap *h, struct heap_node *n); /* no-op if nowhere */
void heap_update(struct heap *h, struct heap_node *n); /* after re-keying */
struct heap_node *heap_min(const struct heap *h);      /* NULL when empty */

#endif
