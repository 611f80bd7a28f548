// SPDX-License-Identifier: BSD-2-Clause
// A thread led from one system call to the next.
#ifndef VM_PTRACE_H
#define VM_PTRACE_H

#include "vm_proc.h"

#include <sys/ptrace.h>
#include <sys/user.h>

namespace vm
{

class Stepper
{
public:
	// `go` releases the thread from where it waits for us.
	Stepper(pid_t tid, Tokens &go) : tid_(tid)
	{
		if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) != 0 ||
		    ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0 || !stopped())
			die("ptrace");
		go.give();
	}

	// To the next entry to or exit from a system call; false: the thread has ended.
	bool step()
	{
		// Waited for also when it was killed meanwhile: its process waits for that.
		bool alive = ptrace(PTRACE_SYSCALL, tid_, 0, 0) == 0;
		if (!stopped() || !alive)
			return false;
		struct user_regs_struct regs;
		if (ptrace(PTRACE_GETREGS, tid_, 0, &regs) != 0) {
			stopped();
			return false;
		}
		number = static_cast<long>(regs.orig_rax);
		entry = static_cast<long>(regs.rax) == -ENOSYS;
		return true;
	}

	bool let_go() { return ptrace(PTRACE_DETACH, tid_, 0, 0) == 0; }

	long number = -1;
	bool entry = false;

private:
	bool stopped()
	{
		int status = -1;
		while (waitpid(tid_, &status, __WALL) != tid_)
			if (errno != EINTR)
				return false;
		return WIFSTOPPED(status);
	}

	pid_t tid_;
};

} // namespace vm

#endif // VM_PTRACE_H
