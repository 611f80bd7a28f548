// SPDX-License-Identifier: GPL-2.0-only
// Those who look at processes that come and go: what they use must still be there.
#include "explorer.hh"

using namespace sim;

namespace
{

TEST(InterleaveLook, AtOneThatIsFreed)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *child = linux_.fork(p);
		pid *number = child->signal->tgid;
		linux_.pid_get(number);
		linux_.exit(child);
		return scenario{{[&linux_, p, child] {
					 linux_.reap(p, child);
					 when([&linux_, child] { return linux_.may_free(child); });
					 linux_.free(child);
					 grace_period();
				 },
				 [number] {
					 const view v = look_at(number);
					 EXPECT_TRUE(v.error == 3 ||
						     v.proc.stat == unsigned(CORE_SZOMB));
					 EXPECT_TRUE(v.error == 3 || v.lwps.size() == 1);
				 },
				 [&linux_] {
					 // Not by tasks, which Linux keeps as long as
					 // somebody looks: by all that the map has.
					 as looker(linux_.init());
					 core_silence();
				 }},
				[&w, number] { w.linux_.pid_put(number); }};
	});
}

// A thread ends and is freed while somebody reads the lwps of its process.
TEST(InterleaveLook, AtThreadsThatEnd)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		return scenario{
			{[&linux_, second] {
				 linux_.exit(second);
				 when([&linux_, second] { return linux_.may_free(second); });
				 linux_.free(second);
				 grace_period();
			 },
			 [p] {
				 const view v = look_at(p);
				 EXPECT_EQ(v.error, 0);
				 EXPECT_EQ(v.proc.nlwps, v.lwps.size());
			 },
			 [&linux_] {
				 as looker(linux_.init());
				 core_silence(); // the same
			 },
			 [&linux_, p] {
				 linux_.newtask(linux_.copy_process(p, {.thread = true}));
			 }}};
	});
}

// Nobody knows the process: its threads' events and a look all adopt it. A thread's task
// may be gone before anybody names the leader.
TEST(InterleaveLook, AtOneThatIsUnknown)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		linux_.probes.fresh = false;
		task_struct *p = linux_.fork(linux_.init()), *second = linux_.thread(p);
		task_struct *child = linux_.fork(p);
		linux_.probes.fresh = true;
		return scenario{{exits(linux_, second), freed(linux_, second),
				 exits(linux_, child, 2 << 8), [&linux_, p] {
					 EXPECT_GT(lwp_tid(p), 0);
					 // Not two for one process.
					 EXPECT_EQ(look_at(linux_.init()).proc.nchildren, 1u);
				 }}};
	});
}

// A thread asks for its own id while somebody else adopts it.
TEST(InterleaveLook, AtItselfWhileItIsAdopted)
{
	explore([](world &w) {
		kernel &linux_ = w.linux_;
		task_struct *p = linux_.fork(linux_.init());
		linux_.probes.fresh = false;
		task_struct *second = linux_.thread(p);
		linux_.probes.fresh = true;
		return scenario{{[&linux_] {
					 as looker(linux_.init());
					 core_adopt_all();
				 },
				 [second] { EXPECT_EQ(lwp_tid(second), 2); }}};
	});
}

} // namespace
