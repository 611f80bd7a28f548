// SPDX-License-Identifier: GPL-2.0-only
// One word shared between CPUs. Acquire/release unless said otherwise.
#pragma once

namespace bsd
{

// Always inline: where functions are traced by recordmcount, one that two files have a copy
// of does not link.
#define ALWAYS_INLINE __attribute__((always_inline)) inline

template <class T> class atomic
{
	T v_;

public:
	constexpr atomic() : v_{} {}
	constexpr explicit atomic(T v) : v_{v} {}

	ALWAYS_INLINE T load() const { return __atomic_load_n(&v_, __ATOMIC_ACQUIRE); }
	ALWAYS_INLINE void store(T v) { __atomic_store_n(&v_, v, __ATOMIC_RELEASE); }
	// Totally ordered: of two CPUs that each do an exchange and then a load_ordered of
	// what the other exchanges, at least one sees the other's.
	ALWAYS_INLINE T load_ordered() const { return __atomic_load_n(&v_, __ATOMIC_SEQ_CST); }
	ALWAYS_INLINE T exchange(T v) { return __atomic_exchange_n(&v_, v, __ATOMIC_SEQ_CST); }
	// Stores v in place of `from`; false, and nothing: there was something else.
	ALWAYS_INLINE bool replace(T from, T v)
	{
		return __atomic_compare_exchange_n(&v_, &from, v, false, __ATOMIC_ACQ_REL,
						   __ATOMIC_ACQUIRE);
	}
	// Returns the new value.
	ALWAYS_INLINE T add(T d) { return __atomic_add_fetch(&v_, d, __ATOMIC_ACQ_REL); }
};

#undef ALWAYS_INLINE

} // namespace bsd
