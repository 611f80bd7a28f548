// SPDX-License-Identifier: GPL-2.0-only
// The search: depth first over the decisions of the last run, the latest first.
#include "explorer.hh"

#include <cstdlib>

#include "arena.hh"
#include "schedule.hh"

namespace sim
{

namespace
{

class search
{
public:
	search(const std::function<scenario(world &)> &make, const bounds &bounds)
	    : make_{make}, bounds_{bounds}
	{
	}

	void all()
	{
		plan plan;
		bool more;
		do {
			run(plan, nullptr, false);
			more = another(plan);
		} while (!failed() && more && runs_ < bounds_.most);
		expect_end(more);
		std::mt19937 random(1);
		for (unsigned i = 0; i < bounds_.random && !failed(); i++)
			run({}, &random, false);
		printf("  %u schedules, %s with up to %u preemptions\n", runs_,
		       more ? "not all" : "all", bounds_.preemptions);
	}

	void replay(const char *text) { run(plan_of(text), nullptr, true); }

private:
	static bool failed() { return testing::Test::HasFailure(); }

	// What was left out must be known, and what is said to be left out must be there.
	void expect_end(bool more) const
	{
		if (failed())
			return;
		EXPECT_FALSE(more && !bounds_.partial)
			<< "there are more than " << bounds_.most << " schedules";
		EXPECT_FALSE(!more && bounds_.partial)
			<< "the search is not partial: these are all, " << runs_;
	}

	void run(const plan &plan, std::mt19937 *random, bool aloud)
	{
		runs_++;
		const arena arena;
		world w;
		if (w.load())
			die("cannot load");
		const scenario s = make_(w);
		schedule schedule(plan, random, aloud);
		schedule.run(s.threads);
		s.check();
		kernel &linux_ = w.linux_;
		EXPECT_MODEL_EQUALS_LINUX();
		EXPECT_WAITS_EQUAL_LINUX();
		w.end_everything();
		w.unload();
		last_ = schedule.decisions();
		if (failed() && !aloud)
			fprintf(stderr, "CORE_SCHEDULE=\"%s\"\n",
				to_string(schedule.as_run()).c_str());
	}

	// In the order of trying: the usual choice, then the others by number.
	static int after(const decision &d)
	{
		const int usual = d.free() ? __builtin_ctz(d.enabled) : d.from;
		for (int to = d.to == usual ? 0 : d.to + 1; to < 32; to++)
			if (to != usual && (d.enabled & 1u << to))
				return to;
		return -1;
	}

	// The plan for the next run; false: all are done.
	bool another(plan &plan) const
	{
		unsigned preemptions = 0;
		std::vector<unsigned> before; // each decision
		for (const decision &d : last_) {
			before.push_back(preemptions);
			preemptions += d.preempts();
		}
		for (size_t i = last_.size(); i-- > 0;) {
			const decision &d = last_[i];
			const int to = after(d);
			if (to < 0 || before[i] + !d.free() > bounds_.preemptions)
				continue;
			plan.clear();
			for (size_t j = 0; j < i; j++)
				plan.emplace_back(last_[j].step, last_[j].to);
			plan.emplace_back(d.step, to);
			return true;
		}
		return false;
	}

	const std::function<scenario(world &)> &make_;
	const bounds bounds_;
	unsigned runs_ = 0;
	std::vector<decision> last_;
};

} // namespace

void explore(const std::function<scenario(world &)> &make, bounds bounds)
{
	if (const char *preemptions = getenv("CORE_PREEMPTIONS")) {
		bounds.preemptions = strtoul(preemptions, nullptr, 0);
		bounds.most = ~0u;
		bounds.partial = false;
	}
	search s(make, bounds);
	if (const char *text = getenv("CORE_SCHEDULE"))
		s.replay(text);
	else
		s.all();
}

void when(const std::function<bool()> &so)
{
	turns_here->until(so);
}

std::function<void()> exits(kernel &linux_, task_struct *task, int code)
{
	return [&linux_, task, code] { linux_.exit(task, code); };
}

std::function<void()> freed(kernel &linux_, task_struct *task)
{
	return [&linux_, task] {
		when([&linux_, task] { return linux_.may_free(task); });
		linux_.free(task);
		grace_period();
	};
}

} // namespace sim
