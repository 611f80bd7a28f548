// SPDX-License-Identifier: GPL-2.0-only
// Random lives, with other CPUs coming in at any call of the host.
//
// CORE_SEED=n has only that one run, CORE_ROUNDS=n so many from there.
#include <cstdlib>

#include "chaos.hh"

using namespace sim;

namespace
{

unsigned from_environment(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);
	return value ? strtoul(value, nullptr, 0) : otherwise;
}

class CoreChaos : public testing::Test
{
protected:
	void rounds(unsigned usual, const std::function<void(unsigned)> &run)
	{
		const unsigned first = from_environment("CORE_SEED", 1);
		const unsigned count =
			from_environment("CORE_ROUNDS", getenv("CORE_SEED") ? 1 : usual);
		for (unsigned seed = first; seed < first + count && !HasFailure(); seed++) {
			SCOPED_TRACE("CORE_SEED=" + std::to_string(seed));
			run(seed);
		}
	}

	static void expect_calm(chaos &c, kernel &linux_)
	{
		c.calm();
		c.drop_claims();
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
	}

	static void expect_end(world &w)
	{
		kernel &linux_ = w.linux_;
		w.end_everything();
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_EQ(pool_live(HOST_POOL_PROC), 1u);
		EXPECT_EQ(pool_live(HOST_POOL_LWP), 0u);
	}
};

TEST_F(CoreChaos, OneAfterTheOther)
{
	rounds(60, [](unsigned seed) {
		world w;
		kernel &linux_ = w.linux_;
		ASSERT_EQ(w.load(), 0);
		chaos c(w, seed);
		for (unsigned i = 1; i <= 400; i++) {
			c.act(false);
			if (i % 10 == 0)
				EXPECT_PARENTS_EQUAL_LINUX();
			if (i % 100 == 0)
				expect_calm(c, linux_);
		}
		expect_end(w);
	});
}

TEST_F(CoreChaos, OneInTheMiddleOfTheOther)
{
	rounds(1000, [](unsigned seed) {
		world w;
		kernel &linux_ = w.linux_;
		ASSERT_EQ(w.load(), 0);
		chaos c(w, seed);
		for (unsigned i = 1; i <= 400; i++) {
			c.act(true);
			if (i % 100 == 0)
				expect_calm(c, linux_);
		}
		expect_end(w);
	});
}

} // namespace
