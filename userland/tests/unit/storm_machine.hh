// SPDX-License-Identifier: GPL-2.0-only
// The machine that a storm is on: CPUs for lives, what Linux does by itself in the background,
// and the books about who was born and who was met.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <random>

#include "world.hh"

namespace sim
{

using dice = std::minstd_rand;

inline bool one_in(dice &random, unsigned n)
{
	return random() % n == 0;
}

inline constexpr int enoent = 2, esrch = 3, echild = 10, enomem = 12, ebusy = 16, ealready = 114;

inline bool is_one_of(int error, std::initializer_list<int> errors)
{
	return std::find(errors.begin(), errors.end(), error) != errors.end();
}

// What waits for others lets them run.
inline void breathe()
{
	std::this_thread::sleep_for(std::chrono::microseconds(50));
}

// As many as there is work for: a life may sleep in its middle, until another one has begun.
class cpus
{
public:
	using job = std::function<void(dice &)>;

	~cpus() { finish(); }
	void put(job job)
	{
		std::lock_guard g(mutex_);
		unfinished_++;
		jobs_.push_back(std::move(job));
		if (jobs_.size() <= idle_)
			changed_.notify_one();
		else
			threads_.emplace_back([this, seed = threads_.size() + 1] { work(seed); });
	}
	// Until all is done, and what that has put. Nobody else puts anything.
	void finish()
	{
		{
			std::unique_lock g(mutex_);
			done_.wait(g, [this] { return !unfinished_; });
			over_ = true;
			changed_.notify_all();
		}
		for (std::thread &thread : threads_)
			thread.join();
		threads_.clear();
	}

private:
	void work(unsigned seed)
	{
		dice random(seed);
		may_block = true;
		while (const job job = next()) {
			job(random);
			std::lock_guard g(mutex_);
			if (--unfinished_ == 0)
				done_.notify_one();
		}
	}
	job next()
	{
		std::unique_lock g(mutex_);
		idle_++;
		changed_.wait(g, [this] { return over_ || !jobs_.empty(); });
		idle_--;
		if (jobs_.empty())
			return {};
		job first = std::move(jobs_.front());
		jobs_.pop_front();
		return first;
	}

	std::mutex mutex_;
	std::condition_variable changed_, done_;
	std::deque<job> jobs_;
	std::vector<std::thread> threads_;
	size_t idle_ = 0, unfinished_ = 0;
	bool over_ = false;
};

// Each process that is born is met once by somebody who waits.
class census
{
public:
	void born(const task_struct *leader)
	{
		std::lock_guard g(mutex_);
		met_[leader->signal->tgid->nr] = 0;
	}
	void met(int pid)
	{
		std::lock_guard g(mutex_);
		met_[pid]++;
	}
	void expect_all_met()
	{
		std::lock_guard g(mutex_);
		for (const auto &[pid, times] : met_)
			EXPECT_EQ(times, 1u) << pid;
	}
	unsigned size()
	{
		std::lock_guard g(mutex_);
		return met_.size();
	}

private:
	std::mutex mutex_;
	std::map<int, unsigned> met_;
};

class machine
{
public:
	explicit machine(kernel &kernel) : linux_{kernel}
	{
		beside([this](dice &) { softirq(); });
		beside([this](dice &) { work_queue(); });
	}
	~machine() { finish(); }
	machine(const machine &) = delete;
	machine &operator=(const machine &) = delete;

	// Somebody does that again and again, until all lives are over.
	void beside(const std::function<void(dice &)> &turn)
	{
		others_.emplace_back([this, turn, seed = others_.size() + 1001] {
			dice random(seed);
			may_block = true;
			while (!over_) {
				turn(random);
				breathe();
			}
		});
	}
	void off_cpu(task_struct *td)
	{
		std::lock_guard g(off_mutex_);
		off_.push_back(td);
	}
	void finish()
	{
		lives.finish();
		over_ = true;
		for (std::thread &other : others_)
			other.join();
		others_.clear();
	}

	kernel &linux_;
	cpus lives;
	census people;

private:
	// Frees what is released and off every CPU, as RCU allows.
	void softirq()
	{
		grace_period();
		std::vector<task_struct *> due;
		{
			std::lock_guard g(off_mutex_);
			std::erase_if(off_, [&](task_struct *td) {
				const bool free = may_free(td);
				if (free)
					due.push_back(td);
				return free;
			});
		}
		for (task_struct *td : due)
			linux_.free(td);
	}
	bool may_free(const task_struct *td)
	{
		std::lock_guard g(linux_.tasklist);
		return linux_.may_free(td);
	}
	void work_queue()
	{
		as worker(linux_.kthreadd());
		run_heal();
	}

	std::mutex off_mutex_;
	std::vector<task_struct *> off_; // off every CPU, yet to be freed
	std::atomic<bool> over_{false};
	std::vector<std::thread> others_;
};

// Calls each(leader) for the leaders of all processes that are there, inside RCU.
template <class F> void for_each_leader(F each)
{
	host_pid_walk(
		[](pid *pid, int, void *arg) {
			if (task_struct *leader = host_pid_leader(pid))
				(*static_cast<F *>(arg))(leader);
		},
		&each);
}

} // namespace sim
