// SPDX-License-Identifier: BSD-2-Clause
// killalllwps(forexec): what a new program ends is marked for all to see, and no more once
// the program is there.
#include "vm_device.h"
#include "vm_ptrace.h"
#include "vm_test.h"

#include <array>
#include <thread>

using namespace vm;

namespace
{

[[noreturn]] void sleep_for_ever()
{
	for (;;)
		pause();
}

// A process of three threads that execs, by its leader or by the last. One thread, traced by
// us, is stopped on its way out, so the exec waits for it.
struct Execing {
	Shared<std::array<std::atomic<pid_t>, 2>> tids;
	Tokens ready, go;
	const pid_t pid;
	pid_t slow;

	explicit Execing(bool by_leader) : pid(start(by_leader))
	{
		ready.take(2);
		slow = (*tids)[0];
		EXPECT_EQ(ptrace(PTRACE_SEIZE, slow, 0, PTRACE_O_TRACEEXIT), 0);
		go.give();
		int status = -1;
		EXPECT_EQ(waitpid(slow, &status, __WALL), slow);
		EXPECT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	}
	pid_t start(bool by_leader);
	// Killed, it may have gone on by itself.
	void go_on() const
	{
		ptrace(PTRACE_CONT, slow, 0, 0);
		EXPECT_EQ(waitpid(slow, nullptr, __WALL), slow);
	}
};

pid_t Execing::start(bool by_leader)
{
	return spawn([&, by_leader] {
		auto exec = [&] {
			go.take();
			execl("/bin/sh", "sh", "-c", "kill -STOP $$; exit 3", nullptr);
			_exit(99);
		};
		for (int i : {0, 1})
			std::thread([&, i] {
				(*tids)[i] = gettid_raw();
				ready.give();
				if (i == 1 && !by_leader)
					exec();
				sleep_for_ever();
			}).detach();
		if (by_leader)
			exec();
		sleep_for_ever();
		return 0;
	});
}

// Others have ended, and are seen so, while the exec waits.
void exec_waits(bool by_leader)
{
	Device dev;
	const Execing exec(by_leader);
	const pid_t pid = exec.pid;

	Proc proc;
	do {
		proc = get_proc(dev, pid);
		ASSERT_EQ(proc.error, 0);
	} while (!(proc.k.flags & BSDPROC_P_WEXIT));
	EXPECT_FALSE(proc.k.flags & BSDPROC_P_EXEC);
	EXPECT_EQ(proc.k.stat, unsigned(BSDPROC_SACTIVE));
	for (const bsdproc_klwp &lwp : proc.lwps)
		EXPECT_TRUE(lwp.flags & BSDPROC_LWP_WEXIT) << lwp.tid;
	// It is not exiting: whoever waits goes on waiting.
	EXPECT_EQ(bsd_waitpid(pid, nullptr, WNOHANG), 0);

	exec.go_on();
	until_state(pid, 'T');
	proc = get_proc(dev, pid);
	EXPECT_EQ(proc.k.flags, unsigned(BSDPROC_P_EXEC));
	ASSERT_EQ(proc.lwps.size(), 1u);
	EXPECT_EQ(proc.lwps[0].flags, unsigned(BSDPROC_LWP_MAIN));
	EXPECT_EQ(proc.lwps[0].lwpid, 1);
	kill(pid, SIGCONT);
	EXPECT_EQ(native_reap(pid), 3 << 8);
}

} // namespace

VM_TEST(Exec, ByTheLeader)
{
	exec_waits(true);
}

// Another thread has ended only if there is one: the old leader does, and lingers.
VM_TEST(Exec, ByAnotherThread)
{
	exec_waits(false);
}

// Killed while it waits: then it is an exit, of the same process.
VM_TEST(Exec, KilledMeanwhile)
{
	const Execing exec(true);
	kill(exec.pid, SIGKILL);
	exec.go_on();
	int status = -1;
	EXPECT_EQ(bsd_waitpid(exec.pid, &status, 0), exec.pid);
	EXPECT_EQ(status, SIGKILL);
}
