/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

void
heap_init(struct heap *h, heap_less_fn less)
{
	*h = (struct heap){ .less = less };
}

void
heap_fini(struct heap *h)
{
	free(h->nodes);
	heap_init(h, h->less);
}

void
heap_node_init(struct heap_node *n)
{
	n->at = HEAP_NOWHERE;
}

static void
place(struct heap *h, struct heap_node *n, size_t at)
{
	h->nodes[at] = n;
	n->at = at;
}

static void
sift_up(struct heap *h, struct heap_node *n)
{
	size_t at = n->at;
	size_t parent;

	while (at > 0) {
		parent = (at - 1) / 2;
		if (!h->less(n, h->nodes[parent]))
			break;
		place(h, h->nodes[parent], at);
		at = parent;
	}
	place(h, n, at);
}

static void
sift_down(struct heap *h, struct heap_node *n)
{
	size_t at = n->at;
	size_t child;

	while ((child = 2 * at + 1) < h->len) {
		if (child + 1 < h->len &&
		    h->less(h->nodes[child + 1], h->nodes[child]))
			child++;
		if (!h->less(h->nodes[child], n))
			break;
		place(h, h->nodes[child], at);
		at = child;
	}
	place(h, n, at);
}

void
heap_push(struct heap *h, struct heap_node *n)
{
	if (h->len == h->cap) {
		h->cap = h->cap == 0 ? 16 : h->cap * 2;
		h->nodes = mem_realloc(h->nodes, h->cap * sizeof(h->nodes[0]));
	}
	place(h, n, h->len++);
	sift_up(h, n);
}

void
heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *last;
	size_t at = n->at;

	if (at == HEAP_NOWHERE)
		return;
	n->at = HEAP_NOWHERE;
	last = h->nodes[--h->len];
	if (last == n)
		return;
	place(h, last, at);
	heap_update(h, last);
}

void
heap_update(struct heap *h, struct heap_node *n)
{
	sift_up(h, n);
	sift_down(h, n);
}

struct heap_node *
heap_min(const struct heap *h)
{
	return h->len == 0 ? NULL : h->nodes[0];
}
