// SPDX-License-Identifier: BSD-2-Clause
#include "memory.hh"

#include "provoke.hh"

#include <sys/mount.h>

#include <utility>

using namespace vm;

namespace errors
{

namespace
{

const std::string kFailslab = "/sys/kernel/debug/failslab/";

// So many allocations in a row are not refused to a call that makes no more of them: a few may
// be such as it can do without.
constexpr int kRow = 8;

bool has_failslab()
{
	if (access(kFailslab.c_str(), F_OK) == 0)
		return true;
	return mount("debugfs", "/sys/kernel/debug", "debugfs", 0, nullptr) == 0 &&
	       access(kFailslab.c_str(), F_OK) == 0;
}

bool may_fail(const char *cache)
{
	return slurp("/sys/kernel/slab/" + std::string(cache) + "/failslab").find('1') == 0;
}

using Setting = std::pair<std::string, std::string>;

// Settings, made in their order, and taken back the other way round.
class Failslab
{
public:
	explicit Failslab(const std::vector<Setting> &settings)
	{
		for (const auto &[name, value] : settings) {
			before_.emplace(before_.begin(), name, slurp(kFailslab + name));
			write_to(kFailslab + name, value);
		}
	}
	~Failslab()
	{
		for (const auto &[name, value] : before_)
			write_to(kFailslab + name, value);
	}
	Failslab(const Failslab &) = delete;
	Failslab &operator=(const Failslab &) = delete;

private:
	std::vector<Setting> before_;
};

// Of this thread, the nth allocation from now on.
void fail_nth(int fd, int nth)
{
	const std::string number = std::to_string(nth);
	if (write(fd, number.data(), number.size()) != ssize_t(number.size()))
		die("fail-nth");
}

} // namespace

std::string cannot_be_short(Short memory)
{
	if (!has_failslab())
		return "this kernel has no CONFIG_FAILSLAB";
	if (memory == Short::of_objects && (!may_fail("bsdproc_proc") || !may_fail("bsdproc_lwp")))
		return "boot with slub_debug=A,bsdproc_proc,bsdproc_lwp";
	return "";
}

void expect_without_objects(const Provoke &call, const std::string &name)
{
	const Failslab failslab({{"verbose", "0"},
				 {"task-filter", "N"},
				 {"cache-filter", "Y"},
				 {"times", "1000000"},
				 {"probability", "100"}});
	SCOPED_TRACE(name);
	EXPECT_ERRNO(in_child(call), ENOMEM);
}

void expect_without_memory_in(const Provoke &call, const std::string &name)
{
	const Failslab failslab(
		{{"verbose", "0"}, {"cache-filter", "N"}, {"ignore-gfp-wait", "N"}});
	int failed = 0;
	open_handles();
	for (int nth = 1, row = 0; row < kRow; nth++) {
		const long got = in_child([&] {
			const int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
			fail_nth(fd, nth);
			return then(call(), [=] { fail_nth(fd, 0); });
		});
		EXPECT_EQ(got == -1 ? errno : ENOMEM, ENOMEM) << name << ", allocation " << nth;
		failed += got == -1;
		row = got == -1 ? 0 : row + 1;
	}
	EXPECT_GT(failed, 0) << name;
}

} // namespace errors
