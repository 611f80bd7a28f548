// SPDX-License-Identifier: BSD-2-Clause
// The OOM killer in a memory cgroup of its own: it, and nobody else, ends the processes
// there, alone, with their threads, with whom they share their memory, or all at once. Each
// is reported once, as killed; whom it must spare ends by itself.
#include "storm.h"

#include <sys/stat.h>
#include <thread>

using namespace storm;

namespace
{

constexpr const char *kRoot = "/sys/fs/cgroup";
constexpr size_t kLimit = 12 << 20, kPage = 4096;

void put(const std::string &path, const std::string &text)
{
	int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
		die(path.c_str());
	close(fd);
}

// One worker's cgroup, empty and gone at its end.
class MemoryCgroup
{
public:
	explicit MemoryCgroup(bool all_at_once)
	    : path_(std::string(kRoot) + "/bsdproc-oom." + std::to_string(getpid()))
	{
		if (mkdir(path_.c_str(), 0755) != 0)
			die(path_.c_str());
		put(path_ + "/memory.max", std::to_string(kLimit));
		put(path_ + "/memory.oom.group", all_at_once ? "1" : "0");
		// Without swap there is no such file, and nothing to forbid.
		if (access((path_ + "/memory.swap.max").c_str(), W_OK) == 0)
			put(path_ + "/memory.swap.max", "0");
	}
	~MemoryCgroup()
	{
		// A task that was waited for may still be on its way out of it.
		while (rmdir(path_.c_str()) != 0)
			if (errno != EBUSY)
				die("rmdir");
			else
				sched_yield();
	}
	MemoryCgroup(const MemoryCgroup &) = delete;
	MemoryCgroup &operator=(const MemoryCgroup &) = delete;

	void enter() const { put(path_ + "/cgroup.procs", "0"); }
	int kills() const
	{
		std::string events = slurp(path_ + "/memory.events");
		size_t at = events.find("oom_kill ");
		return at == std::string::npos ? -1 : atoi(events.c_str() + at + 9);
	}

private:
	std::string path_;
};

// Takes memory until that kills us.
int eat()
{
	for (;;) {
		void *p = mmap(nullptr, kLimit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);
		if (p == MAP_FAILED)
			return 1;
		for (size_t at = 0; at < kLimit; at += kPage)
			static_cast<volatile char *>(p)[at] = 1;
	}
}

int sleep_for_ever()
{
	for (;;)
		pause();
}

// An eater is one thread of many, one of two in the same memory, or alone.
int eater(int kind, Tokens &ready, Tokens &start)
{
	std::vector<std::thread> threads;
	switch (kind) {
	case 0:
		for (int t = 0; t < 3; t++)
			threads.emplace_back(sleep_for_ever);
		threads.emplace_back([&] {
			start.take();
			eat();
		});
		ready.give();
		return sleep_for_ever();
	case 1: // who shares the victim's memory is killed with it
		spawn_vfork([&] {
			ready.give();
			start.take();
			return eat();
		});
		return eat(); // should it get that far before its own signal comes
	default:
		ready.give();
		start.take();
		return eat();
	}
}

void round(const Options &options, int n)
{
	bool all_at_once = n & 1;
	MemoryCgroup cgroup(all_at_once);
	Tokens ready, start, entered;
	// Its own fork and pages shall not be what fails: all is made before anyone eats.
	for (int kind = 0; kind < 3; kind++)
		spawn([&] {
			cgroup.enter();
			return eater(kind, ready, start);
		});
	pid_t spared = spawn([&] {
		put("/proc/self/oom_score_adj", "-1000");
		cgroup.enter();
		ready.give();
		entered.take();
		end_process(options, 6);
		return 0;
	});
	ready.take(4);
	start.give(3);
	// Three processes, and a vforked child that comes to us from its dead parent.
	int status = -1, killed = 0;
	for (; killed < 4 && collect(options, -1, &status) > 0; killed++)
		expect(status == SIGKILL, "round %d: ended with %#x, not by the OOM killer", n,
		       static_cast<unsigned>(status));
	entered.give();
	expect_end(options, spared, 6 << 8);
	expect_count(collect_all(options), {}, "after the OOM killer", n);
	int kills = cgroup.kills();
	expect(kills >= 1, "round %d: the OOM killer says that it killed %d", n, kills);
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	put(std::string(kRoot) + "/cgroup.subtree_control", "+memory");
	return run(options, [&](int n) { round(options, n); });
}
