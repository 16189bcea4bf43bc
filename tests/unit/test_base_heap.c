/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include "base/list.h"
#include "unit.h"

#define NODES 500

struct item {
	struct heap_node node;
	unsigned key;
};

static bool
less(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, struct item, node)->key <
	       CONTAINER_OF(b, struct item, node)->key;
}

/* Every parent is not greater, and every node knows its place. */
static void
check(const struct heap *h)
{
	size_t i;

	for (i = 0; i < h->len; i++) {
		assert_int_equal(h->nodes[i]->at, i);
		if (i > 0)
			assert_false(less(h->nodes[i], h->nodes[(i - 1) / 2]));
	}
}

TEST(test_base_heap__gives_the_smallest)
{
	static const unsigned keys[] = { 5, 3, 8, 1, 9, 2, 7, 3 };
	static const unsigned sorted[] = { 1, 2, 3, 3, 5, 7, 8, 9 };
	struct item items[8];
	struct heap h;
	size_t i;

	heap_init(&h, less);
	assert_null(heap_min(&h));
	for (i = 0; i < 8; i++) {
		heap_node_init(&items[i].node);
		items[i].key = keys[i];
		heap_push(&h, &items[i].node);
	}
	for (i = 0; i < 8; i++) {
		assert_int_equal(
		    CONTAINER_OF(heap_min(&h), struct item, node)->key,
		    sorted[i]);
		heap_remove(&h, heap_min(&h));
	}
	assert_null(heap_min(&h));
	heap_fini(&h);
}

TEST(test_base_heap__keeps_order_under_changes)
{
	static struct item items[NODES];
	struct heap h;
	unsigned r = 1;
	size_t n_in = 0;
	struct item *it;
	int step;
	size_t i;

	heap_init(&h, less);
	for (i = 0; i < NODES; i++)
		heap_node_init(&items[i].node);
	for (step = 0; step < 5000; step++) {
		r = r * 1103515245 + 12345;
		it = &items[r / 65536 % NODES];
		if (it->node.at == HEAP_NOWHERE) {
			it->key = r >> 20;
			heap_push(&h, &it->node);
			n_in++;
		} else if ((r & 0x100) != 0) {
			heap_remove(&h, &it->node);
			n_in--;
			assert_true(it->node.at == HEAP_NOWHERE);
			heap_remove(&h, &it->node);
		} else {
			it->key = r >> 12 & 0xfff;
			heap_update(&h, &it->node);
		}
		assert_int_equal(h.len, n_in);
		check(&h);
	}
	assert_true(n_in > 0);
	heap_fini(&h);
	assert_null(heap_min(&h));
}
