// SPDX-License-Identifier: BSD-2-Clause
#include "memory.hh"

#include "../vm/vm_proc.h"

namespace fuzz
{

uintptr_t kernel_address;

namespace
{

// A thread's area, page by page; what is not named cannot be touched.
enum { kFirst = 1, kSecond = 2, kReadOnly = 4, kBeyondFile = 6, kPages = 8 };

unsigned char *map(void *at, size_t size, int protection, int flags, int file = -1)
{
	void *p = mmap(at, size, protection, flags | (file < 0 ? MAP_ANONYMOUS : 0), file, 0);
	if (p == MAP_FAILED)
		vm::die("mmap");
	return static_cast<unsigned char *>(p);
}

int make_file(size_t size)
{
	int file = memfd_create("fuzz", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, static_cast<off_t>(size)) != 0)
		vm::die("memfd_create");
	return file;
}

} // namespace

Shifting::Shifting() : file_(make_file(kSize))
{
	seen_ = map(nullptr, kSize + 2 * kPage, PROT_NONE, MAP_PRIVATE) + kPage;
	map(seen_, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file_);
	steady_ = map(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file_);
}

void Shifting::shift(Random &random)
{
	unsigned char *at = seen_ + random.below(2) * kPage;
	switch (random.below(6)) {
	case 0:
		madvise(at, kPage, MADV_DONTNEED);
		break;
	case 1:
		mprotect(at, kPage, PROT_READ);
		break;
	case 2:
		mprotect(at, kPage, PROT_READ | PROT_WRITE);
		break;
	case 3: // gone, without a moment in which others' mappings could come here
		map(at, kPage, PROT_NONE, MAP_PRIVATE | MAP_FIXED);
		break;
	case 4:
		fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at - seen_, kPage);
		break;
	default:
		map(seen_, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file_);
	}
}

Memory::Memory(const Shifting &shifting) : shifting_(shifting)
{
	area_ = map(nullptr, kPages * kPage, PROT_NONE, MAP_PRIVATE);
	mprotect(page(kFirst), 2 * kPage, PROT_READ | PROT_WRITE);
	mprotect(page(kReadOnly), kPage, PROT_READ);
	int empty = make_file(0);
	map(page(kBeyondFile), kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, empty);
	close(empty);
	renew();
}

uintptr_t Memory::pick_bad(Random &random, size_t size, Home home) const
{
	switch (random.below(10)) {
	case 0:
		return random.below(64);
	case 1:
		return random.below(0x10000);
	case 2:
		return address(0) + random.below(kPage - size % kPage);
	case 3:
		return address(kReadOnly) + random.below(kPage - size % kPage);
	case 4:
		return address(kBeyondFile) + random.below(kPage - size % kPage);
	case 5: { // begins well
		const uintptr_t end = home == Home::shifting ? shifting_.begin() + Shifting::kSize
							     : address(kSecond + 1);
		return end - 1 - random.below(size % kPage + 1);
	}
	case 6: // the last of the user's half, and the first beyond
		return 0x7ffffffff000 - random.below(3) * size;
	case 7:
		return 0x800000000000 | random.next();
	case 8:
		return ~uintptr_t(0) - random.below(2 * size + 1);
	default:
		return kernel_address ? kernel_address : 0xffff888000000000 + random.below(1 << 30);
	}
}

uintptr_t Memory::pick(Random &random, size_t size, Home home) const
{
	if (size > kPage / 2 || random.one_in(16))
		return pick_bad(random, size, home);
	if (home == Home::shifting || random.one_in(16))
		return shifting_.begin() + random.below(Shifting::kSize - size);
	if (random.one_in(8))
		return address(kSecond + 1) - size;
	if (random.one_in(24)) // any place, also where something else lies
		return address(kFirst) + random.below(2 * kPage - size);
	const int page = home == Home::first ? kFirst : kSecond;
	const uintptr_t at = address(page) + random.below(kPage - size);
	return random.one_in(4) ? at : at & ~uintptr_t(7);
}

bool Memory::owns(uintptr_t at, size_t size) const
{
	const uintptr_t begin = address(kFirst), end = address(kSecond + 1);
	return at >= begin && at <= end && size <= end - at;
}

Access Memory::readable(uintptr_t at, size_t size) const
{
	const uintptr_t begin = address(kReadOnly);
	if (at >= begin && at - begin < kPage && size <= kPage - (at - begin))
		return Access::yes;
	return writable(at, size);
}

Access Memory::writable(uintptr_t at, size_t size) const
{
	if (!size || owns(at, size))
		return Access::yes;
	return shifting_.holds(at, size) ? Access::perhaps : Access::no;
}

// The part of the two pages that lies in [at, at + size), from the first page's begin.
bool Memory::clip(uintptr_t at, size_t size, size_t *from, size_t *n) const
{
	const uintptr_t begin = address(kFirst), end = address(kSecond + 1);
	if (at >= end || at + size < at || at + size <= begin)
		return false;
	const uintptr_t first = at < begin ? begin : at, last = at + size > end ? end : at + size;
	*from = first - begin;
	*n = last - first;
	return true;
}

void Memory::dirty(size_t from, size_t n)
{
	if (from < dirty_from_)
		dirty_from_ = from;
	if (from + n > dirty_to_)
		dirty_to_ = from + n;
}

bool Memory::put(uintptr_t at, const void *from, size_t size)
{
	if (shifting_.holds(at, size)) {
		memcpy(shifting_.alias(at), from, size);
		return false;
	}
	size_t offset, n;
	if (!clip(at, size, &offset, &n))
		return false;
	const auto *bytes =
		static_cast<const unsigned char *>(from) + (address(kFirst) + offset - at);
	memcpy(page(kFirst) + offset, bytes, n);
	memcpy(copy_ + offset, bytes, n);
	dirty(offset, n);
	return n == size;
}

void Memory::allow(uintptr_t at, size_t size)
{
	size_t offset, n;
	if (!clip(at, size, &offset, &n))
		return;
	memcpy(copy_ + offset, page(kFirst) + offset, n);
	dirty(offset, n);
}

bool Memory::untouched(uintptr_t *where) const
{
	if (memcmp(page(kFirst), copy_, sizeof(copy_)) == 0)
		return true;
	size_t i = 0;
	while (page(kFirst)[i] == copy_[i])
		i++;
	*where = address(kFirst) + i;
	return false;
}

void Memory::renew()
{
	if (dirty_from_ >= dirty_to_)
		return;
	memset(page(kFirst) + dirty_from_, kPoison, dirty_to_ - dirty_from_);
	memset(copy_ + dirty_from_, kPoison, dirty_to_ - dirty_from_);
	dirty_from_ = 2 * kPage;
	dirty_to_ = 0;
}

void Memory::discard_second()
{
	madvise(page(kSecond), kPage, MADV_DONTNEED);
	memset(copy_ + kPage, 0, kPage);
	dirty(kPage, kPage);
}

} // namespace fuzz
