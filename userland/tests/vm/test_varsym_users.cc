// SPDX-License-Identifier: BSD-2-Clause
// Variant symbols: whose they are and who may change them, also in user namespaces.
#include "vm_varsym.h"

using namespace vm;

namespace
{

// Sets a symbol as each of the users up to n; how many could.
int keep(uid_t n)
{
	int kept = 0;
	as_users(n, [&] {
		if (bsd_varsym_set(VARSYM_USER, "test", "1") == 0)
			kept++;
		else
			EXPECT_EQ(errno, ENOSPC);
	});
	return kept;
}

void forget(uid_t n)
{
	as_users(n, [] {
		bsd_varsym_set(VARSYM_USER, "test", nullptr);
		EXPECT_EQ(list(VARSYM_USER), "");
	});
}

} // namespace

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
	const pid_t pid = in_namespace(kSomebody, 200000, [] {
		EXPECT_EQ(keep(300), 256);
		forget(300);
	});
	EXPECT_EQ(native_reap(pid), 0);
}

// Of two namespaces of one user's, that user answers for both; of root's, each for itself.
VM_TEST(Varsym, UsersOfTwoNamespaces)
{
	for (uid_t owner : {0u, kSomebody}) {
		Tokens full, over;
		const pid_t one = in_namespace(owner, 200000, [&] {
			EXPECT_EQ(keep(256), 256);
			full.give();
			over.take();
			EXPECT_EQ(keep(257), 256);
			forget(257);
		});
		full.take();
		const pid_t other = in_namespace(owner, 300000, [&] {
			EXPECT_EQ(keep(20), owner == 0 ? 20 : 0);
			forget(20);
		});
		EXPECT_EQ(native_reap(other), 0);
		over.give();
		EXPECT_EQ(native_reap(one), 0);
	}
}
