// SPDX-License-Identifier: GPL-2.0-only
// The core alone, on this machine: whether a life costs the same however many processes there
// are, and whether two CPUs hinder each other.
#include <benchmark/benchmark.h>
#include <memory>
#include <mutex>
#include <vector>

#include "lean.hh"

using lean::current;

namespace
{

task_struct *kthread;

task_struct *fork_from(task_struct *parent)
{
	current = parent;
	task_struct *task = lean::new_task(parent);
	core_task_new(task);
	return task;
}

void exit_of(task_struct *task)
{
	current = task;
	task->exiting = true;
	core_task_exit(core_task_exiting(task));
	task->zombie = true;
}

void released(task_struct *task)
{
	task->tgid->leader.store(nullptr, std::memory_order_release);
	core_task_free(task);
	lean::free_task(task);
}

void wait_for_any(task_struct *parent, task_struct *child)
{
	current = parent;
	core_wait_args args{};
	args.options = CORE_WEXITED | CORE_WNOHANG;
	if (core_wait(&args) || args.pid != child->tgid)
		abort();
	host_pid_put(args.pid);
	child->tgid->leader.store(nullptr, std::memory_order_release);
	core_wait_end();
	released(child);
}

void life(task_struct *parent)
{
	task_struct *child = fork_from(parent);
	exit_of(child);
	wait_for_any(parent, child);
}

void start()
{
	static std::once_flag once;
	std::call_once(once, [] {
		core_init();
		kthread = lean::new_task(nullptr);
	});
}

void end_of(task_struct *task)
{
	exit_of(task);
	current = kthread;
	released(task);
}

} // namespace

// The parent's living children: as many as there are processes.
static void Life(benchmark::State &state)
{
	start();
	lean::cpu cpu;
	task_struct *parent = fork_from(kthread);
	std::vector<task_struct *> children(state.range(0));
	for (task_struct *&child : children)
		child = fork_from(parent);
	for (auto _ : state) {
		life(parent);
		cpu.quiescent();
	}
	for (task_struct *child : children) {
		exit_of(child);
		wait_for_any(parent, child);
		cpu.quiescent();
	}
	end_of(parent);
}
BENCHMARK(Life)->Arg(1000)->Arg(10000)->Arg(100000)->Arg(1000000)->Arg(4000000)->MinTime(1);

// Each of the threads is another parent.
static void Lives(benchmark::State &state)
{
	start();
	lean::cpu cpu;
	task_struct *parent = fork_from(kthread);
	for (auto _ : state) {
		life(parent);
		cpu.quiescent();
	}
	end_of(parent);
	state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Lives)->Threads(1)->Threads(2)->UseRealTime()->MinTime(1);

BENCHMARK_MAIN();
