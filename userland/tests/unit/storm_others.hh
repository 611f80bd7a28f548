// SPDX-License-Identifier: GPL-2.0-only
// Those who look at a storm, hold and trace who is in it, and come and go with hooks.
#pragma once

#include "../../../include/bsdproc_at_exit.h"
#include "../../../include/bsdproc_exit_stage.h"
#include "storm_machine.hh"

namespace sim
{

inline void look_at_all(kernel &linux_)
{
	as looker(linux_.init());
	int pids[64];
	core_settle();
	core_list(pids, 64);
	for_each_leader([](const task_struct *leader) { look_at(host_task_tgid(leader)); });
}

// ---- a tracer that holds processes in their exits

class holder
{
public:
	explicit holder(dice &random) { host_.may = !one_in(random, 8); }
	void turn(dice &random)
	{
		if (!tracer_)
			return;
		as caller(the_kernel->init());
		for_each_leader([&](task_struct *leader) {
			if (one_in(random, 3))
				ask(leader, random);
		});
		for (unsigned n = random() % 10; n; n--) {
			serve(random);
			breathe();
		}
	}
	~holder()
	{
		if (tracer_)
			core_tracer_free(tracer_); // lets all go
		rcu_synchronize();
	}

private:
	void ask(task_struct *leader, dice &random)
	{
		const unsigned fork = one_in(random, 2) ? CORE_S_FORK : 0;
		const unsigned events = one_in(random, 6) ? 0 : CORE_S_EXIT | fork;
		const int error = core_tracer_stops(tracer_, leader, events);
		EXPECT_TRUE(is_one_of(error, {0, -esrch, -ebusy, -enomem})) << error;
	}
	void serve(dice &random)
	{
		host_rcu_read_lock();
		core_stopped stopped{};
		while (core_tracer_next(tracer_, &stopped) == 0) {
			EXPECT_EQ(stopped.event, unsigned(CORE_S_EXIT));
			if (one_in(random, 4))
				core_tracer_again(tracer_, stopped.pid);
			const int error = core_tracer_cont(tracer_, stopped.pid);
			EXPECT_TRUE(is_one_of(error, {0, -esrch})) << error;
			host_pid_put(stopped.pid);
		}
		host_rcu_read_unlock();
	}

	host_tracer host_;
	core_tracer *tracer_ = core_tracer_new(&host_);
};

// ---- one who reads traces

#ifdef KTRACE
class ktracer
{
public:
	explicit ktracer(dice &random) { host_.may = !one_in(random, 2); }
	void turn(dice &random)
	{
		if (!trace_)
			return;
		as caller(the_kernel->init());
		for (unsigned n = 1 + random() % 4; n; n--) {
			for_each_leader([&](task_struct *leader) {
				if (one_in(random, 3))
					set(leader, one_in(random, 6) ? 0u : unsigned(random()));
			});
			breathe();
		}
	}
	~ktracer()
	{
		if (trace_)
			core_ktrace_close(trace_);
		rcu_synchronize();
		host_.closed = true;
		EXPECT_TRUE(host_.over());
		expect_one_end_each();
		core_ktrace_free(trace_);
	}

private:
	void set(task_struct *leader, unsigned facs)
	{
		const int error = core_ktrace_set(trace_, leader, facs | CORE_KTRFAC_EXIT);
		EXPECT_TRUE(is_one_of(error, {0, -esrch, -ebusy, -enomem})) << error;
	}
	void expect_one_end_each()
	{
		std::map<std::string, unsigned> ends;
		for (const std::string &line : host_.told())
			if (line.find(" exit ") != line.npos) {
				EXPECT_EQ(++ends[line.substr(0, line.find_first_of(" /?"))], 1u)
					<< line;
			}
	}

	host_ktrace host_;
	core_ktrace *trace_ = core_ktrace_new(&host_);
};
#endif

// ---- a module with hooks

class hooks
{
public:
	static void come_and_go(dice &random)
	{
		const unsigned stage = random() % EXIT_STAGES;
		as module(the_kernel->init());
		at_exit(callout);
		at_exit_stage(stage, hook);
		for (unsigned n = random() % 4; n; n--)
			breathe();
		rm_at_exit(callout);
		EXPECT_EQ(in_callout, 0u);
		rm_at_exit_stage(stage, hook);
		EXPECT_EQ(in_hook, 0u);
	}

private:
	static void callout(task_struct *td)
	{
		in_callout++;
		const view v = look_at(td);
		EXPECT_EQ(v.error, 0);
		EXPECT_EQ(v.proc.stat, unsigned(CORE_SACTIVE));
		EXPECT_TRUE(v.proc.flags & CORE_P_WEXIT);
		in_callout--;
	}
	static void hook(task_struct *td)
	{
		in_hook++;
		EXPECT_EQ(look_at(td).error, 0);
		in_hook--;
	}

	static inline std::atomic<unsigned> in_callout, in_hook; // who is in there
};

// ---- memory that is short now and then, once or until somebody has waited for it

inline void starve(dice &random)
{
	if (one_in(random, 2))
		memory_fault::fail_nth(1 + random() % 20);
	else
		memory_fault::fail_until_waits(1 + random() % 3);
	breathe();
	memory_fault::fail_until_waits(0);
}

} // namespace sim
