// SPDX-License-Identifier: GPL-2.0-only
// libFuzzer's side: its bytes are tried out as they are.
#include <cstdio>
#include <cstdlib>

#include "trial.hh"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const sim::script bytes(data, data + size);
	const std::string wrong = sim::try_out(bytes);
	// What the simulated Linux itself found goes to GoogleTest, without any test.
	const bool failed = testing::UnitTest::GetInstance()->Failed();
	if (!wrong.empty() || failed) {
		fprintf(stderr, "%s\n", wrong.c_str());
		abort();
	}
	return 0;
}
