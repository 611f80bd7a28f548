// SPDX-License-Identifier: BSD-2-Clause
// Addresses to give to the module, and what it may do there.
//
// Each thread has two pages of its own, filled with poison and held against a copy after
// every call, between pages that nobody can touch. Beside them lies what no call may use
// (read-only, beyond a file's end, the kernel's), and pages shared by all threads of the
// process which any of them takes away, protects and gives back at any moment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "random.hh"

namespace fuzz
{

inline constexpr unsigned char kPoison = 0xb7;
inline constexpr size_t kPage = 4096;

// An address of the kernel's where a store would do no harm; 0: none known.
extern uintptr_t kernel_address;

enum class Access { no, yes, perhaps };

// Where good addresses come from: one of the thread's pages, or the pages that come and go.
enum class Home { first, second, shifting };

// The pages that come and go. One for each process.
class Shifting
{
public:
	Shifting();
	void shift(Random &random);

	static constexpr size_t kSize = 2 * kPage;
	uintptr_t begin() const { return reinterpret_cast<uintptr_t>(seen_); }
	// The same memory where it always can be written to.
	unsigned char *alias(uintptr_t at) const { return steady_ + (at - begin()); }
	bool holds(uintptr_t at, size_t size) const
	{
		return at >= begin() && at - begin() < kSize && size <= kSize - (at - begin());
	}

private:
	int file_;
	unsigned char *seen_, *steady_;
};

// One for each thread. Stays mapped: the store that extexit arms may come when the thread
// is past its last line.
class Memory
{
public:
	explicit Memory(const Shifting &shifting);
	Memory(const Memory &) = delete;
	Memory &operator=(const Memory &) = delete;

	// An address for `size` bytes, mostly a good one.
	uintptr_t pick(Random &random, size_t size, Home home) const;
	Access readable(uintptr_t at, size_t size) const;
	Access writable(uintptr_t at, size_t size) const;

	// Stores what the place takes; true: in our own pages, so that nobody changes it.
	bool put(uintptr_t at, const void *from, size_t size);
	// The module may have changed these bytes.
	void allow(uintptr_t at, size_t size);
	// Whether all others are as they were; says where not.
	bool untouched(uintptr_t *where) const;
	// Everything poison again, or the second page as good as never used.
	void renew();
	void discard_second();

private:
	unsigned char *page(int n) const { return area_ + static_cast<size_t>(n) * kPage; }
	uintptr_t address(int n) const { return reinterpret_cast<uintptr_t>(page(n)); }
	bool owns(uintptr_t at, size_t size) const;
	bool clip(uintptr_t at, size_t size, size_t *from, size_t *n) const;
	void dirty(size_t from, size_t n);
	uintptr_t pick_bad(Random &random, size_t size, Home home) const;

	const Shifting &shifting_;
	unsigned char *area_;
	unsigned char copy_[2 * kPage];
	size_t dirty_from_ = 0, dirty_to_ = 2 * kPage;
};

} // namespace fuzz
