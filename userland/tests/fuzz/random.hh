// SPDX-License-Identifier: BSD-2-Clause
// Random numbers that are the same on every run from the same seed (splitmix64).
#pragma once

#include <cstdint>
#include <initializer_list>

namespace fuzz
{

class Random
{
public:
	explicit Random(uint64_t seed) : state_(seed) {}

	uint64_t next()
	{
		uint64_t z = state_ += 0x9e3779b97f4a7c15;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		return z ^ (z >> 31);
	}
	uint64_t below(uint64_t n) { return next() % n; }
	bool one_in(uint64_t n) { return below(n) == 0; }
	template <class T> T pick(std::initializer_list<T> from)
	{
		return from.begin()[below(from.size())];
	}

private:
	uint64_t state_;
};

} // namespace fuzz
