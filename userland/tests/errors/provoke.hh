// SPDX-License-Identifier: BSD-2-Clause
// Places and states in which calls fail. All return what the call returned, with its errno.
#ifndef ERRORS_PROVOKE_HH
#define ERRORS_PROVOKE_HH

#include "table.hh"

#include "../vm/vm_device.h"
#include "../vm/vm_test.h"

#include <ctime>
#include <type_traits>

namespace errors
{

// Where no user memory is. Not null, which may mean: not asked for.
template <class T = void> T *nowhere()
{
	volatile uintptr_t at = 16;
	return reinterpret_cast<T *>(at);
}

template <class T> void assign(T &) {}

template <class T, class V, class... More>
void assign(T &t, V T::*member, std::type_identity_t<V> value, More... more)
{
	t.*member = value;
	assign(t, more...);
}

// A T that is zero but for some members: with(&T::member, value ...).
template <class T, class V, class... More>
T with(V T::*member, std::type_identity_t<V> value, More... more)
{
	T t = {};
	assign(t, member, value, more...);
	return t;
}

// What happens meanwhile leaves errno alone.
template <class F> long then(long result, F afterwards)
{
	const int error = errno;
	afterwards();
	errno = error;
	return result;
}

// By a process of its own, a child of this one.
template <class F> long in_child(F call)
{
	const bool failed = testing::Test::HasFailure();
	const int status = vm::native_reap(vm::spawn([&] {
		const int error = call() == -1 ? errno : 0;
		fflush(nullptr);
		return testing::Test::HasFailure() && !failed ? 255 : error;
	}));
	EXPECT_TRUE(WIFEXITED(status)) << status;
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

// By one who has no rights, with the library's handle if this process has it.
template <class F> long as_nobody(F call)
{
	return in_child([&] {
		if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
			vm::die("setresuid");
		return call();
	});
}

inline const vm::Device &device()
{
	static const vm::Device opened;
	return opened;
}

// For calls that are to fail by other reasons than that the device cannot be opened: by the
// library, or here.
inline void open_handles()
{
	bsd_lwp_gettid();
	device();
}

// Where this process may not open one file more, now and later.
template <class F> long without_descriptors(F call)
{
	const struct rlimit none = {0, 0};
	if (setrlimit(RLIMIT_NOFILE, &none) != 0)
		vm::die("setrlimit");
	return call();
}

// While the system may not have one open file more, but for those who have CAP_SYS_ADMIN.
template <class F> long without_files(F call)
{
	const std::string limit = "/proc/sys/fs/file-max", before = vm::slurp(limit);
	vm::write_to(limit, "0");
	return then(call(), [&] { vm::write_to(limit, before); });
}

// Under signals that come again and again, so also in its sleep.
template <class F> long interrupted(F call)
{
	struct sigaction action = {};
	action.sa_handler = [](int) {};
	struct sigevent event = {};
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGUSR2;
	const struct itimerspec often = {{0, 1000000}, {0, 1000000}};
	timer_t timer;
	if (sigaction(SIGUSR2, &action, nullptr) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &often, nullptr) != 0)
		vm::die("timer");
	return then(call(), [&] { timer_delete(timer); });
}

// Beside a child that does not end by itself.
inline pid_t sleeper()
{
	return vm::spawn([] {
		for (;;)
			pause();
		return 0;
	});
}

// A child that has ended, and stays.
inline pid_t zombie(int code = 3)
{
	const pid_t pid = vm::spawn([=] { return code; });
	vm::native_peek(pid);
	return pid;
}

// Beside one child, which has ended, and which the call leaves there.
template <class F> long beside_zombie(F call)
{
	const pid_t pid = zombie();
	return then(call(), [=] { EXPECT_EQ(vm::native_reap(pid), 3 << 8); });
}

// Nobody has it: pid_max is less.
inline constexpr pid_t kNoPid = (1 << 22) + 1;

} // namespace errors

#endif // ERRORS_PROVOKE_HH
