// SPDX-License-Identifier: GPL-2.0-only
// The core against the reference model: random sequences, and those that the fuzzer
// kept.
//
// CORE_SEED=n has only that one run, CORE_ROUNDS=n so many from there. CORE_SCRIPT=file
// runs what the fuzzer left.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "trial.hh"

extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

using namespace sim;

namespace
{

unsigned from_environment(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);
	return value ? strtoul(value, nullptr, 0) : otherwise;
}

// Each of a few kinds of steps, of its own choice, and on few tasks or on many: so each
// comes deeper than with all of everything.
script random_script(unsigned seed)
{
	std::mt19937 random(seed);
	const unsigned spread = 2U << random() % 8;
	std::vector<uint8_t> kinds{0}; // births at least
	for (unsigned more = 3 + random() % 16; more; more--)
		kinds.push_back(random());
	script bytes{uint8_t(random())};
	for (unsigned steps = 20 + random() % 180; steps; steps--) {
		bytes.push_back(kinds[random() % kinds.size()]);
		bytes.push_back(random() % spread);
		bytes.push_back(random());
		bytes.push_back(random());
	}
	return bytes;
}

script kept_script(const std::filesystem::path &path)
{
	std::ifstream in(path, std::ios::binary);
	EXPECT_TRUE(in) << path;
	return script(std::istreambuf_iterator<char>(in), {});
}

std::string run_name;

// The simulated Linux and the sanitizers end the program; then say in the middle of what.
void on_death()
{
	fprintf(stderr, "%s%s\n", run_name.c_str(), steps_so_far().c_str());
}

void expect_agreement(const std::string &name, const script &bytes)
{
	run_name = name;
	SCOPED_TRACE(name);
	if (!try_out(bytes).empty())
		FAIL() << try_out(shrink(bytes));
}

class CoreReference : public testing::Test
{
protected:
	static void SetUpTestSuite()
	{
		signal(SIGABRT, [](int) { on_death(); });
		if (__sanitizer_set_death_callback)
			__sanitizer_set_death_callback(on_death);
	}
};

TEST_F(CoreReference, RandomSequences)
{
	const unsigned first = from_environment("CORE_SEED", 1);
	const unsigned count = from_environment("CORE_ROUNDS", getenv("CORE_SEED") ? 1 : 500);
	for (unsigned seed = first; seed < first + count && !HasFailure(); seed++) {
		expect_agreement("CORE_SEED=" + std::to_string(seed), random_script(seed));
	}
}

TEST_F(CoreReference, KeptSequences)
{
	if (const char *path = getenv("CORE_SCRIPT"))
		return expect_agreement(path, kept_script(path));
	unsigned files = 0;
	for (const auto &entry : std::filesystem::directory_iterator(CORPUS)) {
		expect_agreement(entry.path(), kept_script(entry.path()));
		files++;
	}
	EXPECT_GT(files, 0u);
}

} // namespace
