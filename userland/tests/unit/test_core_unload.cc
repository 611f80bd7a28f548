// SPDX-License-Identifier: GPL-2.0-only
// The module goes, and comes again, at any step of a life.
#include "life.hh"

using namespace sim;

namespace
{

void live_on(world &w, life &l)
{
	kernel &linux_ = w.linux_;
	while (!l.over()) {
		l.step();
		if (l.quiet() && w.ready)
			EXPECT_MODEL_EQUALS_LINUX();
	}
}

TEST(CoreUnload, AtEachStep)
{
	unsigned length = 1;
	for (unsigned at = 0; at <= length; at++) {
		SCOPED_TRACE("after step " + std::to_string(at));
		world w;
		ASSERT_EQ(w.load(), 0);
		life l(w);
		length = l.length();
		for (unsigned i = 0; i < at; i++)
			l.step();
		w.unload(); // expects the pools empty
	}
}

TEST(CoreUnload, AndLoadedAgain)
{
	unsigned length = 1;
	for (unsigned at = 0; at < length; at++) {
		SCOPED_TRACE("after step " + std::to_string(at));
		world w;
		kernel &linux_ = w.linux_;
		ASSERT_EQ(w.load(), 0);
		life l(w);
		length = l.length();
		for (unsigned i = 0; i < at; i++)
			l.step();
		w.unload();
		ASSERT_EQ(w.load(), 0);
		EXPECT_WAITS_EQUAL_LINUX();
		live_on(w, l);
		linux_.idle_a_while();
		EXPECT_EQ(pool_live(HOST_POOL_PROC), 1u);
	}
}

TEST(CoreUnload, BeforeAnythingWasAdopted)
{
	world w;
	w.linux_.fork(w.linux_.init());
	w.load_begin();
	w.unload();
}

TEST(CoreUnload, WithLimboClaimsAndStoresPending)
{
	world w;
	kernel &linux_ = w.linux_;
	ASSERT_EQ(w.load(), 0);
	task_struct *p = linux_.fork(linux_.init());
	task_struct *thread = linux_.thread(p), *other = linux_.thread(p);
	linux_.exit(linux_.fork(p), 1 << 8);
	EXPECT_NE(wait_nohang(thread).pid, 0);
	int there = 0;
	extexit(other, CORE_WHO_LWP, setint_make(&there, 1));
	linux_.exit_until(p, stage::worked);
	w.unload();
	// Whoever was on its way finds no module, and no trace of it.
	linux_.exit(p);
	linux_.exit(thread);
	linux_.exit(other);
	EXPECT_EQ(there, 0);
}

} // namespace
