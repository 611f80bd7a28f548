// SPDX-License-Identifier: GPL-2.0-only
// The core's containers, against the standard library's.
#include <list>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/list.hh"
#include "core/tree.hh"

namespace
{

struct leaf : bsd::tree_node<leaf> {
	int key;
};

int key_of(const leaf &l)
{
	return l.key;
}

using leaf_tree = bsd::tree<leaf, key_of>;

std::vector<int> keys(leaf_tree &tree, int from)
{
	std::vector<int> result;
	for (leaf *l = tree.after(from); l; l = tree.after(l->key))
		result.push_back(l->key);
	return result;
}

void expect_equal(leaf_tree &tree, const std::map<int, leaf *> &map)
{
	std::vector<int> expected;
	for (const auto &entry : map)
		expected.push_back(entry.first);
	EXPECT_EQ(keys(tree, -1), expected);
	EXPECT_EQ(tree.empty(), map.empty());
}

TEST(CoreTree, Empty)
{
	leaf_tree tree;
	EXPECT_TRUE(tree.empty());
	EXPECT_EQ(tree.find(1), nullptr);
	EXPECT_EQ(tree.after(0), nullptr);
}

TEST(CoreTree, AscendingAndDescendingKeys)
{
	std::vector<leaf> leaves(1000);
	leaf_tree tree;
	std::map<int, leaf *> map;
	for (int i = 0; i < 1000; i++) {
		leaves[i].key = i < 500 ? i : 1499 - i;
		tree.insert(&leaves[i]);
		map[leaves[i].key] = &leaves[i];
	}
	expect_equal(tree, map);
	while (!map.empty()) {
		tree.erase(map.begin()->second);
		map.erase(map.begin());
		if (map.size() % 100 == 0)
			expect_equal(tree, map);
	}
}

class CoreTreeRandom : public testing::TestWithParam<int>
{
};

TEST_P(CoreTreeRandom, AsAMap)
{
	// Few keys make collisions of find and insert, many make depth.
	const int range = GetParam();
	std::mt19937 random(range);
	std::vector<leaf> leaves(range);
	leaf_tree tree;
	std::map<int, leaf *> map;
	for (int i = 0; i < range; i++)
		leaves[i].key = i;

	for (int step = 0; step < 20000; step++) {
		const int key = random() % range;
		const auto above = map.upper_bound(key);
		leaf *after = tree.after(key);
		ASSERT_EQ(after, above == map.end() ? nullptr : above->second);
		const auto at = map.find(key);
		ASSERT_EQ(tree.find(key), at == map.end() ? nullptr : at->second);
		if (at == map.end()) {
			tree.insert(&leaves[key]);
			map[key] = &leaves[key];
		} else {
			tree.erase(&leaves[key]);
			map.erase(at);
			ASSERT_EQ(leaves[key].left, nullptr);
			ASSERT_EQ(leaves[key].right, nullptr);
		}
		if (step % 1000 == 0)
			expect_equal(tree, map);
	}
}

INSTANTIATE_TEST_SUITE_P(Ranges, CoreTreeRandom, testing::Values(1, 2, 7, 64, 1000, 10000));

// An object on two lists at once, as a proc is.
struct one_tag;
struct other_tag;
struct item : bsd::list_node<item, one_tag>, bsd::list_node<item, other_tag> {
	int number;
};

template <class List> std::vector<int> numbers(List &list)
{
	std::vector<int> result;
	for (item *i = list.first(); i; i = list.after(i))
		result.push_back(i->number);
	return result;
}

TEST(CoreList, KeepsTheOrderOfArrival)
{
	item items[3];
	bsd::list<item, one_tag> list;
	list.init();
	EXPECT_TRUE(list.empty());
	EXPECT_EQ(list.first(), nullptr);
	for (int i = 0; i < 3; i++) {
		items[i].number = i;
		list.push_back(&items[i]);
	}
	EXPECT_EQ(numbers(list), (std::vector{0, 1, 2}));
	list.erase(&items[1]);
	EXPECT_EQ(numbers(list), (std::vector{0, 2}));
	list.push_back(&items[1]);
	list.erase(&items[0]);
	EXPECT_EQ(numbers(list), (std::vector{2, 1}));
}

TEST(CoreList, OneObjectOnTwoLists)
{
	std::vector<item> items(50);
	bsd::list<item, one_tag> one;
	bsd::list<item, other_tag> other;
	std::list<int> one_model, other_model;
	one.init();
	other.init();
	for (int i = 0; i < 50; i++)
		items[i].number = i;

	std::mt19937 random(1);
	const auto flip = [](auto &list, auto &model, item *i, bool linked) {
		if (linked) {
			list.erase(i);
			model.remove(i->number);
		} else {
			list.push_back(i);
			model.push_back(i->number);
		}
	};
	for (int step = 0; step < 5000; step++) {
		item *i = &items[random() % items.size()];
		if (random() % 2)
			flip(one, one_model, i, i->bsd::list_node<item, one_tag>::linked());
		else
			flip(other, other_model, i, i->bsd::list_node<item, other_tag>::linked());
		ASSERT_EQ(one.empty(), one_model.empty());
	}
	EXPECT_EQ(numbers(one), std::vector<int>(one_model.begin(), one_model.end()));
	EXPECT_EQ(numbers(other), std::vector<int>(other_model.begin(), other_model.end()));
}

} // namespace
