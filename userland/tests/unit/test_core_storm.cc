// SPDX-License-Identifier: GPL-2.0-only
// Real threads, as fast as they can: families are made, live, die on other CPUs, are waited
// for, looked at and freed, all at once. For the sanitizers, above all ThreadSanitizer.
//
// CORE_ROUNDS=n has so many rounds of each.
#include <cstdlib>
#include <set>

#include "storm_family.hh"
#include "storm_others.hh"

using namespace sim;

namespace
{

class CoreStorm : public CoreTest
{
protected:
	static unsigned rounds(unsigned usual)
	{
		const char *rounds = getenv("CORE_ROUNDS");
		return rounds ? strtoul(rounds, nullptr, 0) : usual;
	}

	void SetUp() override
	{
		CoreTest::SetUp();
		acct_read(true);
	}

	void TearDown() override
	{
		acct_read(false);
		CoreTest::TearDown();
	}

	// Two families, until all is over, and once more until it could be.
	void run(machine &m, unsigned rounds)
	{
		family one(m, 1), two(m, 2);
		m.beside([&](dice &) {
			look_at_all(linux_);
			EXPECT_EQ(look_at(one.shell()).error, 0);
			EXPECT_EQ(look_at(two.shell()).error, 0);
		});
		std::thread other([&] { two.rounds(rounds); });
		one.rounds(rounds);
		other.join();
		expect_once_each(m);
		one.leave_a_tree();
		two.leave_a_tree();
		m.finish();
		memory_fault::fail_nth(0);
		drop_claims();
		linux_.idle_a_while();
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
	}

	// Met by a wait, and accounted for.
	static void expect_once_each(machine &m)
	{
		std::set<int> accounted;
		for (const account &record : accounts())
			EXPECT_TRUE(accounted.insert(record.pid).second) << record.pid;
		EXPECT_EQ(accounted.size(), m.people.size());
		m.people.expect_all_met();
	}

	void drop_claims()
	{
		for (const task_struct *leader : linux_.leaders())
			for (task_struct *td : leader->signal->threads)
				if (td->stage == stage::running && !td->kthread)
					wait_end(td);
	}
};

TEST_F(CoreStorm, Lives)
{
	machine m(linux_);
	run(m, rounds(1000));
}

template <class T> void beside(machine &m)
{
	m.beside([](dice &random) { T(random).turn(random); });
}

void others(machine &m)
{
	beside<holder>(m);
	beside<holder>(m);
#ifdef KTRACE
	beside<ktracer>(m);
	beside<ktracer>(m);
#endif
	m.beside(hooks::come_and_go);
}

TEST_F(CoreStorm, HeldTracedAndWithHooks)
{
	machine m(linux_);
	others(m);
	run(m, rounds(500));
}

TEST_F(CoreStorm, WithLittleMemory)
{
	machine m(linux_);
	others(m);
	m.beside(starve);
	run(m, rounds(500));
}

} // namespace
