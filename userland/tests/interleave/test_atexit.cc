// SPDX-License-Identifier: GPL-2.0-only
// Callouts that come and go while processes are inside them.
#include "../../../include/bsdproc_at_exit.h"
#include "explorer.hh"

using namespace sim;

namespace
{

unsigned inside, seen, seen_by_next;
bool removed, let_go;

void sleeps(task_struct *)
{
	EXPECT_FALSE(removed);
	inside++;
	when([] { return let_go; });
	inside--;
	seen++;
}

void passes(task_struct *)
{
	EXPECT_FALSE(removed);
	inside++;
	turns_here->point();
	inside--;
	seen++;
}

void next(task_struct *)
{
	seen_by_next++;
}

void begin()
{
	inside = seen = seen_by_next = 0;
	removed = let_go = false;
}

// Who takes it away may forget its code, and its memory.
TEST(InterleaveAtExit, RemovedWhileProcessesAreInside)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		begin();
		task_struct *p = linux_.fork(linux_.init()), *q = linux_.fork(linux_.init());
		task_struct *rmmod = linux_.fork(linux_.init());
		EXPECT_EQ(at_exit(passes), 0);
		EXPECT_EQ(at_exit(next), 0);
		return scenario{{exits(linux_, p), exits(linux_, q),
				 [rmmod] {
					 as caller(rmmod);
					 EXPECT_EQ(rm_at_exit(passes), 1);
					 EXPECT_EQ(inside, 0u);
					 removed = true;
				 }},
				[] {
					EXPECT_EQ(seen_by_next, 2u);
					EXPECT_EQ(rm_at_exit(next), 1);
					EXPECT_EQ(other_memory_live(), 0u);
				}};
	});
}

void removes_itself(task_struct *)
{
	inside++;
	EXPECT_LE(rm_at_exit(removes_itself), 1);
	turns_here->point();
	EXPECT_FALSE(removed);
	inside--;
}

// Who takes itself away is still inside; the module's own removal waits for that.
TEST(InterleaveAtExit, RemovedFromInsideAndThenByItsModule)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		begin();
		task_struct *p = linux_.fork(linux_.init()), *q = linux_.fork(linux_.init());
		task_struct *rmmod = linux_.fork(linux_.init());
		EXPECT_EQ(at_exit(removes_itself), 0);
		return scenario{{exits(linux_, p), exits(linux_, q),
				 [rmmod] {
					 as caller(rmmod);
					 rm_at_exit(removes_itself);
					 EXPECT_EQ(inside, 0u);
					 removed = true;
				 }},
				[] { EXPECT_EQ(other_memory_live(), 0u); }};
	});
}

// One that never comes back holds up its own process alone, and not who removes another.
TEST(InterleaveAtExit, OneSleepsAndAnotherIsRemoved)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		begin();
		task_struct *p = linux_.fork(linux_.init()), *q = linux_.fork(linux_.init());
		task_struct *rmmod = linux_.fork(linux_.init());
		EXPECT_EQ(at_exit(next), 0);
		exitlist *handler = process_exit_register(
			[](void *first, task_struct *task) {
				if (task == first)
					sleeps(task);
			},
			p, PROCESS_EXIT_PRI_ANY);
		return scenario{{exits(linux_, p),
				 [&linux_, q, rmmod] {
					 linux_.exit(q);
					 as caller(rmmod);
					 EXPECT_EQ(rm_at_exit(next), 1);
					 EXPECT_EQ(seen_by_next, 1u);
					 let_go = true;
				 }},
				[handler, rmmod] {
					as caller(rmmod);
					process_exit_deregister(handler);
					EXPECT_EQ(seen, 1u);
					EXPECT_EQ(other_memory_live(), 0u);
				}};
	});
}

} // namespace
