// SPDX-License-Identifier: BSD-2-Clause
// Processes with a pid of one's own choice.
#ifndef VM_PID_H
#define VM_PID_H

#include "vm_proc.h"

#include <linux/sched.h>

namespace vm
{

// False: the number is taken, or the kernel does not let us.
template <class F> bool spawn_as(pid_t want, F body)
{
	struct clone_args args = {};
	args.exit_signal = SIGCHLD;
	args.set_tid = reinterpret_cast<uint64_t>(&want);
	args.set_tid_size = 1;
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(body());
	return pid == want;
}

} // namespace vm

#endif // VM_PID_H
