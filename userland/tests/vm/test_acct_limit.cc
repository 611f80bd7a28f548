// SPDX-License-Identifier: BSD-2-Clause
// BSDPROC_ACCT for those who rule but their own namespaces: how many may read, and of whom.
#include "vm_acct.h"

#include <memory>
#include <set>
#include <vector>

using namespace vm;

namespace
{

// body() is run by the init of a pid namespace that is nobody's, as the root there, and what
// it finds wrong is told by the status of who made the two.
template <class F> pid_t as_their_root(F body)
{
	return spawn([&] {
		become_nobody();
		own_namespaces();
		const pid_t init = spawn([&] {
			body();
			fflush(nullptr);
			return testing::Test::HasFailure() ? 1 : 0;
		});
		return native_reap(init) != 0;
	});
}

// A child that ends in the pid namespace of `init`, with its user namespace or our own; with
// what status.
int end_in_there(pid_t init, bool users_too)
{
	const std::string dir = "/proc/" + std::to_string(init) + "/ns/";
	const int pids = open((dir + "pid").c_str(), O_RDONLY | O_CLOEXEC);
	const int users = open((dir + "user").c_str(), O_RDONLY | O_CLOEXEC);
	if (pids < 0 || users < 0 || (users_too && setns(users, CLONE_NEWUSER) != 0) ||
	    setns(pids, CLONE_NEWPID) != 0)
		die("setns");
	return native_reap(spawn([&] { return users_too ? 6 : 5; })) >> 8;
}

} // namespace

VM_TEST(AcctLimit, ReadersOfOneUser)
{
	Tokens full, more;
	const pid_t pid = as_their_root([&] {
		std::vector<std::unique_ptr<Accounts>> all;
		for (int i = 0; i < BSDPROC_ACCT_MAX; i++)
			all.push_back(std::make_unique<Accounts>(1));
		EXPECT_ERRNO(acct_open(1), ENOSPC);
		full.give();
		more.take();
		all.pop_back();
		Accounts again(1);
		EXPECT_ERRNO(acct_open(1), ENOSPC);
	});
	full.take();
	// Nor may one by another namespace of the same user's.
	EXPECT_EQ(native_reap(as_their_root([] { EXPECT_ERRNO(acct_open(1), ENOSPC); })), 0);
	std::vector<std::unique_ptr<Accounts>> roots;
	for (int i = 0; i < BSDPROC_ACCT_MAX + 4; i++)
		roots.push_back(std::make_unique<Accounts>(1));
	more.give();
	EXPECT_EQ(native_reap(pid), 0);
}

// Who comes into its pid namespace with the rights of one further out is none of its own.
VM_TEST(AcctLimit, OfWhomRootPutsThere)
{
	Accounts outside;
	Tokens open, ended;
	Shared<std::atomic<pid_t>> init;
	const pid_t holder = as_their_root([&] {
		Accounts accounts;
		*init = pid_in_proc();
		open.give();
		ended.take();
		// The one that has come into the user namespace too is all that there is.
		const std::vector<struct bsdproc_acct> all = accounts.take();
		ASSERT_EQ(all.size(), 1u);
		EXPECT_EQ(all[0].xstat, 6 << 8);
	});
	open.take();
	std::set<pid_t> putters;
	for (bool users_too : {false, true}) {
		const pid_t pid = spawn([&] { return end_in_there(*init, users_too); });
		EXPECT_EQ(native_reap(pid), (users_too ? 6 : 5) << 8);
		putters.insert(pid);
	}
	ended.give();
	EXPECT_EQ(native_reap(holder), 0);
	// Out here all are seen.
	int children = 0;
	for (const auto &record : outside.take())
		children += putters.count(record.ppid) == 1;
	EXPECT_EQ(children, 2);
}
