/* SPDX-License-Identifier: MIT */
#include "base/list.h"

#include "unit.h"

struct item {
	int value;
	struct list link;
};

static void
check(const struct list *head, const int *values, size_t n)
{
	const struct list *node = head->next;
	size_t i;

	for (i = 0; i < n; i++, node = node->next) {
		assert_true(node != head);
		assert_int_equal(
		    CONTAINER_OF(node, struct item, link)->value, values[i]);
		assert_ptr_equal(node->next->prev, node);
	}
	assert_ptr_equal(node, head);
	assert_int_equal(list_is_empty(head), n == 0);
}

static void
fill(struct item *items, size_t n, struct list *head)
{
	size_t i;

	for (i = 0; i < n; i++) {
		items[i].value = (int)i;
		list_push_back(head, &items[i].link);
	}
}

TEST(test_base_list__pushes_and_pops)
{
	struct list head = LIST_INIT(head);
	struct item items[3], first = { .value = 9 };

	check(&head, NULL, 0);
	assert_null(list_pop_front(&head));
	fill(items, 3, &head);
	check(&head, (const int[]){ 0, 1, 2 }, 3);
	list_push_front(&head, &first.link);
	check(&head, (const int[]){ 9, 0, 1, 2 }, 4);
	assert_ptr_equal(list_pop_front(&head), &first.link);
	assert_true(list_is_empty(&first.link));
	check(&head, (const int[]){ 0, 1, 2 }, 3);
}

TEST(test_base_list__removes_twice)
{
	struct list head = LIST_INIT(head);
	struct item items[3];

	fill(items, 3, &head);
	list_remove(&items[1].link);
	list_remove(&items[1].link);
	check(&head, (const int[]){ 0, 2 }, 2);
	list_remove(&items[0].link);
	list_remove(&items[2].link);
	check(&head, NULL, 0);
}

TEST(test_base_list__walks_while_removing)
{
	struct list head = LIST_INIT(head);
	struct list *it, *tmp;
	struct item items[5];
	int sum = 0;

	fill(items, 5, &head);
	LIST_FOREACH(&head, it, tmp)
	{
		sum += CONTAINER_OF(it, struct item, link)->value;
		if (CONTAINER_OF(it, struct item, link)->value % 2 == 0)
			list_remove(it);
	}
	assert_int_equal(sum, 10);
	check(&head, (const int[]){ 1, 3 }, 2);
}

TEST(test_base_list__moves_all)
{
	struct list a = LIST_INIT(a), b = LIST_INIT(b);
	struct item one[2], two[2];

	list_move_all(&a, &b);
	check(&a, NULL, 0);
	fill(two, 2, &b);
	list_move_all(&a, &b);
	check(&a, (const int[]){ 0, 1 }, 2);
	check(&b, NULL, 0);
	fill(one, 2, &b);
	list_move_all(&a, &b);
	check(&a, (const int[]){ 0, 1, 0, 1 }, 4);
	check(&b, NULL, 0);
}
