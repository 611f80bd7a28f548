// SPDX-License-Identifier: GPL-2.0-only
#include "schedule.hh"

#include <cstdio>
#include <sstream>

#include "arena.hh"
#include "instrument.hh"
#include "linux.hh"

namespace sim
{

std::string to_string(const plan &plan)
{
	std::ostringstream out;
	for (const auto &[step, thread] : plan)
		out << (&step == &plan.front().first ? "" : " ") << step << '>' << thread;
	return out.str();
}

plan plan_of(const std::string &text)
{
	plan plan;
	std::istringstream in(text);
	unsigned step;
	char arrow;
	int thread;
	while (in >> step >> arrow >> thread)
		plan.emplace_back(step, thread);
	return plan;
}

class schedule::actor : public turns, public instrument
{
public:
	actor(schedule &schedule, unsigned number, const std::function<void()> &body)
	    : schedule_{schedule}, number_{number}, body_{body}, thread_{[this] { run(); }}
	{
	}
	~actor() override { thread_.join(); }

	bool enabled() const { return !finished_ && (!so_ || so_()); }
	bool finished() const { return finished_; }
	void go() { go_.release(); }
	void wait_turn() { go_.acquire(); }

	void point() override { schedule_.next(int(number_)); }
	void until(const std::function<bool()> &so) override
	{
		if (so())
			return;
		so_ = so;
		point();
		so_ = nullptr;
	}
	void acquire(const void *sync) override { schedule_.races_.acquire(number_, sync); }
	void release(const void *sync) override { schedule_.races_.release(number_, sync); }
	void acquire_all() override { schedule_.races_.acquire_all(number_); }
	void died() override
	{
		fprintf(stderr, "in thread %u:%s\nCORE_SCHEDULE=\"%s\"\n", number_, where().c_str(),
			to_string(schedule_.as_run()).c_str());
	}

	void atomic_operation() override { point(); }
	void access(const void *address, size_t size, bool write) override
	{
		if (arena::is_freed(address))
			die("used after it was freed");
		const char *with = schedule_.races_.access(number_, address, size, write);
		if (with)
			die("a data race: this %s and %s elsewhere", write ? "write" : "read",
			    with);
	}

private:
	void run()
	{
		wait_turn();
		turns_here = this;
		instrument_here = this;
		may_block = true;
		body_();
		turns_here = nullptr;
		instrument_here = nullptr;
		finished_ = true;
		schedule_.next(int(number_));
	}

	schedule &schedule_;
	const unsigned number_;
	const std::function<void()> &body_;
	std::function<bool()> so_;
	bool finished_ = false;
	std::binary_semaphore go_{0};
	std::thread thread_;
};

schedule::schedule(const plan &plan, std::mt19937 *random, bool aloud)
    : plan_{plan}, random_{random}, aloud_{aloud}
{
}

schedule::~schedule() = default;

void schedule::run(const std::vector<std::function<void()>> &threads)
{
	if (threads.size() > races::most_threads)
		die("too many threads in a scenario");
	for (const auto &body : threads)
		actors_.push_back(std::make_unique<actor>(*this, actors_.size(), body));
	next(-1);
	done_.acquire();
	actors_.clear();
}

int schedule::choose(int from, unsigned enabled)
{
	const unsigned step = step_++;
	if ((enabled & (enabled - 1)) == 0)
		return __builtin_ctz(enabled);
	const bool goes_on = from >= 0 && (enabled & 1u << from);
	int to = goes_on ? from : __builtin_ctz(enabled);
	if (planned_ < plan_.size() && plan_[planned_].first == step) {
		to = plan_[planned_++].second;
		if (!(enabled & 1u << to))
			die("the schedule cannot be had: thread %d waits", to);
	} else if (random_ && (!goes_on || (*random_)() % 16 == 0)) {
		do
			to = int((*random_)() % actors_.size());
		while (!(enabled & 1u << to));
	}
	decisions_.push_back({step, enabled, from, to});
	return to;
}

// Called by the thread that ran until now, or by the main one.
void schedule::next(int from)
{
	unsigned enabled = 0, finished = 0;
	for (unsigned i = 0; i < actors_.size(); i++) {
		enabled |= unsigned(actors_[i]->enabled()) << i;
		finished += actors_[i]->finished();
	}
	if (finished == actors_.size()) {
		done_.release();
		return;
	}
	if (!enabled) {
		// Somebody waits for ever: a lost wake-up, or a deadlock.
		for (const auto &actor : actors_)
			if (!actor->finished())
				fprintf(stderr, "waits for ever:%s\n", actor->where().c_str());
		die("nobody can go on; CORE_SCHEDULE=\"%s\"", to_string(as_run()).c_str());
	}
	const int to = choose(from, enabled);
	if (to == from)
		return;
	if (aloud_)
		say_switch(from, to);
	// The last step of a finished thread: its actor may be gone once it is let go.
	actor *here = from < 0 || actors_[from]->finished() ? nullptr : actors_[from].get();
	actors_[to]->go();
	if (here)
		here->wait_turn();
}

plan schedule::as_run() const
{
	plan plan;
	for (const decision &d : decisions_)
		if (d.to != (d.free() ? __builtin_ctz(d.enabled) : d.from))
			plan.emplace_back(d.step, d.to);
	return plan;
}

void schedule::say_switch(int from, int to)
{
	if (from >= 0)
		fprintf(stderr, "%5u  thread %d%s\n", step_ - 1, from,
			actors_[from]->finished() ? " is finished"
						  : actors_[from]->where().c_str());
	fprintf(stderr, "%5u  thread %d goes on\n", step_ - 1, to);
}

} // namespace sim
