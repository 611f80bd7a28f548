// SPDX-License-Identifier: GPL-2.0-only
// An intrusive search tree over int keys: a treap whose priorities are a hash
// of the key, so that a node is two pointers and nothing recurses or allocates.
#pragma once

namespace bsd
{

template <class T> struct tree_node {
	T *left{};
	T *right{};
};

// Key(const T &) gives an object's key; keys in one tree are unique.
template <class T, int (*Key)(const T &)> class tree
{
	using node = tree_node<T>;
	T *root_{};

	static T *&left(T *t) { return static_cast<node *>(t)->left; }
	static T *&right(T *t) { return static_cast<node *>(t)->right; }

	// A bijection of 32 bits (the finaliser of MurmurHash3): no two keys of
	// one tree have equal priority.
	static unsigned priority(const T &t)
	{
		unsigned x = static_cast<unsigned>(Key(t));
		x ^= x >> 16;
		x *= 0x85ebca6bu;
		x ^= x >> 13;
		x *= 0xc2b2ae35u;
		return x ^ x >> 16;
	}

	// The link that points to `key`, or where such a node would hang.
	T **find_link(int key)
	{
		T **link = &root_;
		while (*link && Key(**link) != key)
			link = key < Key(**link) ? &left(*link) : &right(*link);
		return link;
	}

public:
	bool empty() const { return !root_; }
	T *find(int key) { return *find_link(key); }

	// The object with the smallest key above `key`, or null.
	T *after(int key)
	{
		T *best = nullptr;
		for (T *t = root_; t;) {
			if (Key(*t) > key) {
				best = t;
				t = left(t);
			} else {
				t = right(t);
			}
		}
		return best;
	}

	void insert(T *t)
	{
		if (!root_) {
			left(t) = right(t) = nullptr;
			root_ = t;
			return;
		}
		const int key = Key(*t);
		const unsigned mine = priority(*t);

		T **link = &root_;
		while (*link && priority(**link) > mine)
			link = key < Key(**link) ? &left(*link) : &right(*link);
		// What hangs there is split around the new key.
		T *rest = *link;
		T **below = &left(t), **above = &right(t);
		*link = t;
		while (rest) {
			if (Key(*rest) < key) {
				*below = rest;
				below = &right(rest);
				rest = *below;
			} else {
				*above = rest;
				above = &left(rest);
				rest = *above;
			}
		}
		*below = *above = nullptr;
	}

	void erase(T *t)
	{
		T **link = find_link(Key(*t));
		T *l = left(t), *r = right(t);
		while (l && r) {
			if (priority(*l) > priority(*r)) {
				*link = l;
				link = &right(l);
				l = *link;
			} else {
				*link = r;
				link = &left(r);
				r = *link;
			}
		}
		*link = l ? l : r;
		left(t) = right(t) = nullptr;
	}
};

} // namespace bsd
