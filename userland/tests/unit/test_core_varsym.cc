// SPDX-License-Identifier: GPL-2.0-only
// Variant symbols: rules, limits, who inherits them, when they go. What other threads do
// meanwhile is in tests/interleave.
#include "world.hh"

using namespace sim;

namespace
{

constexpr auto PROC = CORE_VARSYM_PROC, USER = CORE_VARSYM_USER, SYS = CORE_VARSYM_SYS;
constexpr unsigned proc_mask = 1 << PROC, user_mask = 1 << USER, sys_mask = 1 << SYS;
constexpr int eperm = 1, enoent = 2, e2big = 7, enomem = 12, enospc = 28, eoverflow = 75;
// What a symbol counts besides its letters.
constexpr unsigned overhead = 56;

class CoreVarsym : public CoreTest
{
protected:
	void SetUp() override
	{
		CoreTest::SetUp();
		p_ = linux_.fork(linux_.init());
		p_->euid = p_->payer = 1000;
	}

	// As linux_.fork(), by other rules.
	task_struct *clone(task_struct *maker, const clone_args &args)
	{
		task_struct *task = linux_.copy_process(maker, args);
		linux_.newtask(task);
		return task;
	}

	// Symbols that count `size` together.
	static void fill(task_struct *task, core_varsym_level level, unsigned size)
	{
		for (unsigned i = 100; size; i++) {
			const std::string name = std::to_string(i);
			const unsigned most = overhead + name.size() + CORE_VARSYM_DATA - 1;
			// Nothing too small may be left for the last one.
			unsigned part = std::min(size, most);
			if (size - part && size - part < 2 * overhead)
				part -= 2 * overhead;
			const std::string data(part - overhead - name.size(), 'x');
			ASSERT_EQ(varsym_set(task, level, name, data), 0);
			size -= part;
		}
	}

	task_struct *p_ = nullptr;
};

TEST_F(CoreVarsym, SetGetDeleteAtEachLevel)
{
	p_->admin = true;
	for (const auto level : {PROC, USER, SYS}) {
		const unsigned mask = 1u << level;
		EXPECT_EQ(varsym_get(p_, "a", mask), "?2");
		EXPECT_EQ(varsym_delete(p_, level, "a"), enoent);
		EXPECT_EQ(varsym_list(p_, level), "");
		EXPECT_EQ(varsym_set(p_, level, "a", "1"), 0);
		EXPECT_EQ(varsym_set(p_, level, "ab", ""), 0);
		EXPECT_EQ(varsym_set(p_, level, "b", "a"), 0);
		EXPECT_EQ(varsym_get(p_, "a", mask), "1");
		EXPECT_EQ(varsym_get(p_, "a", 0xe & ~mask), "?2");
		EXPECT_EQ(varsym_get(p_, "ab", mask), "");
		EXPECT_EQ(varsym_get(p_, "abc", mask), "?2");
		EXPECT_EQ(varsym_list(p_, level), "a=1 ab= b=a");
		// A new value's place is the end.
		EXPECT_EQ(varsym_set(p_, level, "a", "two"), 0);
		EXPECT_EQ(varsym_list(p_, level), "ab= b=a a=two");
		EXPECT_EQ(varsym_delete(p_, level, "b"), 0);
		EXPECT_EQ(varsym_delete(p_, level, "b"), enoent);
		EXPECT_EQ(varsym_list(p_, level), "ab= a=two");
		EXPECT_EQ(varsym_delete(p_, level, "ab"), 0);
		EXPECT_EQ(other_memory_live(), 1u);
		EXPECT_EQ(varsym_delete(p_, level, "a"), 0);
		EXPECT_EQ(other_memory_live(), 0u);
		EXPECT_EQ(varsym_list(p_, level), "");
	}
}

TEST_F(CoreVarsym, ProcessBeforeUserBeforeSystem)
{
	p_->admin = true;
	ASSERT_EQ(varsym_set(p_, SYS, "v", "sys"), 0);
	EXPECT_EQ(varsym_get(p_, "v"), "sys");
	ASSERT_EQ(varsym_set(p_, USER, "v", "user"), 0);
	EXPECT_EQ(varsym_get(p_, "v"), "user");
	ASSERT_EQ(varsym_set(p_, PROC, "v", "proc"), 0);
	EXPECT_EQ(varsym_get(p_, "v"), "proc");
	EXPECT_EQ(varsym_get(p_, "v", proc_mask), "proc");
	EXPECT_EQ(varsym_get(p_, "v", user_mask), "user");
	EXPECT_EQ(varsym_get(p_, "v", sys_mask), "sys");
	EXPECT_EQ(varsym_get(p_, "v", user_mask | sys_mask), "user");
	EXPECT_EQ(varsym_get(p_, "v", 0), "?2");
	// An empty value is one.
	ASSERT_EQ(varsym_set(p_, PROC, "v", ""), 0);
	EXPECT_EQ(varsym_get(p_, "v"), "");
	ASSERT_EQ(varsym_delete(p_, PROC, "v"), 0);
	EXPECT_EQ(varsym_get(p_, "v"), "user");
}

TEST_F(CoreVarsym, AnEmptyNameIsOne)
{
	EXPECT_EQ(varsym_set(p_, PROC, "", "nameless"), 0);
	EXPECT_EQ(varsym_set(p_, PROC, "a", ""), 0);
	EXPECT_EQ(varsym_get(p_, ""), "nameless");
	EXPECT_EQ(varsym_list(p_), "=nameless a=");
	EXPECT_EQ(varsym_delete(p_, PROC, ""), 0);
	EXPECT_EQ(varsym_list(p_), "a=");
}

TEST_F(CoreVarsym, ListedInPieces)
{
	const std::string big(CORE_VARSYM_DATA - 1, 'b'), name(CORE_VARSYM_NAME - 1, 'n');
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	ASSERT_EQ(varsym_set(p_, PROC, name, big), 0);
	ASSERT_EQ(varsym_set(p_, PROC, "c", ""), 0);
	as self(p_);
	char text[CORE_VARSYM_TEXT];
	int marker = 0;
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 0), -eoverflow);
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 3), -eoverflow);
	EXPECT_EQ(marker, 0);
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 4), 4);
	EXPECT_EQ(std::string(text, 4), std::string("a\0001\0", 4));
	EXPECT_EQ(marker, 1);
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 319), -eoverflow);
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 322), 320);
	EXPECT_EQ(marker, 2);
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 3), 3);
	EXPECT_EQ(std::string(text, 3), std::string("c\0\0", 3));
	EXPECT_EQ(marker, -1);
	// The end of the list begins it anew; beyond it there is nothing.
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 4), 4);
	EXPECT_EQ(marker, 1);
	marker = 3;
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 0), 0);
	EXPECT_EQ(marker, -1);
	marker = 0x7fffffff;
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, 500), 0);
	marker = -0x7fffffff - 1;
	EXPECT_EQ(core_varsym_list(PROC, &marker, text, sizeof(text)), 4 + 320 + 3);
}

TEST_F(CoreVarsym, ASetThatIsFullTakesNoMore)
{
	p_->admin = true;
	for (const auto level : {PROC, USER, SYS}) {
		// What is there counts, not what comes.
		fill(p_, level, CORE_VARSYM_SET - 1);
		const std::string longest(CORE_VARSYM_DATA - 1, 'l');
		EXPECT_EQ(varsym_set(p_, level, "l", longest), 0);
		EXPECT_EQ(varsym_set(p_, level, "m", ""), e2big);
		// Not even a value for what is there, which then stays as it was.
		const std::string before = varsym_get(p_, "100", 1u << level);
		EXPECT_EQ(varsym_set(p_, level, "100", "new"), 0);
		EXPECT_EQ(varsym_set(p_, level, "101", "new"), 0);
		EXPECT_EQ(varsym_get(p_, "100", 1u << level), "new");
		EXPECT_EQ(varsym_set(p_, level, "100", before), 0);
		EXPECT_EQ(varsym_delete(p_, level, "l"), 0);
		EXPECT_EQ(varsym_set(p_, level, "m", ""), 0);
	}
}

TEST_F(CoreVarsym, AFullSetKeepsTheOldValue)
{
	ASSERT_EQ(varsym_set(p_, PROC, "s", "short"), 0);
	fill(p_, PROC, CORE_VARSYM_SET - 1 - overhead - 6);
	const std::string longest(CORE_VARSYM_DATA - 1, 'l');
	ASSERT_EQ(varsym_set(p_, PROC, "l", longest), 0);
	const std::string all = varsym_list(p_);
	EXPECT_EQ(varsym_set(p_, PROC, "s", "other"), e2big);
	EXPECT_EQ(varsym_get(p_, "s"), "short");
	EXPECT_EQ(varsym_list(p_), all);
}

// The limit is met exactly: with one less there is room, with it there is none.
TEST_F(CoreVarsym, TheLimitIsMetExactly)
{
	fill(p_, PROC, CORE_VARSYM_SET);
	EXPECT_EQ(varsym_set(p_, PROC, "", ""), e2big);
	linux_.exit(p_);
	linux_.reap(linux_.init(), p_);
	task_struct *q = linux_.fork(linux_.init());
	fill(q, PROC, CORE_VARSYM_SET - 1);
	EXPECT_EQ(varsym_set(q, PROC, "", ""), 0);
}

// As many letters as can be are less than what the core promises.
TEST_F(CoreVarsym, AWholeSetFitsItsText)
{
	const std::string longest(CORE_VARSYM_DATA - 1, 'l');
	const std::string pad(CORE_VARSYM_NAME - 1 - 3, 'n');
	unsigned n = 100;
	while (varsym_set(p_, PROC, pad + std::to_string(n), longest) == 0)
		n++;
	EXPECT_EQ(n, 122u);
	EXPECT_NE(varsym_list(p_)[0], '?');
	task_struct *q = linux_.fork(linux_.init());
	for (n = 10; varsym_set(q, PROC, std::to_string(n), "") == 0; n++)
		;
	EXPECT_EQ(n, 10u + 90 + 51); // 90 names of two letters, the others of three
	EXPECT_NE(varsym_list(q)[0], '?');
}

// ---- whose they are -----------------------------------------------------------------

TEST_F(CoreVarsym, AProcessIsAllItsThreads)
{
	task_struct *thread = linux_.thread(p_);
	ASSERT_EQ(varsym_set(thread, PROC, "a", "1"), 0);
	EXPECT_EQ(varsym_get(p_, "a"), "1");
	linux_.exit(thread);
	EXPECT_EQ(varsym_get(p_, "a"), "1");
}

TEST_F(CoreVarsym, InheritedByForkAndThenOnesOwn)
{
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	task_struct *child = linux_.fork(p_), *vforked = clone(p_, {.vfork = true});
	task_struct *odd = linux_.fork(p_, 0);
	for (task_struct *task : {child, vforked, odd})
		EXPECT_EQ(varsym_list(task), "a=1");
	ASSERT_EQ(varsym_set(child, PROC, "b", "2"), 0);
	ASSERT_EQ(varsym_set(p_, PROC, "a", "3"), 0);
	ASSERT_EQ(varsym_delete(odd, PROC, "a"), 0);
	EXPECT_EQ(varsym_list(p_), "a=3");
	EXPECT_EQ(varsym_list(child), "a=1 b=2");
	EXPECT_EQ(varsym_list(vforked), "a=1");
	EXPECT_EQ(varsym_list(odd), "");
	EXPECT_EQ(varsym_list(linux_.fork(child)), "a=1 b=2");
	EXPECT_EQ(varsym_list(linux_.fork(odd)), "");
}

// Who called fork is the maker, whatever thread it was and whoever is the parent.
TEST_F(CoreVarsym, InheritedFromTheMaker)
{
	task_struct *thread = linux_.thread(p_);
	ASSERT_EQ(varsym_set(p_, PROC, "a", "parent"), 0);
	EXPECT_EQ(varsym_list(linux_.fork(thread)), "a=parent");

	task_struct *maker = linux_.fork(p_);
	ASSERT_EQ(varsym_set(maker, PROC, "a", "maker"), 0);
	task_struct *sibling = clone(maker, {.parent = true});
	ASSERT_EQ(sibling->real_parent, p_);
	EXPECT_EQ(varsym_list(sibling), "a=maker");
	ASSERT_EQ(varsym_delete(maker, PROC, "a"), 0);
	EXPECT_EQ(varsym_list(clone(maker, {.parent = true})), "");
	EXPECT_EQ(varsym_list(clone(linux_.thread(maker), {.parent = true})), "");
}

TEST_F(CoreVarsym, KeptByExec)
{
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	linux_.exec(p_);
	EXPECT_EQ(varsym_list(p_), "a=1");
	task_struct *thread = linux_.thread(p_);
	linux_.exec(thread);
	linux_.idle_a_while();
	EXPECT_EQ(varsym_list(thread), "a=1");
}

TEST_F(CoreVarsym, GoneAtTheExitOfTheLastThread)
{
	task_struct *thread = linux_.thread(p_);
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	linux_.exit(p_);
	EXPECT_EQ(varsym_list(thread), "a=1");
	EXPECT_EQ(other_memory_live(), 1u);
	linux_.exit_until(thread, stage::told);
	EXPECT_EQ(other_memory_live(), 1u);
	linux_.exit_until(thread, stage::worked);
	EXPECT_EQ(other_memory_live(), 0u); // with its parent not told
}

// Fork takes no memory for them, so none can be missing there.
TEST_F(CoreVarsym, SharedByThousands)
{
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	std::vector<task_struct *> children;
	memory_fault::fail_nth(0);
	for (int i = 0; i < 3000; i++)
		children.push_back(linux_.fork(p_));
	EXPECT_EQ(memory_fault::calls(), 2u * 3000); // the proc, and its place in the map
	EXPECT_EQ(other_memory_live(), 1u);
	linux_.exit(p_);
	for (task_struct *child : children) {
		ASSERT_EQ(varsym_list(child), "a=1");
		linux_.exit(child);
	}
	EXPECT_EQ(other_memory_live(), 0u);
}

// ---- users, and the system ----------------------------------------------------------

TEST_F(CoreVarsym, AUsersAreThatUsersAlone)
{
	task_struct *other = linux_.fork(p_);
	ASSERT_EQ(varsym_set(p_, USER, "u", "1000's"), 0);
	EXPECT_EQ(varsym_get(other, "u"), "1000's");
	for (const unsigned uid : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffffeu}) {
		other->euid = other->payer = uid;
		EXPECT_EQ(varsym_get(other, "u"), "?2");
		EXPECT_EQ(varsym_set(other, USER, "u", std::to_string(uid)), 0);
	}
	for (const unsigned uid : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffffeu}) {
		other->euid = uid;
		EXPECT_EQ(varsym_get(other, "u"), std::to_string(uid));
	}
	EXPECT_EQ(varsym_get(p_, "u"), "1000's");
	// They outlive the user's processes; at unload all of them go.
	linux_.exit(p_);
	other->euid = 1000;
	EXPECT_EQ(varsym_get(other, "u"), "1000's");
}

TEST_F(CoreVarsym, TheSystemsAreTheAdminsToChange)
{
	EXPECT_EQ(varsym_set(p_, SYS, "s", "1"), eperm);
	EXPECT_EQ(varsym_delete(p_, SYS, "s"), eperm);
	task_struct *admin = linux_.fork(linux_.init());
	admin->admin = true;
	EXPECT_EQ(varsym_set(admin, SYS, "s", "1"), 0);
	EXPECT_EQ(varsym_get(p_, "s"), "1");
	EXPECT_EQ(varsym_list(p_, SYS), "s=1");
	EXPECT_EQ(varsym_delete(p_, SYS, "s"), eperm);
	EXPECT_EQ(varsym_get(p_, "s"), "1");
}

// What one user can have kept by becoming many is bounded; its own is not denied for it.
TEST_F(CoreVarsym, NamespacesDoNotMultiplyAUser)
{
	task_struct *inside = linux_.fork(p_);
	for (unsigned i = 0; i < 256; i++) {
		inside->euid = 100000 + i;
		ASSERT_EQ(varsym_set(inside, USER, "a", "1"), 0);
	}
	inside->euid = 200000;
	EXPECT_EQ(varsym_set(inside, USER, "a", "1"), enospc);
	EXPECT_EQ(varsym_list(inside, USER), "");
	EXPECT_EQ(varsym_set(p_, USER, "a", "1"), 0);
	task_struct *other = linux_.fork(linux_.init());
	other->euid = 300000;
	other->payer = 1001;
	EXPECT_EQ(varsym_set(other, USER, "a", "1"), 0);
	// Who has one may go on, and keeps its payer.
	inside->euid = 100000;
	EXPECT_EQ(varsym_set(inside, USER, "b", "2"), 0);
	other->euid = 100001;
	EXPECT_EQ(varsym_set(other, USER, "b", "2"), 0);
	inside->euid = 200000;
	EXPECT_EQ(varsym_set(inside, USER, "a", "1"), enospc);
	// 1000's own is one of them.
	EXPECT_EQ(varsym_delete(p_, USER, "a"), 0);
	inside->euid = 100002;
	EXPECT_EQ(varsym_delete(inside, USER, "a"), 0);
	inside->euid = 200000;
	EXPECT_EQ(varsym_set(inside, USER, "a", "1"), 0);
}

// ---- memory ---------------------------------------------------------------------------

TEST_F(CoreVarsym, WithoutMemoryAllStaysAsItWas)
{
	p_->admin = true;
	for (const auto level : {PROC, USER, SYS}) {
		memory_fault::fail_nth(1);
		EXPECT_EQ(varsym_set(p_, level, "a", "1"), enomem);
		EXPECT_EQ(varsym_list(p_, level), "");
		ASSERT_EQ(varsym_set(p_, level, "a", "1"), 0);
		ASSERT_EQ(varsym_set(p_, level, "b", "2"), 0);
		memory_fault::fail_nth(1);
		EXPECT_EQ(varsym_set(p_, level, "a", "3"), enomem);
		memory_fault::fail_nth(1);
		EXPECT_EQ(varsym_delete(p_, level, "a"), enomem);
		EXPECT_EQ(varsym_list(p_, level), "a=1 b=2");
		memory_fault::fail_nth(0);
	}
}

// Whichever allocation of a fork fails: the set is held by who is there.
TEST_F(CoreVarsym, AForkThatIsMissed)
{
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	for (unsigned nth = 1; nth <= 2; nth++) {
		memory_fault::fail_nth(nth);
		task_struct *child = linux_.fork(p_);
		memory_fault::fail_nth(0);
		grace_period();
		ASSERT_EQ(varsym_set(p_, PROC, "a", std::to_string(nth)), 0);
		// Adopted now, it has what its parent has by now.
		EXPECT_EQ(varsym_list(child), "a=" + std::to_string(nth));
		linux_.exit(child);
		linux_.reap(p_, child);
	}
	linux_.exit(p_);
	linux_.idle_a_while();
	EXPECT_EQ(other_memory_live(), 0u);
}

// The model has not got the thread that makes it, but its process: that is the maker.
TEST_F(CoreVarsym, ASiblingWhoseMakerIsAMissedThread)
{
	ASSERT_EQ(varsym_set(p_, PROC, "a", "parent"), 0);
	task_struct *maker = linux_.fork(p_);
	ASSERT_EQ(varsym_set(maker, PROC, "a", "maker"), 0);
	memory_fault::fail_until_waits(1000);
	task_struct *missed = linux_.thread(maker);
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(varsym_list(clone(missed, {.parent = true})), "a=maker");
}

// The maker is known, the parent is not: the maker still counts.
TEST_F(CoreVarsym, ASiblingWhoseParentIsUnknown)
{
	linux_.probes.fresh = false;
	task_struct *parent = linux_.fork(p_), *maker = linux_.fork(parent);
	linux_.probes.fresh = true;
	ASSERT_EQ(varsym_set(maker, PROC, "a", "maker"), 0);
	{
		// As if Linux had let go of it.
		host_rcu_read_lock();
		core_task_free(parent);
		host_rcu_read_unlock();
	}
	EXPECT_EQ(varsym_list(clone(maker, {.parent = true})), "a=maker");
}

// Both unknown: what the parent has, as the maker is going to have that as well.
TEST_F(CoreVarsym, ASiblingWhoseMakerIsUnknown)
{
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	linux_.probes.fresh = false;
	task_struct *maker = linux_.fork(p_);
	linux_.probes.fresh = true;
	EXPECT_EQ(varsym_list(clone(maker, {.parent = true})), "a=1");
	EXPECT_EQ(varsym_list(maker), "a=1");
}

// It was missed all its life, so no pipeline cleans it.
TEST_F(CoreVarsym, AZombieThatIsAdopted)
{
	ASSERT_EQ(varsym_set(p_, PROC, "a", "1"), 0);
	linux_.probes.fresh = linux_.probes.exit = false;
	task_struct *child = linux_.fork(p_);
	linux_.exit(child);
	linux_.probes.fresh = linux_.probes.exit = true;
	{
		as insmod(linux_.init());
		core_adopt_all();
	}
	linux_.exit(p_);
	linux_.reap(linux_.init(), p_);
	linux_.reap(linux_.init(), child);
	linux_.idle_a_while();
	EXPECT_EQ(other_memory_live(), 0u);
}

// Called when memory is short by one whom the model does not know.
TEST_F(CoreVarsym, UnknownForLong)
{
	linux_.probes.fresh = false;
	task_struct *stranger = linux_.fork(p_);
	linux_.probes.fresh = true;
	memory_fault::fail_until_waits(1000);
	EXPECT_EQ(varsym_set(stranger, PROC, "a", "1"), enomem);
	EXPECT_EQ(varsym_get(stranger, "a"), "?12");
	EXPECT_EQ(varsym_list(stranger), "?12");
	EXPECT_EQ(varsym_get(stranger, "a", user_mask | sys_mask), "?2");
	memory_fault::fail_until_waits(0);
	EXPECT_EQ(varsym_set(stranger, PROC, "a", "1"), 0);
}

// At each place where somebody else may come in between: two who set, none is lost.
TEST_F(CoreVarsym, AnotherThreadIsQuicker)
{
	p_->admin = true;
	task_struct *thread = linux_.thread(p_);
	for (const auto level : {PROC, USER, SYS})
		for (unsigned nth = 1;; nth++) {
			ASSERT_EQ(varsym_set(p_, level, "a", "0"), 0);
			intruder other(intruder::where::unlocked, nth, [&] {
				EXPECT_EQ(varsym_set(thread, level, "b", "2"), 0);
				EXPECT_EQ(varsym_set(thread, level, "a", "x"), 0);
				EXPECT_EQ(varsym_delete(thread, level, "a"), 0);
			});
			EXPECT_EQ(varsym_set(p_, level, "c", "3"), 0);
			if (!other.came()) {
				EXPECT_GT(nth, 2u);
				break;
			}
			EXPECT_EQ(varsym_get(p_, "a", 1u << level), "?2");
			EXPECT_EQ(varsym_get(p_, "b", 1u << level), "2");
			EXPECT_EQ(varsym_get(p_, "c", 1u << level), "3");
			EXPECT_EQ(varsym_delete(p_, level, "b"), 0);
			EXPECT_EQ(varsym_delete(p_, level, "c"), 0);
		}
}

TEST_F(CoreVarsym, UnloadedWithSetsEverywhere)
{
	p_->admin = true;
	linux_.fork(p_);
	for (const auto level : {PROC, USER, SYS})
		ASSERT_EQ(varsym_set(p_, level, "a", "1"), 0);
	p_->euid = 7;
	ASSERT_EQ(varsym_set(p_, USER, "a", "1"), 0);
	linux_.fork(p_);
	unload(); // which expects that nothing is left
	ASSERT_EQ(load(), 0);
	for (const auto level : {PROC, USER, SYS})
		EXPECT_EQ(varsym_list(p_, level), "");
}

} // namespace
