// SPDX-License-Identifier: BSD-2-Clause
#include "leaks.hh"

#include "../vm/vm_device.h"

#include <linux/membarrier.h>

#include "tally.hh"

namespace fuzz
{

namespace
{

// A struct pid is what a proc, a wait and a claim hold; an mm is what SETINT holds.
const char *const kCache[] = {"bsdproc_proc", "bsdproc_lwp", "pid",
			      "task_struct",  "mm_struct",   "filp"};

// Others in the machine come and go, and each CPU keeps the last mm it used.
constexpr long kSlack = 64;
// Each with a grace period, for what is freed late.
constexpr int kTries = 50;

void grace_period()
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
		vm::die("membarrier");
}

// -1: this kernel does not tell.
long objects_in(const char *cache)
{
	const std::string dir = std::string("/sys/kernel/slab/") + cache + "/";
	// CPUs' own spare objects count as used, so they are to give them back.
	int fd = open((dir + "shrink").c_str(), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (write(fd, "1", 1) != 1)
		vm::die("shrink");
	close(fd);
	return atol(vm::slurp(dir + "objects").c_str());
}

unsigned held(const vm::Device &device, std::vector<int> &pids)
{
	struct bsdproc_list list = {};
	list.pids = reinterpret_cast<uint64_t>(pids.data());
	list.room = static_cast<uint32_t>(pids.size());
	if (device(BSDPROC_LIST, &list) != 0 || list.count > list.room)
		vm::die("BSDPROC_LIST");
	unsigned n = 0;
	for (unsigned i = 0; i < list.count; i++) {
		const vm::Proc proc = vm::get_proc(device, pids[i]);
		n += !proc.error && proc.k.holds;
	}
	return n;
}

} // namespace

void Census::count(long (&objects)[kCaches])
{
	for (int i = 0; i < kCaches; i++)
		objects[i] = objects_in(kCache[i]);
}

void Census::compare() const
{
	long now[kCaches];
	for (int tries = 0;; tries++) {
		bool more = false;
		count(now);
		for (int i = 0; i < kCaches; i++)
			more |= now[i] > now_[i] + kSlack;
		if (!more)
			return;
		if (tries == kTries)
			break;
		grace_period();
	}
	for (int i = 0; i < kCaches; i++)
		if (now[i] > now_[i] + kSlack)
			complain("%s: %ld objects before, %ld after", kCache[i], now_[i], now[i]);
}

void check_holds()
{
	vm::Device device;
	std::vector<int> pids(100000);
	unsigned n;
	for (int tries = 0; (n = held(device, pids)) && tries < kTries; tries++)
		grace_period();
	if (n)
		complain("%u procs are held by somebody", n);
}

} // namespace fuzz
