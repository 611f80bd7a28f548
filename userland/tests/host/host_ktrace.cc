// SPDX-License-Identifier: GPL-2.0-only
// The descriptors of traces.
#include "linux.hh"

using namespace sim;

std::vector<std::string> host_ktrace::told()
{
	std::lock_guard g(mutex);
	return records;
}

bool host_ktrace::over()
{
	std::lock_guard g(mutex);
	return !more;
}

// "12 fork 13", with the thread's number where it is another one; "? exit" without one.
static std::string text_of(const pid *pid, const host_ktr &event)
{
	std::string text = std::to_string(pid->nr);
	if (!event.task)
		text += "?";
	else if (event.task->thread_pid && event.task->thread_pid->nr != pid->nr)
		text += "/" + std::to_string(event.task->thread_pid->nr);
	const std::string other = event.other ? std::to_string(event.other->nr) : "any";
	switch (event.type) {
	case CORE_KTR_FORK:
		return text + " fork " + other;
	case CORE_KTR_EXEC:
		return text + " exec";
	case CORE_KTR_EXIT:
		return text + " exit " + std::to_string(event.xstat);
	case CORE_KTR_SIG:
		return text + " sig " + std::to_string(event.signo);
	case CORE_KTR_PSIG:
		return text + " psig " + std::to_string(event.signo);
	case CORE_KTR_WAIT:
		return text + " wait " + other;
	case CORE_KTR_REAP:
		return text + " reap " + other + " " + std::to_string(event.xstat);
	case CORE_KTR_STOP:
		return text + " stop";
	default:
		die("a trace is told of event %u", event.type);
	}
}

void host_ktrace_tell(host_ktrace *trace, pid *pid, const host_ktr *event)
{
	must_be_in_rcu(__func__);
	intrude();
	if (trace->closed)
		die("a trace is told something after it was closed");
	std::lock_guard g(trace->mutex);
	trace->records.push_back(text_of(pid, *event));
}

void host_ktrace_expect(host_ktrace *trace, int more)
{
	std::lock_guard g(trace->mutex);
	trace->more = more;
}

int host_ktrace_may(host_ktrace *trace, const task_struct *)
{
	must_be_in_rcu(__func__);
	intrude();
	return trace->may;
}

int host_may_inspect(const task_struct *task)
{
	must_be_in_rcu(__func__);
	intrude();
	return task->signal->may_be_inspected;
}
