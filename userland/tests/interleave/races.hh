// SPDX-License-Identifier: GPL-2.0-only
// Data races of the core: two plain accesses to one byte, at least one of them a write,
// that nothing orders. What orders is a lock of the core, an atomic operation of the core,
// the map's insertion before a find, Linux's tasklist, and a grace period.
//
// A thread's clock counts its releases; a byte remembers who wrote it last and when, and
// when each thread read it (vector clocks, as in FastTrack).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace sim
{

class races
{
public:
	static constexpr unsigned most_threads = 6;

	races();
	void acquire(unsigned thread, const void *sync);
	void release(unsigned thread, const void *sync);
	// All that every thread did so far is seen by that one: a grace period.
	void acquire_all(unsigned thread);
	// Null, or with whom it races.
	const char *access(unsigned thread, const void *address, size_t size, bool write);

private:
	using clock = std::array<uint32_t, most_threads>;
	struct byte {
		clock written{}, read{};
	};

	static void join(clock &to, const clock &from);
	bool seen(unsigned thread, const clock &by) const;

	std::array<clock, most_threads> now_;
	std::unordered_map<const void *, clock> syncs_;
	std::unordered_map<uintptr_t, byte> bytes_;
};

} // namespace sim
