// SPDX-License-Identifier: BSD-2-Clause
// Variant symbols: bsdvarsym.
#include "vm_command.h"
#include "vm_varsym.h"

using namespace vm;

VM_TEST(Varsym, Tool)
{
	Clean clean;
	const std::string tool = "'" + sibling("../bin/bsdvarsym") + "' ";
	const auto expect = [&](const std::string &arguments, const std::string &text, int code) {
		const Said said = run(tool + arguments);
		EXPECT_EQ(said.text, text) << arguments;
		EXPECT_EQ(said.status, exit_status(code)) << arguments;
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
		const Said said = run(tool + wrong);
		EXPECT_EQ(said.status, exit_status(2)) << wrong;
		EXPECT_EQ(said.text.find("bsdvarsym: "), 0u) << said.text;
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
