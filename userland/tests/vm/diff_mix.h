// SPDX-License-Identifier: BSD-2-Clause
// diff_wait's main scenario: a random family, to whom things happen, and random waits for it.
#ifndef DIFF_MIX_H
#define DIFF_MIX_H

#include "diff_call.h"

namespace diff
{

class Mix
{
public:
	explicit Mix(Random &random) : r_(random) {}

	void play()
	{
		signal(SIGUSR1, SIG_IGN); // that some children send at their end
		const int steps = 6 + r_.below(14);
		for (int i = 0; i < steps; i++)
			step();
		finish();
	}

private:
	Child &child(int n) { return children[static_cast<size_t>(n)]; }

	// A child for which that is so, or -1.
	template <class F> int choose(F fits)
	{
		std::vector<int> all;
		for (int n = 0; n < static_cast<int>(children.size()); n++)
			if (fits(child(n)))
				all.push_back(n);
		return all.empty()
			       ? -1
			       : all[static_cast<size_t>(r_.below(static_cast<int>(all.size())))];
	}
	int anybody()
	{
		return choose([](const Child &) { return true; });
	}
	int someone_alive()
	{
		return choose([](const Child &c) { return c.state < Child::ended; });
	}
	int pending()
	{
		return static_cast<int>(std::count_if(children.begin(), children.end(),
						      [](const Child &c) { return c.pending; }));
	}

	void step()
	{
		switch (r_.below(12)) {
		case 0:
		case 1:
		case 2:
			return make();
		case 3:
		case 4:
		case 5:
			return happen(someone_alive());
		case 6:
			return move(someone_alive());
		case 7:
		case 8:
			return sleep();
		default:
			return look();
		}
	}

	// ---- births and groups

	void make()
	{
		if (children.size() >= 12)
			return;
		const unsigned long flags =
			r_.pick<unsigned long>({SIGCHLD, SIGCHLD, SIGCHLD, SIGCHLD, SIGUSR1, 0});
		const int n = make_child(flags);
		if (!child(n).clone && r_.one_in(4)) {
			give_order(n, kThread);
			child(n).two_threads = true;
		}
		say("#%d is born, exit signal %lu%s", n, flags,
		    child(n).two_threads ? ", two threads" : "");
		if (r_.one_in(2))
			move(n);
	}

	// Into a group of its own, another's, or ours.
	void move(int n)
	{
		if (n < 0 || child(n).state == Child::half)
			return;
		const int to = r_.one_in(3) ? -1
			       : r_.one_in(2)
				       ? n
				       : choose([](const Child &c) {
						 return c.state < Child::ended && c.group >= 0;
					 });
		const int leader = to < 0 || to == n ? to : child(to).group;
		const pid_t group = leader < 0 ? getpgrp() : child(leader).pid;
		if (setpgid(child(n).pid, group) != 0)
			return say("#%d stays in its group", n);
		child(n).group = leader;
		say("#%d is in the group of #%d", n, leader);
	}

	// ---- what happens to them

	int ending()
	{
		switch (r_.below(5)) {
		case 0:
		case 1:
			return kExit | r_.pick({0, 1, 7, 127, 128, 255});
		case 2:
			return kDie |
			       r_.pick({SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGUSR2, SIGPIPE, 40});
		case 3:
			return kDie | r_.pick({SIGSEGV, SIGABRT, SIGQUIT, SIGTRAP, SIGSYS});
		default:
			return r_.one_in(4) ? kDump | r_.pick({SIGSEGV, SIGQUIT})
					    : kExit | r_.below(256);
		}
	}

	static void has_ended(Child &c)
	{
		until_ended(c.pid);
		c.state = Child::ended;
		c.pending = true;
	}

	void end(int n)
	{
		Child &c = child(n);
		if (c.state == Child::stopped || r_.one_in(5)) {
			say("#%d is killed", n);
			kill(c.pid, SIGKILL);
		} else if (c.state == Child::half) {
			const int code = r_.below(256);
			say("#%d ends with its last thread, %d", n, code);
			tell(stage->second[n], kEndThread | code);
		} else if (c.two_threads && r_.one_in(2)) {
			// Dead to /proc, but nothing to report.
			say("#%d's leader ends", n);
			give_order(n, kEndThread | 33);
			until_state(c.pid, 'Z');
			c.state = Child::half;
			return;
		} else {
			const int order = ending();
			say("#%d ends by order %#x", n, static_cast<unsigned>(order));
			give_order(n, order);
		}
		has_ended(c);
	}

	void stop(int n)
	{
		const int sig = r_.pick({SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU});
		say("#%d is stopped by %d", n, sig);
		kill(child(n).pid, sig);
		until_stopped(child(n).pid);
		child(n).state = Child::stopped;
		child(n).pending = true;
	}

	void go_on(int n)
	{
		say("#%d goes on", n);
		kill(child(n).pid, SIGCONT);
		child(n).state = Child::runs;
		child(n).pending = true;
	}

	void happen(int n)
	{
		if (n < 0)
			return;
		const Child &c = child(n);
		if (c.state == Child::stopped && !r_.one_in(4))
			go_on(n);
		else if (c.state == Child::runs && !r_.one_in(3))
			stop(n);
		else
			end(n);
	}

	// ---- waits

	Target target()
	{
		const int n = anybody();
		if (n < 0)
			return {r_.pick({Target::any, Target::self, Target::own_group})};
		switch (r_.below(12)) {
		case 0:
		case 1:
		case 2:
			return {Target::any};
		case 3:
		case 4:
			return {Target::group, n};
		case 5:
			return {Target::own_group};
		case 6:
			return {r_.pick({Target::self, Target::nobody})};
		case 7:
			return {r_.one_in(2) && child(n).state != Child::gone ? Target::pidfd
									      : Target::child,
				n};
		default:
			return {Target::child, n};
		}
	}

	int options(Form form)
	{
		int o = r_.one_in(2) ? WUNTRACED : 0;
		o |= r_.one_in(2) ? WCONTINUED : 0;
		o |= r_.one_in(3) ? __WALL : 0;
		o |= r_.one_in(6) ? kClone : 0;
		o |= r_.one_in(12) ? __WNOTHREAD : 0;
		if (r_.one_in(40))
			o |= r_.pick({0x100, 0x10, 0x20, 0x40, 0x04000000, WNOWAIT, WEXITED});
		if (form == Form::waitid) {
			o |= r_.one_in(4) ? 0 : WEXITED;
			o |= r_.one_in(5) ? WNOWAIT : 0;
		}
		return o;
	}

	// Without sleep: whoever has something to report, or nobody.
	void look()
	{
		Call call = {r_.pick(
			{Form::waitpid, Form::wait3, Form::wait4, Form::waitid, Form::waitid})};
		call.target = target();
		if (call.target.who == Target::pidfd)
			call.form = Form::waitid;
		if (call.form == Form::wait3)
			call.target = {};
		call.options = options(call.form) | WNOHANG;
		if (pending() > 1 && call.target.who != Target::child)
			return drain(call);
		// By kind: one that has ended is not to be lost out of sight.
		call.status = r_.one_in(6) && !pending() ? To::null : To::memory;
		call.usage = r_.one_in(4) ? To::null : To::memory;
		say(perform(call));
	}

	// Asleep until something happens to one of them.
	void sleep()
	{
		const int n = choose([](const Child &c) { return c.state < Child::half; });
		if (pending() || n < 0)
			return wait_for_the_dead();
		Child &c = child(n);
		const bool to_stop = c.state == Child::runs && r_.one_in(3);
		const bool to_go = c.state == Child::stopped && r_.one_in(2);
		Call call = {r_.pick(
			{Form::wait, Form::waitpid, Form::wait3, Form::wait4, Form::waitid})};
		if (c.clone || to_stop || to_go)
			call.form = call.form == Form::wait ? Form::waitpid : call.form;
		if (call.form != Form::wait)
			call.options = asleep_for(call, c, to_stop, to_go);
		if (call.form != Form::wait && call.form != Form::wait3)
			call.target = r_.pick<Target>(
				{{Target::child, n}, {Target::any}, {Target::group, n}});

		Plan plan;
		if (to_stop)
			plan.signal(c.pid, SIGSTOP);
		else if (to_go)
			plan.signal(c.pid, SIGCONT);
		else if (c.state == Child::stopped || r_.one_in(4))
			plan.signal(c.pid, SIGKILL);
		else
			plan.order(n, ending());
		say("asleep until #%d %s", n, to_stop ? "stops" : to_go ? "goes on" : "ends");
		c.state = to_stop ? Child::stopped : to_go ? Child::runs : Child::ended;
		c.pending = true;
		plan.begin();
		const Result result = perform(call);
		plan.end();
		say(result);
	}

	int asleep_for(const Call &call, const Child &c, bool to_stop, bool to_go)
	{
		int o = options(Form::waitpid) & (WUNTRACED | WCONTINUED | __WALL);
		o |= to_stop ? WUNTRACED : to_go ? WCONTINUED : 0;
		if (c.clone)
			o |= r_.one_in(2) ? __WALL : kClone;
		if (call.form == Form::waitid) {
			o |= to_stop || to_go ? r_.pick({0, WEXITED}) : WEXITED;
			o |= r_.one_in(5) ? WNOWAIT : 0;
		}
		return o;
	}

	// Which needs no sleep.
	void wait_for_the_dead()
	{
		const int n = choose([](const Child &c) { return c.state == Child::ended; });
		if (n < 0)
			return look();
		Call call = {r_.pick({Form::waitpid, Form::wait4, Form::waitid}),
			     {Target::child, n}};
		call.options = __WALL | (call.form == Form::waitid ? WEXITED : 0);
		say(perform(call));
	}

	Random &r_;
};

} // namespace diff

#endif // DIFF_MIX_H
