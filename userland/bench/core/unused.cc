// SPDX-License-Identifier: GPL-2.0-only
// What the core asks of its host, but never in a plain life of a process.
#include <cstdio>
#include <cstdlib>

#include "lean.hh"

[[noreturn]] static void unused(const char *function)
{
	fprintf(stderr, "bench_core: the core has called %s\n", function);
	abort();
}

// clang-format off
#define UNUSED(type, name, arguments) type name arguments { unused(#name); }

UNUSED(void *, host_malloc, (unsigned long))
UNUSED(void, host_map_walk, (void (*)(host_link *, void *), void *))
UNUSED(void, host_map_drain, (void (*)(host_link *)))
UNUSED(task_struct *, host_pid_task, (pid *))
UNUSED(pid *, host_task_pid, (const task_struct *))
UNUSED(pid *, host_task_pgid, (const task_struct *))
UNUSED(pid *, host_task_sid, (const task_struct *))
UNUSED(unsigned, host_task_euid, (const task_struct *))
UNUSED(unsigned, host_task_egid, (const task_struct *))
UNUSED(int, host_task_nr, (const task_struct *))
UNUSED(int, host_group_exiting, (task_struct *))
UNUSED(task_struct *, host_group_find, (task_struct *, int (*)(task_struct *)))
UNUSED(int, host_mm_find, (task_struct *, int (*)(task_struct *, void *), void *))
UNUSED(int, host_pid_nr, (pid *))
UNUSED(void, host_pid_walk, (void (*)(pid *, int, void *), void *))
UNUSED(int, host_members_find, (pid *, host_group, unsigned, int (*)(task_struct *, void *), void *))
UNUSED(int, host_tracees_find, (int (*)(task_struct *, void *), void *))
UNUSED(int, host_tracees_find_soon, (int (*)(task_struct *, void *), void *))
UNUSED(host_watch *, host_watch_open, ())
UNUSED(void, host_watch_close, (host_watch *))
UNUSED(unsigned, host_watch_count, (host_watch *))
UNUSED(pid *, host_watch_take, (host_watch *))
UNUSED(void, host_watch_add, (host_watch *, pid *))
UNUSED(void, host_watch_put_back, (host_watch *, pid *))
UNUSED(void, host_watch_reset, (host_watch *))
UNUSED(int, host_watch_missed, (host_watch *))
UNUSED(void, host_watch_grow, (host_watch *, unsigned))
UNUSED(unsigned, host_euid, ())
UNUSED(unsigned, host_payer, ())
UNUSED(int, host_is_admin, ())
UNUSED(int, host_tasks_walk, (int (*)(task_struct *)))
UNUSED(void, host_heal_later, ())
UNUSED(void, host_memory_wait, ())
UNUSED(void, host_sleep, (const void *, int (*)(void *), void *))
UNUSED(void, host_wakeup, (const void *))
UNUSED(unsigned, host_kill_tracees, ())
UNUSED(int, host_traces, ())
UNUSED(const char *, host_exit_undone, ())
UNUSED(void, host_warn, (const char *, const void *))
UNUSED(void, host_init_died, (int, int))
UNUSED(int, host_kill, (pid *, int))
UNUSED(int, host_tracer_may, (host_tracer *))
UNUSED(void, host_tracer_wake, (host_tracer *))
UNUSED(unsigned, host_tty, ())
UNUSED(void, host_acct, (task_struct *, const host_acct_end *))
UNUSED(void, host_wait_prepare, (host_waiter *))
UNUSED(int, host_wait_sleep, (host_waiter *))
UNUSED(void, host_wait_finish, (host_waiter *))
UNUSED(void, host_setint_store, (host_setint *))
UNUSED(void, host_setint_drop, (host_setint *))
#ifdef KTRACE
UNUSED(void, host_ktrace_tell, (host_ktrace *, pid *, const host_ktr *))
UNUSED(void, host_ktrace_expect, (host_ktrace *, int))
UNUSED(int, host_ktrace_may, (host_ktrace *, const task_struct *))
UNUSED(int, host_may_inspect, (const task_struct *))
#endif
// clang-format on

// With null, at the end of each life.
void host_mfree(void *memory)
{
	if (memory)
		unused("host_mfree");
}
