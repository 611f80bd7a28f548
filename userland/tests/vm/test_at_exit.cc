// SPDX-License-Identifier: BSD-2-Clause
// at_exit and at_exit_stage through the sample module bsdproc_undo (BSDPROC_UNDO_KO): what a
// process has added to its counter is taken back in the process's exit; ends of threads are
// counted.
#include "vm_device.h"
#include "vm_test.h"

#include <fstream>
#include <thread>
#include <vector>

using namespace vm;

namespace
{

const char *const device = "/dev/bsdproc_undo";
const char *const hold = "/sys/module/bsdproc_undo/parameters/hold";
const char *const lwps = "/sys/module/bsdproc_undo/parameters/lwps";

long value()
{
	return atol(slurp(device).c_str());
}

bool put(const char *path, const std::string &text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text.data(), text.size()) == ssize_t(text.size());
	close(fd);
	return done;
}

int rmmod(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) == 0 ? 0 : errno;
}

class AtExit : public testing::Test
{
protected:
	void SetUp() override
	{
		const char *ko = getenv("BSDPROC_UNDO_KO");
		int fd = open(ko ? ko : "", O_RDONLY | O_CLOEXEC);
		ASSERT_GE(fd, 0) << "BSDPROC_UNDO_KO";
		ASSERT_EQ(syscall(SYS_finit_module, fd, "", 0), 0) << strerror(errno);
		close(fd);
		while (access(device, W_OK) != 0)
			sched_yield();
	}

	void TearDown() override
	{
		clear_children();
		if (access(hold, F_OK) == 0) {
			EXPECT_EQ(value(), 0);
			EXPECT_EQ(rmmod("bsdproc_undo"), 0);
		}
	}
};

// The child adds, says so and lives on.
pid_t spawn_adder(int by, Tokens &added)
{
	return spawn([&] {
		if (!put(device, std::to_string(by)))
			return 1;
		added.give();
		for (;;)
			pause();
	});
}

// Until it sleeps in its exit.
void until_held(pid_t pid)
{
	Device dev;
	Proc proc;
	do {
		sched_yield();
		proc = get_proc(dev, pid);
	} while (proc.error == 0 && !((proc.k.flags & BSDPROC_P_WEXIT) && proc.lwps.size() == 1 &&
				      proc.lwps[0].stat == BSDPROC_LSSLEEP));
	EXPECT_EQ(proc.error, 0);
	EXPECT_EQ(proc.k.stat, unsigned(BSDPROC_SACTIVE));
	EXPECT_EQ(proc.lwps[0].flags, unsigned(BSDPROC_LWP_WEXIT | BSDPROC_LWP_MAIN));
}

int peek_nohang(pid_t pid)
{
	siginfo_t info{};
	if (waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
		die("waitid");
	return info.si_pid;
}

TEST_F(AtExit, UndoneBeforeTheParentIsTold)
{
	for (int i = rounds(50); i > 0; i--) {
		Tokens added;
		pid_t pid = spawn_adder(3, added);
		added.take();
		EXPECT_EQ(value(), 3);
		kill(pid, SIGKILL);
		native_peek(pid);
		EXPECT_EQ(value(), 0);
		EXPECT_EQ(native_reap(pid), SIGKILL);
	}
}

TEST_F(AtExit, AtTheProcesssEndAndNotAThreads)
{
	Tokens added, go;
	pid_t pid = spawn([&] {
		std::thread([] { put(device, "5"); }).join();
		added.give();
		go.take();
		std::thread([] { exit_thread_raw(0); }).detach();
		exit_thread_raw(0);
		return 0;
	});
	added.take();
	EXPECT_EQ(value(), 5);
	go.give();
	EXPECT_EQ(native_reap(pid), 0);
	EXPECT_EQ(value(), 0);
}

long ended_lwps()
{
	return atol(slurp(lwps).c_str());
}

// Two that end by themselves, three that are there to the end. The last one is not counted,
// as then nothing is left to undo.
TEST_F(AtExit, EachThreadsEndIsAStage)
{
	for (int i = rounds(20); i > 0; i--) {
		Tokens added, go;
		const long before = ended_lwps();
		pid_t pid = spawn([&] {
			put(device, "2");
			for (int thread = 0; thread < 2; thread++)
				std::thread([] {}).join();
			for (int thread = 0; thread < 3; thread++)
				std::thread([] {
					for (;;)
						pause();
				}).detach();
			added.give();
			go.take();
			return 0;
		});
		added.take();
		go.give();
		EXPECT_EQ(native_reap(pid), 0);
		EXPECT_EQ(ended_lwps() - before, 5);
		EXPECT_EQ(value(), 0);
	}
}

// An exec ends the other threads, and not the process.
TEST_F(AtExit, ThreadsThatEndByAnExec)
{
	const long before = ended_lwps();
	Tokens out;
	pid_t pid = spawn([&] {
		put(device, "9");
		for (int thread = 0; thread < 4; thread++)
			std::thread([] {
				for (;;)
					pause();
			}).detach();
		out.as_stdio();
		execl("/bin/sh", "sh", "-c", "echo; exec cat", nullptr);
		return 1;
	});
	out.take();
	EXPECT_EQ(ended_lwps() - before, 4);
	EXPECT_EQ(value(), 9);
	kill(pid, SIGKILL);
	EXPECT_EQ(native_reap(pid), SIGKILL);
	EXPECT_EQ(ended_lwps() - before, 4);
	EXPECT_EQ(value(), 0);
}

TEST_F(AtExit, ExecKeepsIt)
{
	Tokens out;
	pid_t pid = spawn([&] {
		put(device, "7");
		out.as_stdio();
		execl("/bin/sh", "sh", "-c", "echo; exec cat", nullptr);
		return 1;
	});
	out.take();
	EXPECT_EQ(value(), 7);
	kill(pid, SIGKILL);
	EXPECT_EQ(native_reap(pid), SIGKILL);
	EXPECT_EQ(value(), 0);
}

TEST_F(AtExit, ManyAtOnce)
{
	std::vector<pid_t> pids;
	for (int i = 0; i < rounds(300); i++)
		pids.push_back(spawn([i] { return put(device, std::to_string(i)) ? 0 : 1; }));
	for (pid_t pid : pids)
		EXPECT_EQ(native_reap(pid), 0);
	EXPECT_EQ(value(), 0);
}

// A callout that returns late delays its own process only; SIGKILL does not lose it.
TEST_F(AtExit, OneThatSleepsHoldsUpItsOwnProcessOnly)
{
	Tokens added;
	ASSERT_TRUE(put(hold, "Y"));
	pid_t pid = spawn_adder(11, added);
	added.take();
	kill(pid, SIGTERM);
	until_held(pid);
	for (int i = rounds(100); i > 0; i--)
		EXPECT_EQ(native_reap(spawn([] { return 4; })), 4 << 8);
	kill(pid, SIGKILL);
	EXPECT_EQ(bsd_waitpid(pid, nullptr, WNOHANG), 0);
	EXPECT_EQ(peek_nohang(pid), 0);
	EXPECT_EQ(value(), 11);
	ASSERT_TRUE(put(hold, "N"));
	int status;
	EXPECT_EQ(bsd_wait_hard(pid, &status), pid);
	EXPECT_EQ(status, SIGTERM);
	EXPECT_EQ(value(), 0);
}

bool is_unloading()
{
	std::ifstream modules("/proc/modules");
	for (std::string line; std::getline(modules, line);)
		if (line.starts_with("bsdproc_undo "))
			return line.find(" Unloading ") != std::string::npos;
	return false;
}

// The module's code is there as long as a process is in it.
TEST_F(AtExit, UnloadingWaitsForWhoIsInside)
{
	Tokens added;
	ASSERT_TRUE(put(hold, "Y"));
	pid_t pid = spawn_adder(13, added);
	added.take();
	kill(pid, SIGTERM);
	until_held(pid);
	EXPECT_EQ(rmmod("bsdproc"), EAGAIN) << "it is in use";

	int error = -1;
	std::thread unloader([&error] { error = rmmod("bsdproc_undo"); });
	while (!is_unloading())
		sched_yield();
	EXPECT_EQ(peek_nohang(pid), 0);
	EXPECT_TRUE(is_unloading());
	ASSERT_TRUE(put(hold, "N"));
	unloader.join();
	EXPECT_EQ(error, 0);
	EXPECT_EQ(native_reap(pid), SIGTERM);
	EXPECT_NE(access(device, F_OK), 0);
}

} // namespace
