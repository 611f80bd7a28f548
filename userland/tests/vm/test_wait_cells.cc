// SPDX-License-Identifier: BSD-2-Clause
// What the waits say for each id, each set of options and each state that a child can be in:
// in what they return and in every byte that they write. The rule is rule() of vm_cells.h.
#include "vm_cells.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <thread>

using namespace vm;

VM_TEST(WaitCells, Running)
{
	every_cell({.want = nothing(), .make = [](Place place) { return running(place); }});
}

// The thread that forked is gone, and another goes on.
VM_TEST(WaitCells, RunningWithoutItsLeader)
{
	every_cell({.want = nothing(), .make = [](Place place) {
			    pid_t pid = child_at(place, [] {
				    std::thread([] { rest(); }).detach();
				    exit_thread_raw(3);
			    });
			    until_state(pid, 'Z');
			    return pid;
		    }});
}

VM_TEST(WaitCells, Exited)
{
	for (int code : {0, 7, 255})
		Table({.want = exited(0, code),
		       .make =
			       [=](Place place) {
				       pid_t pid = child_at(place, [=] { _exit(code); });
				       native_peek(pid);
				       return pid;
			       },
		       .alive = false},
		      code ? Place::Apart : Place::Home)
			.all();
}

VM_TEST(WaitCells, Killed)
{
	every_cell({.want = killed(0, SIGKILL),
		    .make = [](Place place) { return ended(place, SIGKILL); },
		    .alive = false});
}

VM_TEST(WaitCells, DumpedCore)
{
	std::string pattern = slurp("/proc/sys/kernel/core_pattern");
	char dir[] = "/tmp/bsdproc-core-XXXXXX";
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	if (pattern.empty() || pattern[0] == '|' || pattern[0] == '/')
		GTEST_SKIP() << "core_pattern is not a plain file name: " << pattern;
	if (setrlimit(RLIMIT_CORE, &all) != 0)
		GTEST_SKIP() << "no core dumps allowed here";
	ASSERT_TRUE(mkdtemp(dir));
	ASSERT_EQ(chmod(dir, 0777), 0);
	ASSERT_EQ(chdir(dir), 0);
	write_to("/proc/self/coredump_filter", "0"); // a small one
	every_cell({.want = dumped(0, SIGQUIT),
		    .make = [](Place place) { return ended(place, SIGQUIT); },
		    .alive = false});
	EXPECT_EQ(system((std::string("rm -rf ") + dir).c_str()), 0);
}

VM_TEST(WaitCells, Stopped)
{
	every_cell({.want = stopped(0, SIGSTOP),
		    .make = [](Place place) { return stopped_child(place); },
		    .again = stop_again});
}

VM_TEST(WaitCells, StoppedAndReported)
{
	every_cell({.want = nothing(), .make = [](Place place) {
			    pid_t pid = stopped_child(place);
			    native_take(pid, WSTOPPED);
			    return pid;
		    }});
}

VM_TEST(WaitCells, Continued)
{
	every_cell({.want = continued(0),
		    .make =
			    [](Place place) {
				    pid_t pid = running(place);
				    continue_again(pid);
				    return pid;
			    },
		    .again = continue_again});
}

VM_TEST(WaitCells, ContinuedAndReported)
{
	every_cell({.want = nothing(), .make = [](Place place) {
			    pid_t pid = running(place);
			    continue_again(pid);
			    native_take(pid, WCONTINUED);
			    return pid;
		    }});
}

// Of the stop nothing is left.
VM_TEST(WaitCells, StoppedThenKilled)
{
	every_cell({.want = killed(0, SIGKILL),
		    .make =
			    [](Place place) {
				    pid_t pid = stopped_child(place);
				    kill(pid, SIGKILL);
				    native_peek(pid);
				    return pid;
			    },
		    .alive = false});
}

// Nor of its going on.
VM_TEST(WaitCells, ContinuedThenKilled)
{
	every_cell({.want = killed(0, SIGTERM),
		    .make =
			    [](Place place) {
				    pid_t pid = running(place);
				    continue_again(pid);
				    kill(pid, SIGTERM);
				    native_peek(pid);
				    return pid;
			    },
		    .alive = false});
}

VM_TEST(WaitCells, TracedByUs)
{
	every_cell({.want = nothing(),
		    .make = [](Place place) { return traced(place); },
		    .ours = true});
}

VM_TEST(WaitCells, TracedByUsAndStopped)
{
	every_cell({.want = trapped(0, SIGUSR1),
		    .make = [](Place place) { return trapped_child(place); },
		    .again = trap_again,
		    .ours = true});
}

VM_TEST(WaitCells, TracedByUsStoppedAndReported)
{
	every_cell({.want = nothing(),
		    .make =
			    [](Place place) {
				    pid_t pid = trapped_child(place);
				    native_take(pid, WSTOPPED);
				    return pid;
			    },
		    .ours = true});
}

VM_TEST(WaitCells, TracedByUsAndKilled)
{
	every_cell({.want = killed(0, SIGKILL),
		    .make =
			    [](Place place) {
				    pid_t pid = traced(place);
				    kill(pid, SIGKILL);
				    native_peek(pid);
				    return pid;
			    },
		    .alive = false,
		    .ours = true});
}

VM_TEST(WaitCells, Clone)
{
	signal(SIGUSR2, SIG_IGN);
	for (int sig : {0, SIGUSR2})
		every_cell({.want = nothing(),
			    .make =
				    [=](Place place) {
					    return running(place, static_cast<unsigned long>(sig));
				    },
			    .clone = true});
}

VM_TEST(WaitCells, CloneKilled)
{
	signal(SIGUSR2, SIG_IGN);
	for (int sig : {0, SIGUSR2})
		Table({.want = killed(0, SIGTERM),
		       .make =
			       [=](Place place) {
				       return ended(place, SIGTERM,
						    static_cast<unsigned long>(sig));
			       },
		       .alive = false,
		       .clone = true},
		      sig ? Place::Apart : Place::Home)
			.all();
}

VM_TEST(WaitCells, CloneStopped)
{
	every_cell({.want = stopped(0, SIGSTOP),
		    .make = [](Place place) { return stopped_child(place, 0); },
		    .again = stop_again,
		    .clone = true});
}

VM_TEST(WaitCells, CloneTracedByUsAndStopped)
{
	every_cell({.want = trapped(0, SIGUSR1),
		    .make = [](Place place) { return trapped_child(place, 0); },
		    .again = trap_again,
		    .clone = true,
		    .ours = true});
}

VM_TEST(WaitCells, NoChild)
{
	Table({.want = nothing(), .make = [](Place) { return 0; }}, Place::Home).all();
}

// ---- traced by another process, which is no child of ours ---------------------

namespace
{

// Children to which somebody has attached, who then has done `then` with them.
void every_cell_traced_elsewhere(const Want &want, void (*then)(pid_t), int within = 0)
{
	Shared<pid_t> tracer{0};
	const auto make = [&](Place place) {
		Tokens ready;
		const pid_t child = running(place);
		*tracer = spawn_orphan([&]() -> int {
			if (ptrace(PTRACE_SEIZE, child, 0, 0) != 0)
				die("PTRACE_SEIZE");
			then(child);
			ready.give();
			rest();
		});
		ready.take();
		return child;
	};
	every_cell({.want = want,
		    .make = make,
		    .undo = [&] { kill(*tracer, SIGKILL); },
		    .within = within});
}

} // namespace

VM_TEST(WaitCells, TracedElsewhere)
{
	every_cell_traced_elsewhere(nothing(), [](pid_t) {});
}

// Its tracer's stop is the tracer's alone, before that has seen it and after.
VM_TEST(WaitCells, TracedElsewhereAndTrapped)
{
	every_cell_traced_elsewhere(nothing(), trap);
	every_cell_traced_elsewhere(nothing(), [](pid_t pid) {
		trap(pid);
		native_take(pid, WSTOPPED);
	});
}

// The stop of the whole process is its parent's too.
VM_TEST(WaitCells, TracedElsewhereAndStopped)
{
	every_cell_traced_elsewhere(stopped(0, SIGSTOP), [](pid_t pid) {
		stop(pid);
		native_take(pid, WSTOPPED);
		if (ptrace(PTRACE_CONT, pid, 0, SIGSTOP) != 0)
			die("PTRACE_CONT");
		until_halted(pid);
	});
}

// Not its parent's before its tracer has let go.
VM_TEST(WaitCells, TracedElsewhereAndKilled)
{
	every_cell_traced_elsewhere(
		nothing(),
		[](pid_t pid) {
			kill(pid, SIGKILL);
			native_peek(pid);
		},
		WEXITED);
}

// ---- several at once -------------------------------------------------------------

// Of children in all states those are found that are asked for, and all of them.
VM_TEST(WaitCells, Mixture)
{
	std::vector<Want> all;
	for (int i = 0; i < 2; i++) {
		all.push_back(exited(0, 7).of(child_at(Place::Home, [] { _exit(7); })));
		native_peek(all.back().result);
		all.push_back(killed(ended(Place::Home, SIGTERM), SIGTERM));
		all.push_back(stopped(stopped_child(Place::Home), SIGSTOP));
		all.push_back(continued(running(Place::Home)));
		continue_again(all.back().result);
		all.push_back(trapped(trapped_child(Place::Home), SIGUSR1));
		running(Place::Home);
	}
	for (int kinds = 1; kinds <= kKinds; kinds++) {
		if (kinds & ~kKinds)
			continue;
		siginfo_t info{};
		const int meant = kinds & WUNTRACED ? kinds | WTRAPPED : kinds;
		ASSERT_EQ(bsd_waitid(P_ALL, 0, &info, kinds | WNOHANG | WNOWAIT), 0);
		const auto found = std::find_if(all.begin(), all.end(), [&](const Want &want) {
			return want.result == info.si_pid && want.code == info.si_code;
		});
		ASSERT_NE(found, all.end()) << name_of(kinds);
		EXPECT_TRUE(found->kind & meant) << name_of(kinds);
	}
	for (int kind : {WTRAPPED, WCONTINUED, WEXITED, WUNTRACED}) {
		std::map<pid_t, int> want, got;
		for (const Want &one : all)
			if (one.kind == kind)
				want[one.result] = one.status;
		int status = -1;
		for (pid_t pid;
		     (pid = bsd_wait6(P_ALL, 0, &status, kind | WNOHANG, nullptr, nullptr)) > 0;)
			EXPECT_TRUE(got.emplace(pid, status).second) << pid << " came twice";
		EXPECT_EQ(got, want) << name_of(kind);
		EXPECT_EQ(status, 0);
	}
}

// Of the children's own use and their children's.
VM_TEST(WaitCells, UsageOfTheChildAndOfItsChildren)
{
	if (getenv("BSDPROC_TEST_NATIVE"))
		GTEST_SKIP() << "Linux does not tell the two apart";
	constexpr long kPages = 500;
	const auto touch = [] {
		void *p = mmap(nullptr, kPages * 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		madvise(p, kPages * 4096, MADV_NOHUGEPAGE);
		for (long page = 0; page < kPages; page++)
			static_cast<volatile char *>(p)[page * 4096] = 1;
		return 0;
	};
	for (bool itself : {true, false})
		for (int wait : {WNOWAIT, 0}) {
			pid_t pid = spawn([&] {
				if (itself)
					return touch();
				return native_reap(spawn(touch));
			});
			struct rusage both;
			native_peek(pid, &both);
			struct __wrusage wru;
			memset(&wru, 0xa5, sizeof(wru));
			int status = -1;
			ASSERT_EQ(bsd_wait6(P_PID, id_of(pid), &status, WEXITED | wait, &wru,
					    nullptr),
				  pid);
			EXPECT_EQ(status, 0);
			EXPECT_GE((itself ? wru.wru_self : wru.wru_children).ru_minflt, kPages);
			EXPECT_LT((itself ? wru.wru_children : wru.wru_self).ru_minflt, kPages);
			EXPECT_EQ(wru.wru_self.ru_minflt + wru.wru_children.ru_minflt,
				  both.ru_minflt);
			EXPECT_EQ(is_usage(wru.wru_children), !itself);
			EXPECT_TRUE(is_usage(wru.wru_self));
			if (wait)
				native_reap(pid);
		}
}
