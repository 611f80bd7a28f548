// SPDX-License-Identifier: BSD-2-Clause
// Tracers that attach, follow, let go, take the zombie first, and die, while the real parent
// waits. It meets every tracee once, whatever the tracer has seen.
#include "storm.h"

#include <sys/ptrace.h>
#include <thread>

using namespace storm;

namespace
{

constexpr int kTracees = 3;

std::string target;

[[noreturn]] void die_by_signal()
{
	for (;;)
		kill(getpid(), SIGKILL);
}

bool seize(pid_t tid, int options = 0)
{
	return ptrace(PTRACE_SEIZE, tid, 0, options) == 0;
}

// Lets everything run on from its stops; false: there is nobody left, or the event `until`
// has come, and its thread is stopped.
bool follow(int until = 0)
{
	int status = -1;
	pid_t tid = waitpid(-1, &status, __WALL);
	if (tid < 0)
		return false;
	if (!WIFSTOPPED(status))
		return true;
	int event = status >> 16, signal = WSTOPSIG(status);
	if (event == until && event)
		return false;
	if (event || signal == SIGSTOP || signal == SIGTRAP)
		signal = 0;
	ptrace(PTRACE_CONT, tid, 0, signal);
	return true;
}

// What happens in a round: tracees made by the worker, and their tracer's deeds.
struct Scene {
	const Options &options;
	bool tracer_dies;
	Tokens go;
	std::vector<pid_t> tracees;

	// Ends with 9 when told to go.
	int tracee()
	{
		go.take();
		end_process(options, 9);
		return 0;
	}
	void make_tracees()
	{
		for (int i = 0; i < kTracees; i++)
			tracees.push_back(spawn([&] { return tracee(); }));
	}
	int leave() const
	{
		if (tracer_dies)
			die_by_signal();
		return 0;
	}
};

using Act = int (*)(Scene &);

// The tracer's own wait, or its death, hands the zombies to the parent.
int takes_zombies(Scene &s)
{
	for (pid_t pid : s.tracees)
		if (!seize(pid))
			return 1;
	s.go.give(kTracees);
	for (pid_t pid : s.tracees)
		until_state(pid, 'Z');
	if (!s.tracer_dies)
		while (follow())
			;
	return s.leave();
}

// Stops them and lets go, over and over, while they end.
int attaches_and_detaches(Scene &s)
{
	for (int i = 0; i < 20; i++) {
		if (i == 5)
			s.go.give(kTracees);
		for (pid_t pid : s.tracees) {
			int status = -1;
			if (ptrace(PTRACE_ATTACH, pid, 0, 0) != 0)
				continue; // it has ended
			if (waitpid(pid, &status, __WALL) != pid)
				return 1;
			if (WIFSTOPPED(status) && i != 19)
				ptrace(PTRACE_DETACH, pid, 0, 0);
		}
	}
	return s.leave();
}

int leaves_them_to_live(Scene &s)
{
	for (pid_t pid : s.tracees)
		if (!seize(pid))
			return 1;
	s.go.give(kTracees);
	return s.leave();
}

int takes_them_along(Scene &s)
{
	for (pid_t pid : s.tracees)
		if (!seize(pid, PTRACE_O_EXITKILL))
			return 1;
	return s.leave();
}

// Killed in a stop, by their parent's enemy.
int has_them_killed(Scene &s)
{
	for (pid_t pid : s.tracees) {
		int status = -1;
		if (!seize(pid) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0 ||
		    waitpid(pid, &status, __WALL) != pid)
			return 1;
	}
	for (pid_t pid : s.tracees)
		kill(pid, SIGKILL);
	if (!s.tracer_dies)
		while (follow())
			;
	return s.leave();
}

void meet(const Options &options, int n, const char *what, Act act, int end)
{
	Scene s{options, (n & 1) != 0, {}, {}};
	s.make_tracees();
	pid_t tracer = spawn([&] { return act(s); });
	for (pid_t pid : s.tracees)
		expect_end(options, pid, end);
	expect_count(collect_all(options), {{s.tracer_dies ? SIGKILL : 0, 1}}, what, n);
	expect(waitpid(tracer, nullptr, WNOHANG) == -1, "a tracer was met, and is still there");
}

// All threads traced, the leader ends first, and the process is not over before the tracer
// has let go of the others; or one of them execs.
void threads(const Options &options, int n)
{
	bool execs = n & 2;
	Scene s{options, (n & 1) != 0, {}, {}};
	Shared<std::atomic<pid_t>> tids[2];
	pid_t child = spawn([&] {
		for (auto &tid : tids)
			std::thread([&] {
				*tid = gettid_raw();
				s.go.take();
				if (execs && &tid == &tids[1])
					execl(target.c_str(), "exec_target", "exit", "9", nullptr);
				end_thread(options, 9);
			}).detach();
		s.go.take();
		end_thread(options, execs ? 8 : 9);
		return 0;
	});
	spawn([&] {
		int want = PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;
		for (auto &tid : tids) {
			while (*tid == 0)
				sched_yield();
			if (!seize(*tid, want))
				return 1;
		}
		if (!seize(child, want))
			return 1;
		s.go.give(3);
		while (follow(s.tracer_dies ? (execs ? PTRACE_EVENT_EXEC : PTRACE_EVENT_EXIT) : 0))
			;
		return s.leave();
	});
	expect_end(options, child, 9 << 8);
	expect_count(collect_all(options), {{s.tracer_dies ? SIGKILL : 0, 1}}, "threads", n);
}

// Children are traced from birth; at the first of them the tracer may die and take all along.
void births(const Options &options, int n)
{
	Scene s{options, (n & 1) != 0, {}, {}};
	pid_t child = spawn([&] {
		s.go.take();
		spawn([&] {
			end_process(options, 1);
			return 0;
		});
		spawn_vfork([] {
			execl(target.c_str(), "exec_target", "exit", "2", nullptr);
			return 200;
		});
		std::thread([] {}).join();
		Count seen = collect_all(options);
		end_process(options, seen == Count{{1 << 8, 1}, {2 << 8, 1}} ? 9 : 8);
		return 0;
	});
	spawn([&] {
		if (!seize(child, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
					  PTRACE_O_EXITKILL))
			return 1;
		s.go.give();
		// The first stop is the fork's, of the one or the other, and both live.
		int status = -1;
		if (s.tracer_dies && waitpid(-1, &status, __WALL) > 0)
			die_by_signal();
		while (follow())
			;
		return 0;
	});
	// Its own child comes to us when both are killed.
	if (s.tracer_dies)
		expect_count(collect_all(options), {{SIGKILL, 3}}, "births, killed", n);
	else
		expect_count(collect_all(options), {{9 << 8, 1}, {0, 1}}, "births", n);
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	target = sibling("exec_target");
	return run(options, [&](int n) {
		int m = n / 7;
		switch (n % 7) {
		case 0:
			return meet(options, m, "takes zombies", takes_zombies, 9 << 8);
		case 1:
			return meet(options, m, "detaches", attaches_and_detaches, 9 << 8);
		case 2:
			return meet(options, m, "leaves alive", leaves_them_to_live, 9 << 8);
		case 3:
			return meet(options, m, "exitkill", takes_them_along, SIGKILL);
		case 4:
			return meet(options, m, "killed in a stop", has_them_killed, SIGKILL);
		case 5:
			return threads(options, m);
		default:
			return births(options, m);
		}
	});
}
