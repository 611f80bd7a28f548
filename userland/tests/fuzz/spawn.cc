// SPDX-License-Identifier: BSD-2-Clause
// Relatives in every state. Nothing here asks for memory: other threads may hold malloc's
// locks when they are forked.
#include "../vm/vm_proc.h"
#include "../vm/vm_thread.h"

#include "caller.hh"

#include <sys/ptrace.h>

#include "tally.hh"

namespace fuzz
{

namespace
{

const std::string exec_target = vm::sibling("exec_target");

[[noreturn]] void live()
{
	for (;;)
		pause();
}

int end(bool clone)
{
	return exit_code(getpid(), clone);
}

// A leader that ended while another thread lives.
[[noreturn]] void leave_a_thread()
{
	vm::BareThread thread;
	thread.start([](vm::BareThread &) { live(); }, nullptr);
	for (;;)
		vm::exit_thread_raw(0);
}

pid_t spawn_vfork()
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(exit_code(getpid(), false));
	return pid;
}

} // namespace

// In a process of its own, by fork().
int Caller::be_caller(unsigned calls)
{
	Self self(false);
	self.moves_descriptors = self_.moves_descriptors;
	Caller caller(Random(random_.next()), self, shifting_, depth_ + 1);
	caller.run(calls);
	return end(false);
}

void Caller::spawn()
{
	const int kind = static_cast<int>(random_.below(depth_ ? 4 : 13));
	pid_t pid = 0;
	switch (kind) {
	case 0:
	case 1:
		pid = vm::spawn([] { return end(false); });
		break;
	case 2:
		pid = vm::spawn_flags(0, [] { return end(true); });
		break;
	case 3:
		pid = vm::spawn([]() -> int { live(); });
		break;
	case 4:
		pid = vm::spawn_flags(0, []() -> int { live(); });
		break;
	case 5:
		pid = vm::spawn([]() -> int {
			kill(getpid(), SIGSTOP);
			live();
		});
		break;
	case 6:
		pid = vm::spawn([] {
			ptrace(PTRACE_TRACEME);
			kill(getpid(), SIGSTOP);
			return end(false);
		});
		break;
	case 7:
		pid = spawn_vfork();
		break;
	case 8: // leaves an orphan
		pid = vm::spawn([] {
			vm::spawn([]() -> int { live(); });
			return end(false);
		});
		break;
	case 9:
		pid = vm::spawn([]() -> int { leave_a_thread(); });
		break;
	case 10:
		pid = vm::spawn([&] { return be_caller(12); });
		break;
	case 11: // in a pid namespace of its own
		pid = vm::spawn_flags(CLONE_NEWPID | SIGCHLD, [&] { return be_caller(12); });
		break;
	case 12:
		pid = vm::spawn([&] {
			char code[8];
			snprintf(code, sizeof(code), "%d", end(false));
			execl(exec_target.c_str(), "exec_target", "exit", code, nullptr);
			return end(false);
		});
		break;
	}
	if (pid > 0)
		self_.add_child(pid);
}

} // namespace fuzz
