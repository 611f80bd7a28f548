// SPDX-License-Identifier: BSD-2-Clause
// A call to the device: garbage that knows the ABI.
#pragma once

#include "memory.hh"
#include "request.hh"
#include "self.hh"

namespace fuzz
{

struct Call {
	int request; // index of kRequest; kRequests: none of them
	unsigned cmd;
	size_t size, given; // the struct's own, and that in the request's number
	uintptr_t at;       // where the struct is said to lie
	bool tail;          // a byte beyond the struct is not zero
	Argument in;        // the struct as given, where it could be stored

	// It could: the module reads that or nothing.
	bool known(const Memory &memory) const { return memory.writable(at, size) == Access::yes; }
	// A wait that may sleep, by what is known of it, or if the module took it by mistake.
	bool may_sleep(const Memory &memory) const;
};

// Stores the struct as well.
Call make_call(Random &random, Memory &memory, const Self &self);

} // namespace fuzz
