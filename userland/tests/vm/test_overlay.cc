// SPDX-License-Identifier: BSD-2-Clause
// BSD source, compiled with the overlay (tests/overlay), does here what it does there. Each of
// the programs says what is not so.
#include "vm_command.h"
#include "vm_test.h"

using namespace vm;

namespace
{

// By way of a file: what a program that fails leaves behind would keep a pipe open.
void expect_good(const char *name, const char *last_words)
{
	const std::string program = sibling((std::string("overlay/") + name).c_str());
	const Said said = run("file=$(mktemp) && { " + program +
			      " >$file 2>&1; status=$?; cat $file; rm $file; exit $status; }");
	EXPECT_EQ(said.status, 0) << said.text;
	EXPECT_EQ(said.text, std::string(name) + ": " + last_words + "\n");
}

} // namespace

VM_TEST(OverlayPrograms, ThreadEnd)
{
	expect_good("thread_end", "240 threads ended and freed");
}

VM_TEST(OverlayPrograms, Supervisor)
{
	expect_good("supervisor", "3 services, 9 daemons reaped");
}

VM_TEST(OverlayPrograms, WaitKinds)
{
	expect_good("wait_kinds",
		    "ends, stops, continues, traps, usage and rfork_thread are right");
}
