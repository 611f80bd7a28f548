// SPDX-License-Identifier: GPL-2.0-only
// Variant symbols set by some threads while others fork, read and end.
#include "explorer.hh"

using namespace sim;

namespace
{

constexpr auto PROC = CORE_VARSYM_PROC, USER = CORE_VARSYM_USER, SYS = CORE_VARSYM_SYS;

void sets(task_struct *task, core_varsym_level level, const char *name, const char *data)
{
	EXPECT_EQ(varsym_set(task, level, name, data), 0);
}

bool is_one_of(const std::string &text, std::initializer_list<const char *> list)
{
	return std::any_of(list.begin(), list.end(), [&](const char *s) { return text == s; });
}

// What two threads set at once is both there, at each level.
TEST(InterleaveVarsym, SetBesideSet)
{
	for (const auto level : {PROC, USER, SYS})
		explore([level](world &w) {
			kernel &linux_ = w.linux_;
			task_struct *p = linux_.fork(linux_.init());
			p->admin = true;
			task_struct *thread = linux_.thread(p);
			sets(p, level, "o", "0");
			return scenario{{[p, level] { sets(p, level, "a", "1"); },
					 [thread, level] {
						 sets(thread, level, "b", "2");
						 EXPECT_EQ(varsym_delete(thread, level, "o"), 0);
					 }},
					[p, level] {
						const std::string list = varsym_list(p, level);
						EXPECT_TRUE(is_one_of(list, {"a=1 b=2", "b=2 a=1"}))
							<< list;
						EXPECT_EQ(other_memory_live(), 1u);
						varsym_delete(p, level, "a");
						varsym_delete(p, level, "b");
						EXPECT_EQ(other_memory_live(), 0u);
					}};
		});
}

// A child has what its maker had at one moment, and keeps it whatever the maker does then.
TEST(InterleaveVarsym, SetBesideForkAndExit)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *thread = linux_.thread(p);
		sets(p, PROC, "a", "1");
		return scenario{{[&linux_, p] {
					 task_struct *child = linux_.fork(p);
					 const std::string list = varsym_list(child);
					 EXPECT_TRUE(is_one_of(list, {"a=1", "a=2", ""})) << list;
					 linux_.exit(p);
					 EXPECT_EQ(varsym_list(child), list);
					 linux_.exit(child);
				 },
				 [&linux_, thread] {
					 sets(thread, PROC, "a", "2");
					 EXPECT_EQ(varsym_delete(thread, PROC, "a"), 0);
					 linux_.exit(thread);
				 }},
				[] { EXPECT_EQ(other_memory_live(), 0u); }};
	});
}

// The maker's other thread sets while a sibling is made, and looks at what it set.
TEST(InterleaveVarsym, SiblingsAtOnce)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *maker = linux_.fork(p);
		task_struct *thread = linux_.thread(maker);
		sets(maker, PROC, "a", "1");
		const auto makes = [&linux_](task_struct *by) {
			return [&linux_, by] {
				task_struct *task = linux_.copy_process(by, {.parent = true});
				linux_.newtask(task);
				sets(task, PROC, "own", "x");
				const std::string list = varsym_list(task);
				EXPECT_TRUE(is_one_of(list, {"a=1 own=x", "a=2 own=x"})) << list;
				linux_.exit(task);
			};
		};
		return scenario{{makes(maker), makes(thread),
				 [thread] {
					 sets(thread, PROC, "a", "2");
					 EXPECT_EQ(varsym_get(thread, "a"), "2");
				 },
				 exits(linux_, p)},
				[maker] { EXPECT_EQ(varsym_list(maker), "a=2"); }};
	});
}

// A user's set comes and goes while another process of that user reads.
TEST(InterleaveVarsym, ReadWhileTheSetGoes)
{
	for (const auto level : {USER, SYS})
		explore([level](world &w) {
			kernel &linux_ = w.linux_;
			task_struct *p = linux_.fork(linux_.init()), *q = linux_.fork(p);
			p->admin = true;
			return scenario{{[p, level] {
						 sets(p, level, "a", "1");
						 EXPECT_EQ(varsym_delete(p, level, "a"), 0);
						 sets(p, level, "a", "2");
					 },
					 [q] {
						 std::string value = varsym_get(q, "a");
						 EXPECT_TRUE(is_one_of(value, {"?2", "1", "2"}));
					 },
					 [q, level] {
						 std::string list = varsym_list(q, level);
						 EXPECT_TRUE(is_one_of(list, {"", "a=1", "a=2"}));
					 }},
					[q] { EXPECT_EQ(varsym_get(q, "a"), "2"); }};
		});
}

} // namespace
