// SPDX-License-Identifier: GPL-2.0-only
// What the compiler's -fsanitize=thread tells of the core's code: each access to memory,
// each atomic operation, each function. The runtime is ours, in instrument.cc.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sim
{

// Of one thread.
class instrument
{
public:
	virtual ~instrument() = default;
	// Before it is done.
	virtual void atomic_operation() = 0;
	virtual void access(const void *address, size_t size, bool write) = 0;

	void enter(const void *code) { code_.push_back(code); }
	void leave() { code_.pop_back(); }
	void at(const void *code) { at_ = code; }
	// The core's functions that it is in, innermost first, with lines.
	std::string where() const;

private:
	std::vector<const void *> code_; // where each was called
	const void *at_ = nullptr;
};

extern thread_local instrument *instrument_here;

} // namespace sim
