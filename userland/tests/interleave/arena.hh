// SPDX-License-Identifier: GPL-2.0-only
// Memory for the core's objects that is the same in each run, so that a schedule can be had
// again, and that is not used twice in one, so that a use after free shows.
#pragma once

#include "host.hh"

namespace sim
{

class arena : public memory_source
{
public:
	arena();
	~arena() override;
	void *get(size_t size) override;
	void put(void *memory, size_t size) override;
	// Whether that lies in memory that was given back.
	static bool is_freed(const void *address);
};

} // namespace sim
