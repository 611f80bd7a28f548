// SPDX-License-Identifier: BSD-2-Clause
// What all processes of the fuzzer count together, and how they complain.
#pragma once

#include <atomic>
#include <cstdint>

#include "request.hh"

namespace fuzz
{

struct Tally {
	std::atomic<uint64_t> calls, wrong, players, claims;
	// The row kRequests is of numbers that are no request.
	std::atomic<uint64_t> outcome[kRequests + 1][Outcomes::kLimit];
};

extern Tally *tally; // shared memory

// Where in its seed's course a thread is, to be named in complaints.
struct Place {
	uint64_t seed;
	unsigned player, thread, call;
};
extern thread_local Place place;

// Counts as a failure of the whole run. No memory is asked for: usable after fork().
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

// One line for each request: how often which errno came back.
void print_outcomes();

} // namespace fuzz
