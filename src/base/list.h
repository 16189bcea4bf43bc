/* SPDX-License-Identifier: MIT */
#ifndef BASE_LIST_H
#define BASE_LIST_H

/*
 * Intrusive doubly linked list, a ring around its head.  A node that is in
 * no list is unlinked (points to itself); list_remove() of it is a no-op.
 * The owner of the list (a thread or a lock) owns its nodes' links.
 */

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(l)                                                           \
	{                                                                      \
		&(l), &(l)                                                     \
	}

/* The struct that holds ${node} as its member ${m}. */
#define CONTAINER_OF(node, type, m)                                            \
	((type *)(void *)((char *)(node)-offsetof(type, m)))

/* Safe against removal of ${it} itself; ${tmp} is a second struct list *. */
#define LIST_FOREACH(head, it, tmp)                                            \
	for ((it) = (head)->next; (tmp) = (it)->next, (it) != (head);          \
	     (it) = (tmp))

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_is_empty(const struct list *l)
{
	return l->next == l;
}

static inline void
list_push_back(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void
list_push_front(struct list *head, struct list *node)
{
	list_push_back(head->next, node);
}

static inline void
list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The first node, taken out; NULL when empty. */
static inline struct list *
list_pop_front(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	/* The analyzer loses sight of who is in a list and who is freed. */
	list_remove(node); /* NOLINT(clang-analyzer-unix.Malloc) */
	return node;
}

/* Appends all of ${from}, which is empty afterwards, to ${to}. */
static inline void
list_move_all(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	list_init(from);
}

#endif
