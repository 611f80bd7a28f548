// SPDX-License-Identifier: BSD-2-Clause
// Variant symbols as the tests of them read and set them.
#ifndef VM_VARSYM_H
#define VM_VARSYM_H

#include "vm_test.h"

namespace vm
{

inline constexpr uid_t kSomebody = 4711, kOther = 4712;

inline std::string get(const char *name, int mask = VARSYM_ALL_MASK)
{
	char buf[MAXVARSYM_DATA];
	const int length = bsd_varsym_get(mask, name, buf, sizeof(buf));
	if (length < 0)
		return "?" + std::to_string(errno);
	EXPECT_EQ(size_t(length), strlen(buf) + 1);
	return buf;
}

// "name=value name=value"
inline std::string list(int level = VARSYM_PROC)
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

inline void set(const char *name, const char *value, int level = VARSYM_PROC)
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

inline void become(uid_t uid)
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

// A child in a user namespace that `owner` makes, whose root and users are those from `first`
// on out here; body() runs as that root.
template <class F> pid_t in_namespace(uid_t owner, uid_t first, F body)
{
	Tokens unshared, mapped;
	const pid_t pid = spawn([&] {
		become(owner);
		prctl(PR_SET_DUMPABLE, 1);
		if (unshare(CLONE_NEWUSER) != 0)
			die("unshare");
		unshared.give();
		mapped.take();
		if (setresuid(0, 0, 0) != 0)
			die("setresuid");
		body();
		fflush(nullptr);
		return testing::Test::HasFailure() ? 1 : 0;
	});
	unshared.take();
	write_to("/proc/" + std::to_string(pid) + "/uid_map",
		 "0 " + std::to_string(first) + " 1000");
	mapped.give();
	return pid;
}

// call() as each of the users 1 to n.
template <class F> void as_users(uid_t n, F call)
{
	for (uid_t uid = 1; uid <= n; uid++) {
		if (setresuid(0, uid, 0) != 0)
			die("setresuid");
		call();
		if (seteuid(0) != 0)
			die("seteuid");
	}
}

} // namespace vm

#endif // VM_VARSYM_H
