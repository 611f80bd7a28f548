// SPDX-License-Identifier: BSD-2-Clause
// Variant symbols: levels and their order, who may do what, fork, exec and exit, all of it
// at once, and the tool.
#include "vm_device.h"
#include "vm_test.h"
#include "vm_thread.h"

#include <sys/stat.h>

#include <thread>
#include <vector>

using namespace vm;

namespace
{

constexpr uid_t kSomebody = 4711, kOther = 4712;

std::string get(const char *name, int mask = VARSYM_ALL_MASK)
{
	char buf[MAXVARSYM_DATA];
	const int length = bsd_varsym_get(mask, name, buf, sizeof(buf));
	if (length < 0)
		return "?" + std::to_string(errno);
	EXPECT_EQ(size_t(length), strlen(buf) + 1);
	return buf;
}

// "name=value name=value"
std::string list(int level = VARSYM_PROC)
{
	char buf[MAXVARSYM_SET];
	int marker = 0;
	const int length = bsd_varsym_list(level, buf, sizeof(buf), &marker);
	if (length < 0)
		return "?" + std::to_string(errno);
	EXPECT_EQ(marker, -1);
	std::string text;
	for (const char *at = buf; at < buf + length; at += strlen(at) + 1) {
		text += (text.empty() ? "" : " ") + std::string(at) + "=";
		at += strlen(at) + 1;
		text += at;
	}
	return text;
}

void set(const char *name, const char *value, int level = VARSYM_PROC)
{
	EXPECT_EQ(bsd_varsym_set(level, name, value), 0) << name << ": " << strerror(errno);
}

// Nobody else's test leaves these behind.
struct Clean {
	~Clean()
	{
		bsd_varsym_set(VARSYM_SYS, "test", nullptr);
		bsd_varsym_set(VARSYM_USER, "test", nullptr);
	}
};

void become(uid_t uid)
{
	if (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
		die("setresuid");
}

// What body() found wrong is told by the process that runs it.
template <class F> void in_child(F body)
{
	EXPECT_EQ(native_reap(spawn([&] {
			  body();
			  fflush(nullptr);
			  return testing::Test::HasFailure() ? 1 : 0;
		  })),
		  0);
}

std::string output_of(const std::string &command, int *status)
{
	std::string text;
	FILE *pipe = popen(("exec 2>&1; " + command).c_str(), "re");
	for (int c; (c = getc(pipe)) != EOF;)
		text += static_cast<char>(c);
	*status = pclose(pipe);
	return text;
}

} // namespace

VM_TEST(Varsym, ProcessBeforeUserBeforeSystem)
{
	Clean clean;
	EXPECT_EQ(get("test"), "?" + std::to_string(ENOENT));
	set("test", "sys", VARSYM_SYS);
	EXPECT_EQ(get("test"), "sys");
	set("test", "user", VARSYM_USER);
	EXPECT_EQ(get("test"), "user");
	set("test", "proc");
	EXPECT_EQ(get("test"), "proc");
	EXPECT_EQ(get("test", VARSYM_SYS_MASK), "sys");
	EXPECT_EQ(get("test", VARSYM_USER_MASK | VARSYM_SYS_MASK), "user");
	EXPECT_EQ(list(), "test=proc");
	EXPECT_EQ(list(VARSYM_USER), "test=user");
	EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, "test", nullptr), 0);
	EXPECT_EQ(get("test"), "user");
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "test", nullptr), ENOENT);
}

VM_TEST(Varsym, ShortBuffers)
{
	set("test", "value");
	char buf[8];
	memset(buf, 'x', sizeof(buf));
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, 0), 6);
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", nullptr, 0), 6);
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, -1), 6);
	EXPECT_EQ(std::string(buf, 8), "xxxxxxxx");
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, 5), 6);
	EXPECT_EQ(std::string(buf, 8), std::string("\0xxxxxxx", 8));
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", buf, 6), 6);
	EXPECT_EQ(std::string(buf, 8), std::string("value\0xx", 8));
	// A list is whole symbols.
	set("b", "2");
	int marker = 0;
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, buf, -1, &marker), EOVERFLOW);
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, buf, 8, &marker), EOVERFLOW);
	EXPECT_EQ(marker, 0);
	char more[14];
	EXPECT_EQ(bsd_varsym_list(VARSYM_PROC, more, sizeof(more), &marker), 11);
	EXPECT_EQ(std::string(more, 11), std::string("test\0value\0", 11));
	EXPECT_EQ(marker, 1);
	EXPECT_EQ(bsd_varsym_list(VARSYM_PROC, more, sizeof(more), &marker), 4);
	EXPECT_EQ(marker, -1);
}

VM_TEST(Varsym, WhatIsNotTaken)
{
	char buf[16];
	int marker = 0;
	for (int level : {-1, 0, 4, 5}) {
		EXPECT_ERRNO(bsd_varsym_set(level, "a", "b"), EINVAL);
		EXPECT_ERRNO(bsd_varsym_list(level, buf, sizeof(buf), &marker), EINVAL);
	}
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK | 1, "a", buf, sizeof(buf)), EINVAL);
	EXPECT_ERRNO(bsd_varsym_get(1 << 4, "a", buf, sizeof(buf)), EINVAL);
	EXPECT_ERRNO(bsd_varsym_get(0, "a", buf, sizeof(buf)), ENOENT);

	const std::string name(MAXVARSYM_NAME - 1, 'n'), data(MAXVARSYM_DATA - 1, 'd');
	EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, name.c_str(), data.c_str()), 0);
	EXPECT_EQ(get(name.c_str()), data);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, (name + "n").c_str(), ""), ENAMETOOLONG);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "a", (data + "d").c_str()), ENAMETOOLONG);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, (name + "n").c_str(), buf, sizeof(buf)),
		     ENAMETOOLONG);

	Device dev;
	struct bsdproc_varsym_set s = {VARSYM_PROC, 1, uintptr_t("a"), 0};
	EXPECT_ERRNO(dev(BSDPROC_VARSYM_SET, &s), EINVAL);
	struct bsdproc_varsym_get g = {VARSYM_PROC_MASK, 0, uintptr_t("a"), 0, 0, 1};
	EXPECT_ERRNO(dev(BSDPROC_VARSYM_GET, &g), EINVAL);
}

VM_TEST(Varsym, BadAddresses)
{
	char *pages = static_cast<char *>(
		mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	munmap(pages + 4096, 4096);
	char *edge = pages + 4096, *bad = edge;
	char buf[64];
	int marker = 0;
	set("test", "value");
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, nullptr, "b"), EFAULT);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, bad, "b"), EFAULT);
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "test", bad), EFAULT);
	edge[-1] = 'a'; // goes on where nothing is
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "test", edge - 1), EFAULT);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, edge - 1, buf, sizeof(buf)), EFAULT);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, "test", edge - 5, 6), EFAULT);
	EXPECT_ERRNO(bsd_varsym_get(VARSYM_ALL_MASK, "test", nullptr, 1), EFAULT);
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, edge - 10, 64, &marker), EFAULT);
	EXPECT_EQ(marker, 0);
	EXPECT_ERRNO(bsd_varsym_list(VARSYM_PROC, buf, sizeof(buf), nullptr), EFAULT);
	EXPECT_EQ(list(), "test=value");
	// Just before it all is well.
	edge[-1] = 0;
	set(edge - 1, "nameless");
	EXPECT_EQ(get(""), "nameless");
	EXPECT_EQ(bsd_varsym_get(VARSYM_ALL_MASK, "test", edge - 6, 6), 6);
	EXPECT_STREQ(edge - 6, "value");
}

VM_TEST(Varsym, TheLimitOfALevel)
{
	const std::string data(MAXVARSYM_DATA - 1, 'd');
	int n = 0;
	while (bsd_varsym_set(VARSYM_PROC, ("s" + std::to_string(100 + n)).c_str(), data.c_str()) ==
	       0)
		n++;
	EXPECT_EQ(errno, E2BIG);
	EXPECT_EQ(n, (MAXVARSYM_SET + 314) / 315); // 56 + 4 + 255
	EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "", ""), E2BIG);
	const std::string all = list();
	in_child([&] {
		EXPECT_EQ(list(), all);
		EXPECT_ERRNO(bsd_varsym_set(VARSYM_PROC, "", ""), E2BIG);
		EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, "s100", nullptr), 0);
		set("", "");
	});
	EXPECT_EQ(list(), all);
}

// ---- users ----------------------------------------------------------------------------

VM_TEST(Varsym, AUsersAreThatUsersAlone)
{
	in_child([] {
		become(kSomebody);
		Clean clean;
		set("test", "somebody's", VARSYM_USER);
		in_child([] { EXPECT_EQ(get("test", VARSYM_USER_MASK), "somebody's"); });
	});
	in_child([] {
		become(kSomebody);
		EXPECT_EQ(list(VARSYM_USER), "");
		set("test", "1", VARSYM_USER);
	});
	in_child([] {
		become(kOther);
		EXPECT_EQ(get("test", VARSYM_USER_MASK), "?" + std::to_string(ENOENT));
		EXPECT_ERRNO(bsd_varsym_set(VARSYM_USER, "test", nullptr), ENOENT);
	});
	EXPECT_EQ(get("test", VARSYM_USER_MASK), "?" + std::to_string(ENOENT));
	// The effective user counts, and is asked for at each call.
	ASSERT_EQ(seteuid(kSomebody), 0);
	EXPECT_EQ(get("test", VARSYM_USER_MASK), "1");
	EXPECT_EQ(bsd_varsym_set(VARSYM_USER, "test", nullptr), 0);
	EXPECT_EQ(seteuid(0), 0);
}

VM_TEST(Varsym, TheSystemsAreRootsToChange)
{
	Clean clean;
	set("test", "1", VARSYM_SYS);
	in_child([] {
		become(kSomebody);
		EXPECT_EQ(get("test"), "1");
		EXPECT_NE(list(VARSYM_SYS).find("test=1"), std::string::npos);
		EXPECT_ERRNO(bsd_varsym_set(VARSYM_SYS, "test", "2"), EPERM);
		EXPECT_ERRNO(bsd_varsym_set(VARSYM_SYS, "test", nullptr), EPERM);
		EXPECT_ERRNO(bsd_varsym_set(VARSYM_SYS, "test2", nullptr), EPERM);
	});
	EXPECT_EQ(get("test"), "1");
}

namespace
{

void write_to(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

} // namespace

// Its root is root of nothing outside it; its own symbols are those of the user outside.
VM_TEST(Varsym, InAUserNamespace)
{
	in_child([] {
		become(kSomebody);
		Clean clean;
		set("test", "outside", VARSYM_USER);
		prctl(PR_SET_DUMPABLE, 1);
		if (unshare(CLONE_NEWUSER) != 0)
			die("unshare");
		write_to("/proc/self/uid_map", "0 4711 1");
		EXPECT_EQ(geteuid(), 0u);
		EXPECT_ERRNO(bsd_varsym_set(VARSYM_SYS, "test", "1"), EPERM);
		EXPECT_EQ(get("test"), "outside");
		set("test", "inside", VARSYM_USER);
		EXPECT_EQ(get("test"), "inside");
	});
}

// One who may be many users does not have the kernel keep symbols for all of them.
VM_TEST(Varsym, UsersOfANamespaceAreBounded)
{
	Tokens unshared, mapped;
	const pid_t pid = spawn([&] {
		become(kSomebody);
		prctl(PR_SET_DUMPABLE, 1);
		if (unshare(CLONE_NEWUSER) != 0)
			die("unshare");
		unshared.give();
		mapped.take();
		if (setresuid(0, 0, 0) != 0)
			die("setresuid");
		int kept = 0, refused = 0;
		for (uid_t uid = 1; uid <= 300; uid++) {
			if (setresuid(0, uid, 0) != 0)
				die("setresuid");
			if (bsd_varsym_set(VARSYM_USER, "test", "1") == 0)
				kept++;
			else if (errno == ENOSPC)
				refused++;
			seteuid(0);
		}
		EXPECT_EQ(kept, 256);
		EXPECT_EQ(refused, 44);
		for (uid_t uid = 1; uid <= 300; uid++) {
			if (setresuid(0, uid, 0) != 0)
				die("setresuid");
			bsd_varsym_set(VARSYM_USER, "test", nullptr);
			EXPECT_EQ(list(VARSYM_USER), "");
			seteuid(0);
		}
		fflush(nullptr);
		return testing::Test::HasFailure() ? 1 : 0;
	});
	unshared.take();
	write_to(("/proc/" + std::to_string(pid) + "/uid_map").c_str(), "0 200000 1000");
	mapped.give();
	EXPECT_EQ(native_reap(pid), 0);
}

// ---- lives ----------------------------------------------------------------------------

VM_TEST(Varsym, InheritedByEachKindOfFork)
{
	set("test", "1");
	const auto expect_and_change = [] {
		const bool right = list() == "test=1";
		bsd_varsym_set(VARSYM_PROC, "test", "child's");
		return right && list() == "test=child's" ? 0 : 1;
	};
	EXPECT_EQ(native_reap(spawn(expect_and_change)), 0);
	EXPECT_EQ(native_reap(spawn_flags(0, expect_and_change)), 0);
	EXPECT_EQ(native_reap(spawn_vfork(expect_and_change)), 0);
	EXPECT_EQ(list(), "test=1");
	// By a thread, which is gone when the child looks.
	Shared<std::atomic<pid_t>> child;
	Tokens gone;
	std::thread([&] {
		*child = spawn([&] {
			gone.take();
			return list() == "test=1" ? 0 : 1;
		});
	}).join();
	gone.give();
	EXPECT_EQ(native_reap(*child), 0);
}

// With CLONE_PARENT the maker is not the parent.
VM_TEST(Varsym, InheritedFromTheMaker)
{
	set("test", "parent");
	Shared<std::atomic<pid_t>> sibling;
	in_child([&] {
		set("test", "maker");
		*sibling = spawn_flags(CLONE_PARENT | SIGCHLD,
				       [] { return list() == "test=maker" ? 0 : 1; });
	});
	EXPECT_EQ(native_reap(*sibling), 0);
	EXPECT_EQ(list(), "test=parent");
}

VM_TEST(Varsym, KeptByExec)
{
	const std::string tool = sibling("../bin/bsdvarsym");
	set("test", "kept");
	const std::string command = "test \"$('" + tool + "' -p -q test)\" = kept";
	EXPECT_EQ(native_reap(spawn([&] {
			  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
			  return 9;
		  })),
		  0);
	// By a thread that does not lead.
	EXPECT_EQ(native_reap(spawn([&] {
			  std::thread([&] {
				  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
			  }).join();
			  return 9;
		  })),
		  0);
}

// ---- all at once ------------------------------------------------------------------------

// Threads set, delete and list while others fork; no child sees half of anything, and none
// of what its relatives do after its birth.
VM_TEST(Varsym, ThreadsAtOnce)
{
	std::atomic<bool> stop{false};
	std::vector<std::thread> threads;
	set("base", "0");
	for (int t = 0; t < 3; t++)
		threads.emplace_back([&, t] {
			const std::string name = "t" + std::to_string(t);
			for (unsigned i = 0; !stop; i++) {
				const std::string value(i % 200, char('a' + t));
				set(name.c_str(), value.c_str());
				EXPECT_EQ(get(name.c_str()), value);
				EXPECT_EQ(bsd_varsym_set(VARSYM_PROC, name.c_str(), nullptr), 0);
			}
		});
	threads.emplace_back([&] {
		while (!stop)
			EXPECT_NE(list().find("base=0"), std::string::npos);
	});
	for (int i = rounds(200); i > 0; i--) {
		const auto child = [&] {
			const std::string mine = list();
			bsd_varsym_set(VARSYM_PROC, "own", "1");
			if (mine.find("base=0") == std::string::npos)
				return 1;
			return list() == mine + " own=1" ? 0 : 2;
		};
		EXPECT_EQ(native_reap(i % 3 ? spawn(child) : spawn_vfork(child)), 0);
	}
	stop = true;
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(list(), "base=0");
}

// What several processes of a user set at once is all there.
VM_TEST(Varsym, ProcessesOfAUserAtOnce)
{
	ASSERT_EQ(seteuid(kOther), 0);
	const int n = 4, times = rounds(100);
	std::vector<pid_t> pids;
	for (int p = 0; p < n; p++)
		pids.push_back(spawn([p, times] {
			const std::string name = "p" + std::to_string(p);
			for (int i = 0; i < times; i++) {
				if (bsd_varsym_set(VARSYM_USER, name.c_str(),
						   std::to_string(i).c_str()) != 0)
					return 1;
				if (get(name.c_str(), VARSYM_USER_MASK) != std::to_string(i))
					return 2;
			}
			return 0;
		}));
	for (pid_t pid : pids)
		EXPECT_EQ(native_reap(pid), 0);
	for (int p = 0; p < n; p++) {
		const std::string name = "p" + std::to_string(p);
		EXPECT_EQ(get(name.c_str(), VARSYM_USER_MASK), std::to_string(times - 1));
		EXPECT_EQ(bsd_varsym_set(VARSYM_USER, name.c_str(), nullptr), 0);
	}
	EXPECT_EQ(list(VARSYM_USER), "");
}

// ---- nothing is left --------------------------------------------------------------------

namespace
{

// Sets that are as large as can be are in these. -1: this kernel does not tell.
long large_objects()
{
	long sum = -1;
	for (const char *cache : {"kmalloc-8k", "kmalloc-cg-8k"}) {
		const std::string dir = std::string("/sys/kernel/slab/") + cache + "/";
		const int fd = open((dir + "shrink").c_str(), O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, "1", 1) != 1)
			die("shrink");
		close(fd);
		sum = (sum < 0 ? 0 : sum) + atol(slurp(dir + "objects").c_str());
	}
	return sum;
}

void fill(int first)
{
	const std::string data(MAXVARSYM_DATA - 1, 'd'), pad(MAXVARSYM_NAME - 5, 'n');
	while (bsd_varsym_set(VARSYM_PROC, (pad + std::to_string(first)).c_str(), data.c_str()) ==
	       0)
		first++;
	EXPECT_EQ(errno, E2BIG);
}

} // namespace

// Each child has the maker's set, then one of its own, and dies by whatever.
VM_TEST(Varsym, FreedWhenTheirProcessesEnd)
{
	const long before = large_objects();
	if (before < 0)
		GTEST_SKIP() << "no /sys/kernel/slab here";
	const int n = rounds(200);
	fill(1000);
	std::vector<pid_t> pids;
	Tokens changed, go;
	for (int i = 0; i < n; i++)
		pids.push_back(spawn([&, i] {
			if (i % 2)
				bsd_varsym_set(VARSYM_PROC, "", nullptr);
			if (i % 4) {
				char name[16];
				snprintf(name, sizeof(name), "%d", i);
				bsd_varsym_set(VARSYM_PROC, ("n" + std::string(name)).c_str(), "");
				const std::string first = list().substr(0, MAXVARSYM_NAME - 1);
				bsd_varsym_set(VARSYM_PROC, first.c_str(), nullptr);
				if (list().size() < 4096)
					return 1;
			}
			changed.give();
			go.take();
			return 0;
		}));
	changed.take(n);
	const long during = large_objects();
	EXPECT_GE(during, before + n * 3 / 4 - 64);
	EXPECT_LE(during, before + n + 64); // a quarter share their maker's
	for (int i = 0; i < n; i += 3)
		kill(pids[i], SIGKILL);
	go.give(n);
	for (int i = 0; i < n; i++)
		native_peek(pids[i]);
	// They are zombies, all of them, and have none any more.
	EXPECT_LE(large_objects(), before + 64);
	for (pid_t pid : pids)
		native_reap(pid);
}

VM_TEST(Varsym, ThousandsOfForksShareOneSet)
{
	const long before = large_objects();
	if (before < 0)
		GTEST_SKIP() << "no /sys/kernel/slab here";
	const int n = rounds(2000);
	fill(1000);
	const std::string all = list();
	for (int i = 0; i < n;) {
		std::vector<pid_t> pids;
		Tokens come, go;
		for (int j = 0; j < 250 && i < n; j++, i++)
			pids.push_back(spawn([&] {
				const bool right = list() == all;
				come.give();
				go.take();
				return right ? 0 : 1;
			}));
		come.take(static_cast<int>(pids.size()));
		EXPECT_LE(large_objects(), before + 64);
		go.give(static_cast<int>(pids.size()));
		for (pid_t pid : pids)
			EXPECT_EQ(native_reap(pid), 0);
	}
}

// ---- the tool -----------------------------------------------------------------------------

VM_TEST(Varsym, Tool)
{
	Clean clean;
	const std::string tool = "'" + sibling("../bin/bsdvarsym") + "' ";
	int status;
	const auto expect = [&](const std::string &arguments, const std::string &text, int code) {
		EXPECT_EQ(output_of(tool + arguments, &status), text) << arguments;
		EXPECT_EQ(status, code << 8) << arguments;
	};
	expect("-u", "LEVEL NAME VALUE\n", 0);
	expect("test", "bsdvarsym: no symbol test\n", 1);
	expect("test=1", "", 0);
	expect("test", "test=1\n", 0);
	expect("-q test", "1\n", 0);
	expect("-u", "LEVEL NAME VALUE\nuser  test 1\n", 0);
	expect("-s test", "bsdvarsym: no symbol test\n", 1);
	expect("-s test=2", "", 0);
	expect("test", "test=1\n", 0);
	expect("-s -q test", "2\n", 0);
	expect("--json test",
	       "[\n  {\n    \"level\": \"user\",\n    \"name\": \"test\",\n    \"value\": \"1\"\n"
	       "  }\n]\n",
	       0);
	expect("-p --json", "[]\n", 0);
	expect("test=3 other=4 -- " + tool + "-p",
	       "LEVEL NAME  VALUE\n"
	       "proc  test  3\n"
	       "proc  other 4\n",
	       0);
	expect("test=3 -- " + tool + "-q test nothing", "3\nbsdvarsym: no symbol nothing\n", 1);
	expect("a=b -- sh -c 'exit 7'", "", 7);
	expect("-- /nowhere", "bsdvarsym: cannot run /nowhere: No such file or directory\n", 127);
	expect("-- /dev/null", "bsdvarsym: cannot run /dev/null: Permission denied\n", 126);
	expect("-d test none", "bsdvarsym: no symbol none\n", 1);
	expect("test", "test=2\n", 0);
	expect("-s -d test", "", 0);
	expect("test", "bsdvarsym: no symbol test\n", 1);
	for (const char *wrong : {"-p -u", "-p a=1", "-p -d a", "-d", "-q --json a", "a -- true",
				  "-s a=1 -- true", "--"}) {
		const std::string said = output_of(tool + wrong, &status);
		EXPECT_EQ(status, 2 << 8) << wrong;
		EXPECT_EQ(said.find("bsdvarsym: "), 0u) << said;
	}
	expect("$(printf '%064d' 1)=a",
	       "bsdvarsym: cannot set " + std::string(63, '0') +
		       "1: a name has at most 63 bytes, a value 255\n",
	       3);
	in_child([&] {
		become(kSomebody);
		expect("-s test=1",
		       "bsdvarsym: cannot set test: only the administrator changes the system's "
		       "symbols\n",
		       3);
	});
}
