// SPDX-License-Identifier: GPL-2.0-only
// An intrusive list. An object is on one list for each Tag it derives a node of.
#pragma once

namespace bsd
{

template <class T, class Tag> struct list_node {
	list_node *next{};
	list_node *prev{};

	bool linked() const { return next != nullptr; }
};

template <class T, class Tag> class list
{
	using node = list_node<T, Tag>;
	node head_;

	static T *object(node *n) { return static_cast<T *>(n); }

public:
	void init() { head_.next = head_.prev = &head_; }
	bool empty() const { return head_.next == &head_; }
	T *first() { return empty() ? nullptr : object(head_.next); }
	T *after(T *t)
	{
		node *n = static_cast<node *>(t)->next;
		return n == &head_ ? nullptr : object(n);
	}

	void push_back(T *t) { insert_before(nullptr, t); }

	// Null: at the end.
	void insert_before(T *next, T *t)
	{
		node *at = next ? static_cast<node *>(next) : &head_, *n = t;
		n->prev = at->prev;
		n->next = at;
		at->prev->next = n;
		at->prev = n;
	}

	static void erase(T *t)
	{
		node *n = t;
		n->prev->next = n->next;
		n->next->prev = n->prev;
		n->next = n->prev = nullptr;
	}
};

} // namespace bsd
