// SPDX-License-Identifier: BSD-2-Clause
// Who shares an address space, and who is the last there; Linux's word is kcmp's.
#include "vm_device.h"
#include "vm_test.h"
#include "vm_thread.h"

#include <linux/kcmp.h>

#include <vector>

using namespace vm;

namespace
{

unsigned sharers(const Device &dev, pid_t pid)
{
	return get_proc(dev, pid).k.vmsharers;
}

bool is_last(const Device &dev, pid_t pid)
{
	return get_proc(dev, pid).k.flags & BSDPROC_P_VMLAST;
}

bool same_to_linux(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0;
}

void ends_when_told(BareThread &t)
{
	static_cast<Tokens *>(t.arg)->take();
}

} // namespace

VM_TEST(Vmspace, OneHasItsOwn)
{
	Device dev;
	EXPECT_EQ(sharers(dev, 0), 1u);
	Tokens go;
	pid_t child = spawn([&] {
		go.take();
		return 0;
	});
	EXPECT_EQ(sharers(dev, child), 1u);
	EXPECT_FALSE(is_last(dev, child));
	go.give();
	native_peek(child);
	EXPECT_EQ(sharers(dev, child), 0u);
	EXPECT_TRUE(is_last(dev, child));
	native_reap(child);
	EXPECT_FALSE(is_last(dev, 0));
}

VM_TEST(Vmspace, VforkUntilTheEnd)
{
	Device dev;
	Shared<std::atomic<pid_t>> child;
	Tokens born, go, checked;
	pid_t middle = spawn([&] {
		pid_t pid = spawn_vfork([&] {
			*child = getpid();
			born.give();
			go.take();
			return 3;
		});
		checked.take();
		return native_reap(pid) == 3 << 8 ? 0 : 1;
	});
	born.take();
	EXPECT_TRUE(same_to_linux(middle, *child));
	EXPECT_EQ(sharers(dev, middle), 2u);
	EXPECT_EQ(sharers(dev, *child), 2u);
	EXPECT_EQ(sharers(dev, 0), 1u);
	go.give();
	until_state(*child, 'Z');
	EXPECT_EQ(sharers(dev, *child), 0u);
	EXPECT_FALSE(is_last(dev, *child));
	EXPECT_EQ(sharers(dev, middle), 1u);
	checked.give();
	native_peek(middle);
	EXPECT_TRUE(is_last(dev, middle));
	EXPECT_EQ(native_reap(middle), 0);
}

VM_TEST(Vmspace, VforkUntilExec)
{
	Device dev;
	Tokens born, go;
	pid_t middle = spawn([&] {
		pid_t pid = spawn_vfork([&] {
			go.as_stdio();
			execlp("head", "head", "-c1", nullptr);
			return 1;
		});
		born.give();
		return native_reap(pid) == 0 ? 0 : 1;
	});
	born.take();
	std::string children = slurp("/proc/" + std::to_string(middle) + "/task/" +
				     std::to_string(middle) + "/children");
	pid_t child = atoi(children.c_str());
	ASSERT_GT(child, 0);
	until_head_reads(child);
	EXPECT_FALSE(same_to_linux(middle, child));
	EXPECT_EQ(sharers(dev, middle), 1u);
	EXPECT_EQ(sharers(dev, child), 1u);
	EXPECT_FALSE(is_last(dev, child));
	go.give();
	EXPECT_EQ(native_reap(middle), 0);
}

VM_TEST(Vmspace, ClonesComeAndGo)
{
	Device dev;
	Tokens go;
	BareThread threads[5];
	std::vector<pid_t> pids;
	for (unsigned i = 0; i < 5; i++) {
		pids.push_back(threads[i].start_process(ends_when_told, &go));
		EXPECT_TRUE(same_to_linux(getpid(), pids[i]));
		EXPECT_EQ(sharers(dev, 0), i + 2);
		EXPECT_EQ(sharers(dev, pids[i]), i + 2);
	}
	// Threads are of the same process.
	BareThread thread;
	thread.start([](BareThread &) { pause(); }, nullptr);
	EXPECT_EQ(sharers(dev, 0), 6u);
	kill(pids[2], SIGKILL);
	native_peek(pids[2]);
	EXPECT_EQ(sharers(dev, pids[2]), 0u);
	EXPECT_EQ(sharers(dev, pids[0]), 5u);
	EXPECT_EQ(sharers(dev, 0), 5u);
	for (pid_t pid : pids)
		kill(pid, SIGKILL);
	for (pid_t pid : pids) {
		native_peek(pid);
		EXPECT_FALSE(is_last(dev, pid));
		native_reap(pid);
	}
	EXPECT_EQ(sharers(dev, 0), 1u);
}

// All end together, in whatever order: one of them is the last.
VM_TEST(Vmspace, OneIsTheLast)
{
	constexpr int kSharers = 4;
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	Device dev;
	for (int i = rounds(150); i > 0; i--) {
		Shared<std::atomic<pid_t>> pids[kSharers];
		Tokens go, born;
		*pids[0] = spawn([&] {
			static BareThread threads[kSharers];
			for (int k = 1; k < kSharers; k++)
				*pids[k] = threads[k].start_process(ends_when_told, &go);
			born.give();
			go.take();
			return 0;
		});
		born.take();
		if (i & 1)
			go.give(kSharers);
		else
			for (auto &pid : pids)
				kill(*pid, SIGKILL);
		until_state(*pids[0], 'Z'); // the others are ours only after its end
		int last = 0;
		for (auto &pid : pids)
			until_state(*pid, 'Z');
		for (auto &pid : pids) {
			last += is_last(dev, *pid);
			EXPECT_EQ(sharers(dev, *pid), 0u);
		}
		ASSERT_EQ(last, 1);
		for (auto &pid : pids)
			native_reap(*pid);
	}
}

// The process is there as long as one of its threads is.
VM_TEST(Vmspace, WithTheLastThread)
{
	Device dev;
	Tokens go;
	Shared<std::atomic<pid_t>> clone;
	Tokens born;
	pid_t pid = spawn([&] {
		static BareThread second, other;
		*clone = other.start_process(ends_when_told, &go);
		second.start([](BareThread &) { pause(); }, nullptr);
		born.give();
		exit_thread_raw(0);
		return 0;
	});
	born.take();
	until_state(pid, 'Z');
	EXPECT_EQ(sharers(dev, pid), 2u);
	EXPECT_EQ(sharers(dev, *clone), 2u);
	kill(pid, SIGKILL);
	native_peek(pid);
	EXPECT_EQ(sharers(dev, *clone), 1u);
	EXPECT_FALSE(is_last(dev, pid));
	go.give();
}

// A stranger sees it as well: it tells no more than a pid does.
VM_TEST(Vmspace, WhileTheyComeAndGo)
{
	constexpr unsigned kMost = 4;
	Device dev;
	pid_t busy = spawn([&] {
		static BareThread threads[kMost - 1];
		for (int i = rounds(200); i > 0; i--) {
			Tokens go;
			pid_t pids[kMost - 1];
			for (unsigned k = 0; k < kMost - 1; k++)
				pids[k] = threads[k].start_process(ends_when_told, &go);
			go.give(kMost - 1);
			for (unsigned k = 0; k < kMost - 1; k++) {
				native_reap(pids[k]);
				threads[k].unmap();
			}
		}
		return 0;
	});
	unsigned seen = 0;
	while (state_of(busy) != 'Z') {
		Proc proc = get_proc(dev, busy);
		ASSERT_EQ(proc.error, 0);
		ASSERT_LE(proc.k.vmsharers, kMost);
		if (!(proc.k.flags & BSDPROC_P_WEXIT)) {
			ASSERT_GE(proc.k.vmsharers, 1u);
		}
		seen |= 1u << proc.k.vmsharers;
	}
	EXPECT_TRUE(seen & ~3u) << "never seen to share";
	EXPECT_EQ(native_reap(busy), 0);
}
