// SPDX-License-Identifier: BSD-2-Clause
// Scenarios of several threads that wait, or that are cancelled in it.
#ifndef DIFF_THREADS_H
#define DIFF_THREADS_H

#include "diff_scenes.h"

namespace diff
{

// A thread that makes a call. Not a std::thread: it may be cancelled.
class Caller
{
public:
	explicit Caller(const Call &call, int cancel_state = PTHREAD_CANCEL_ENABLE,
			int cancel_type = PTHREAD_CANCEL_DEFERRED, bool cancelled_before = false)
	    : call_(call), state_(cancel_state), type_(cancel_type), before_(cancelled_before)
	{
		if (pthread_create(&thread_, nullptr, run, this) != 0)
			die("pthread_create");
		while (tid_ == 0)
			sched_yield();
	}
	pid_t tid() const { return tid_; }
	void cancel() { pthread_cancel(thread_); }
	void until_done() const
	{
		while (!done_)
			sched_yield();
	}
	std::string join()
	{
		void *value = nullptr;
		tell(leave_, 1);
		pthread_join(thread_, &value);
		return value == PTHREAD_CANCELED ? "cancelled" : text_;
	}

private:
	static void *run(void *arg)
	{
		auto *self = static_cast<Caller *>(arg);
		pthread_setcancelstate(self->state_, nullptr);
		if (self->before_)
			pthread_cancel(pthread_self());
		self->tid_ = gettid_raw();
		pthread_setcanceltype(self->type_, nullptr);
		std::string text = perform(self->call_).text;
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
		self->text_ = std::move(text);
		self->done_ = true;
		// Who waits beside it is not to live on its end.
		be_told(self->leave_);
		return nullptr;
	}

	Call call_;
	int state_, type_;
	bool before_;
	pthread_t thread_ = {};
	std::atomic<pid_t> tid_{0};
	std::atomic<bool> done_{false};
	std::atomic<int> leave_{0};
	std::string text_;
};

inline void say_sorted(std::vector<std::string> lines)
{
	std::sort(lines.begin(), lines.end());
	for (const std::string &line : lines)
		say(line);
}

// Both wait for the same child, or for any of two.
inline void two_waiters(Random &r)
{
	const bool same = r.one_in(2);
	const int one = make_child(), other = same ? one : make_child();
	const Target whom = same ? Target{Target::child, one} : Target{};
	const Form form = r.pick({Form::waitpid, Form::waitid, Form::wait4});
	say("two threads wait for %s", same ? "one" : "any");
	Caller a(for_end(form, whom)), b(for_end(form, whom));
	until_waiting(a.tid());
	until_waiting(b.tid());
	give_order(one, kExit | 41);
	if (!same)
		give_order(other, kExit | 42);
	a.until_done();
	b.until_done();
	say_sorted({a.join(), b.join()});
	finish();
}

// Whose children they are makes a difference to __WNOTHREAD only.
inline void of_the_thread(Random &r)
{
	const int nothread = WNOHANG | __WNOTHREAD;
	const Form form = r.pick({Form::waitpid, Form::wait4});
	const int ours = make_child();
	say("children of threads");
	say(Caller({form, {Target::child, ours}, nothread}).join());
	say(Caller({form, {Target::child, ours}, WNOHANG}).join());
	say(perform({form, {Target::child, ours}, nothread}));

	std::atomic<int> word{0};
	std::atomic<pid_t> made{0};
	pid_t tid = 0;
	std::thread maker([&] {
		tid = gettid_raw();
		const int n = static_cast<int>(children.size());
		made = spawn([n]() -> int { obey(n, stage->orders[n]); });
		be_told(word);
	});
	while (made == 0)
		sched_yield();
	const int theirs = add_child({made});
	say(perform({form, {}, nothread}));
	say(perform({form, {Target::child, theirs}, nothread}));
	say(perform({form, {Target::child, theirs}, WNOHANG}));
	if (r.one_in(2)) {
		// They are ours when it is gone.
		tell(word, 1);
		maker.join();
		until_gone(tid);
		say(perform({form, {Target::child, theirs}, nothread}));
	}
	give_order(theirs, kExit | 43);
	say(perform(for_end(any_form(r), {Target::child, theirs})));
	if (maker.joinable()) {
		tell(word, 1);
		maker.join();
	}
	finish();
}

// To C++, wait3 and wait4 are functions that throw nothing, a cancellation least of all.
inline Form cancellable_form(Random &r)
{
	return r.pick({Form::wait, Form::waitpid, Form::waitid});
}

// In its sleep; what it waited for is there to be waited for.
inline void cancelled(Random &r)
{
	const int n = make_child();
	const int type = r.pick({PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS});
	Caller caller(for_end(cancellable_form(r), {Target::child, n}), PTHREAD_CANCEL_ENABLE,
		      type);
	say("cancelled while it waits");
	until_waiting(caller.tid());
	caller.cancel();
	say(caller.join());
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
	give_order(n, kExit | 44);
	say(perform(for_end(any_form(r), {Target::child, n})));
	finish();
}

// Before the call, which does not take the child then.
inline void cancelled_before(Random &r)
{
	const int n = make_child();
	give_order(n, kExit | 45);
	until_ended(children[static_cast<size_t>(n)].pid);
	Call call = for_end(cancellable_form(r), {Target::child, n});
	if (call.form != Form::wait)
		call.options |= r.pick({0, WNOHANG});
	say("cancelled before it waits");
	Caller caller(call, PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DEFERRED, true);
	say(caller.join());
	say(perform({Form::waitpid, {Target::child, n}, WNOHANG}));
	finish();
}

// Where that is disabled nothing comes of it.
inline void not_cancelled(Random &r)
{
	const int n = make_child();
	Caller caller(for_end(any_form(r), {Target::child, n}), PTHREAD_CANCEL_DISABLE);
	say("not to be cancelled");
	until_waiting(caller.tid());
	caller.cancel();
	give_order(n, kExit | 46);
	say(caller.join());
	finish();
}

} // namespace diff

#endif // DIFF_THREADS_H
