// SPDX-License-Identifier: GPL-2.0-only
// Real threads, as fast as they can: families are made, die on other CPUs, are waited for,
// looked at and freed, all at once. For the sanitizers, above all ThreadSanitizer.
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <random>
#include <set>

#include "world.hh"

using namespace sim;

namespace
{

// Tasks on their way from one CPU to another.
class queue
{
public:
	void put(task_struct *task)
	{
		std::lock_guard g(mutex_);
		tasks_.push_back(task);
		changed_.notify_one();
	}
	// Null: it was closed, and is empty.
	task_struct *take()
	{
		std::unique_lock g(mutex_);
		changed_.wait(g, [this] { return closed_ || !tasks_.empty(); });
		if (tasks_.empty())
			return nullptr;
		task_struct *task = tasks_.front();
		tasks_.pop_front();
		return task;
	}
	void close()
	{
		std::lock_guard g(mutex_);
		closed_ = true;
		changed_.notify_all();
	}

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<task_struct *> tasks_;
	bool closed_ = false;
};

class CoreStorm : public CoreTest
{
protected:
	static constexpr unsigned families = 2, killers = 2;

	// A shell makes a process with threads, and children of these who outlive it; they
	// die in any order; the shell meets them all, as it is their subreaper.
	void family(unsigned seed, task_struct *shell, unsigned rounds)
	{
		std::mt19937 random(seed);
		may_block = true;
		for (unsigned round = 0; round < rounds; round++) {
			std::multiset<int> expected, met;
			std::vector<task_struct *> tasks{linux_.fork(shell)};
			expected.insert(code_of(tasks[0]));
			for (unsigned n = random() % 5; n; n--) {
				task_struct *maker = tasks[random() % tasks.size()];
				if (random() % 2) {
					tasks.push_back(linux_.thread(maker));
				} else {
					tasks.push_back(linux_.fork(maker));
					expected.insert(code_of(tasks.back()));
				}
			}
			std::shuffle(tasks.begin(), tasks.end(), random);
			for (task_struct *task : tasks)
				dying_.put(task);
			for (waited w; (w = wait_and_reap(shell)).error == 0;)
				met.insert(w.xstat);
			EXPECT_EQ(met, expected);
		}
	}

	// The last thread's code is its process's, and all of a process have one.
	static int code_of(const task_struct *task) { return task->signal->tgid->nr % 100 << 8; }

	void kill()
	{
		while (task_struct *task = dying_.take()) {
			linux_.exit(task, code_of(task));
			std::lock_guard g(off_mutex_);
			off_.push_back(task);
		}
	}

	// Frees what is released and off every CPU, as RCU allows.
	void softirq()
	{
		while (!over_) {
			grace_period();
			std::vector<task_struct *> due;
			{
				std::lock_guard g(off_mutex_);
				std::erase_if(off_, [&](task_struct *task) {
					const bool free = may_free(task);
					if (free)
						due.push_back(task);
					return free;
				});
			}
			for (task_struct *task : due)
				linux_.free(task);
		}
	}
	bool may_free(const task_struct *task)
	{
		std::lock_guard g(linux_.tasklist);
		return linux_.may_free(task);
	}

	void look(const std::vector<task_struct *> &shells)
	{
		as looker(linux_.init());
		while (!over_) {
			int pids[64];
			core_settle();
			core_list(pids, 64);
			for (const task_struct *shell : shells)
				EXPECT_EQ(look_at(shell).error, 0);
		}
	}

	queue dying_;
	std::mutex off_mutex_;
	std::vector<task_struct *> off_; // off every CPU
	std::atomic<bool> over_{false};
};

TEST_F(CoreStorm, FamiliesKillersLookers)
{
	const char *scale = getenv("CORE_ROUNDS");
	const unsigned rounds = scale ? strtoul(scale, nullptr, 0) : 2000;
	std::vector<task_struct *> shells;
	for (unsigned i = 0; i < families; i++) {
		shells.push_back(linux_.fork(linux_.init()));
		linux_.set_subreaper(shells[i]);
	}
	std::vector<std::thread> others, makers;
	for (unsigned i = 0; i < killers; i++)
		others.emplace_back([this] { kill(); });
	others.emplace_back([this] { softirq(); });
	others.emplace_back([this, &shells] { look(shells); });
	for (unsigned i = 0; i < families; i++)
		makers.emplace_back(
			[this, i, &shells, rounds] { family(i + 1, shells[i], rounds); });
	for (std::thread &maker : makers)
		maker.join();
	dying_.close();
	over_ = true;
	for (std::thread &other : others)
		other.join();
	EXPECT_MODEL_EQUALS_LINUX();
}

} // namespace
