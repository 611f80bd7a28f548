// SPDX-License-Identifier: GPL-2.0-only
// A runtime for -fsanitize=thread: passes on what the instrumented code tells, and does the
// atomic operations.
#include "instrument.hh"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <link.h>
#include <cstring>
#include <sstream>

#include "host.hh"

namespace sim
{

thread_local instrument *instrument_here;

namespace
{

// Where the program was loaded: what addr2line has to be told of an address.
uintptr_t load_address()
{
	uintptr_t base = 0;
	dl_iterate_phdr(
		[](dl_phdr_info *info, size_t, void *base) {
			*static_cast<uintptr_t *>(base) = info->dlpi_addr;
			return 1; // the first is the program
		},
		&base);
	return base;
}

} // namespace

std::string instrument::where() const
{
	std::ostringstream command, out;
	char self[4096];
	const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length <= 0)
		return " ?";
	self[length] = 0;
	// An address of a call's return belongs to the line before it.
	command << "addr2line -Cfps -e '" << self << "'" << std::hex;
	if (at_)
		command << ' ' << uintptr_t(at_) - load_address() - 1;
	for (auto code = code_.rbegin(); code != code_.rend(); ++code)
		command << ' ' << uintptr_t(*code) - load_address() - 1;
	FILE *pipe = popen(command.str().c_str(), "re");
	if (!pipe)
		return " ?";
	char line[512];
	while (fgets(line, sizeof(line), pipe))
		out << "\n         " << std::string(line, strcspn(line, "\n"));
	pclose(pipe);
	return out.str();
}

namespace
{

void told(const void *code, const volatile void *address, size_t size, bool write)
{
	if (!instrument_here)
		return;
	instrument_here->at(code);
	instrument_here->access(const_cast<const void *>(address), size, write);
}

void before_atomic(const void *code)
{
	if (!instrument_here)
		return;
	instrument_here->at(code);
	instrument_here->atomic_operation();
}

// All the core's atomics acquire and release as their kind can.
template <class T> T loaded(const void *code, const volatile T *address)
{
	before_atomic(code);
	const T value = __atomic_load_n(address, __ATOMIC_SEQ_CST);
	turns_acquire(const_cast<const T *>(address));
	return value;
}

template <class T> void stored(const void *code, volatile T *address, T value)
{
	before_atomic(code);
	turns_release(const_cast<const T *>(address));
	__atomic_store_n(address, value, __ATOMIC_SEQ_CST);
}

template <class T, class F> auto modified(const void *code, volatile T *address, F operation)
{
	before_atomic(code);
	turns_acquire(const_cast<const T *>(address));
	turns_release(const_cast<const T *>(address));
	return operation(address);
}

} // namespace

} // namespace sim

#define HERE __builtin_return_address(0)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void *caller)
{
	if (sim::instrument_here)
		sim::instrument_here->enter(caller);
}
void __tsan_func_exit()
{
	if (sim::instrument_here)
		sim::instrument_here->leave();
}

#define ACCESSES(n)                             \
	void __tsan_read##n(void *p)            \
	{                                       \
		sim::told(HERE, p, n, false);   \
	}                                       \
	void __tsan_write##n(void *p)           \
	{                                       \
		sim::told(HERE, p, n, true);    \
	}                                       \
	void __tsan_unaligned_read##n(void *p)  \
	{                                       \
		sim::told(HERE, p, n, false);   \
	}                                       \
	void __tsan_unaligned_write##n(void *p) \
	{                                       \
		sim::told(HERE, p, n, true);    \
	}
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
void __tsan_read_range(void *p, size_t size)
{
	sim::told(HERE, p, size, false);
}
void __tsan_write_range(void *p, size_t size)
{
	sim::told(HERE, p, size, true);
}
void __tsan_vptr_update(void **p, void *)
{
	sim::told(HERE, p, sizeof(*p), true);
}

#define ATOMICS(bits)                                                                           \
	uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int)        \
	{                                                                                       \
		return sim::loaded(HERE, p);                                                    \
	}                                                                                       \
	void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int)     \
	{                                                                                       \
		sim::stored(HERE, p, v);                                                        \
	}                                                                                       \
	uint##bits##_t __tsan_atomic##bits##_exchange(volatile uint##bits##_t *p,               \
						      uint##bits##_t v, int)                    \
	{                                                                                       \
		return sim::modified(HERE, p, [v](auto *p) {                                    \
			return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                     \
		});                                                                             \
	}                                                                                       \
	uint##bits##_t __tsan_atomic##bits##_fetch_add(volatile uint##bits##_t *p,              \
						       uint##bits##_t v, int)                   \
	{                                                                                       \
		return sim::modified(HERE, p, [v](auto *p) {                                    \
			return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                      \
		});                                                                             \
	}                                                                                       \
	int __tsan_atomic##bits##_compare_exchange_strong(                                      \
		volatile uint##bits##_t *p, uint##bits##_t *from, uint##bits##_t v, int, int)   \
	{                                                                                       \
		return sim::modified(HERE, p, [from, v](auto *p) -> int {                       \
			return __atomic_compare_exchange_n(p, from, v, false, __ATOMIC_SEQ_CST, \
							   __ATOMIC_SEQ_CST);                   \
		});                                                                             \
	}
ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)
}
