// SPDX-License-Identifier: BSD-2-Clause
// Calls that give a descriptor, what is asked of that, and reading from it.
#include "provoke.hh"

#include "../vm/vm_stream.h"

using namespace vm;

namespace errors
{

namespace
{

#ifdef KTRACE
constexpr const char *kNoTraces = nullptr;
#else
constexpr const char *kNoTraces = "built without traces";
#endif

// For want of what every descriptor needs.
void add_opening(Rows &rows, const std::string &of, const Provoke &open)
{
	rows.push_back({of, EMFILE, {[=] {
				open_handles();
				return without_descriptors(open);
			}}});
	rows.push_back({of, ENFILE, {[=] {
				open_handles();
				return without_files([&] { return as_nobody(open); });
			}}});
	rows.push_back({of, ENOMEM, {open}, Short::in_the_call});
}

long read_from(int fd, void *to, size_t size)
{
	return syscall(SYS_read, fd, to, size);
}

// empty() gives a descriptor with nothing to read yet, full() one with a record of that size.
template <class Empty, class Full>
void add_reading(Rows &rows, const std::string &page, size_t size, Empty empty, Full full)
{
	const std::string of = page + "/read";
	rows.push_back({of, EAGAIN, {[=] {
				const int fd = empty();
				std::vector<char> to(size);
				fcntl(fd, F_SETFL, O_NONBLOCK);
				return read_from(fd, to.data(), size);
			}}});
	rows.push_back({of, EINTR, {[=] {
				const int fd = empty();
				std::vector<char> to(size);
				return interrupted([&] { return read_from(fd, to.data(), size); });
			}}});
	rows.push_back({of, EFAULT, {[=] {
				// It stays, to be read.
				const int fd = full();
				std::vector<char> to(size);
				return then(read_from(fd, nowhere(), size), [&] {
					EXPECT_EQ(read_from(fd, to.data(), size), long(size));
				});
			}}});
	rows.push_back({of, EINVAL, {[=] {
				const int fd = full();
				std::vector<char> to(size);
				return then(read_from(fd, to.data(), size - 1), [&] {
					EXPECT_EQ(read_from(fd, to.data(), size), long(size));
				});
			}}});
}

int readable(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	EXPECT_EQ(poll(&p, 1, -1), 1);
	return fd;
}

// ---- notes --------------------------------------------------------------------

int note_on(pid_t pid)
{
	return bsd_knote(pid, NOTE_EXIT);
}

void add_knote(Rows &rows)
{
	const std::string of = "bsd_knote.3/bsd_knote bsdproc.4/BSDPROC_KNOTE";
	add_opening(rows, of, [] { return note_on(getpid()); });
	rows.push_back({of,
			EINVAL,
			{[] { return bsd_knote(getpid(), 0); },
			 [] { return bsd_knote(getpid(), NOTE_EXIT | 1); }}});
	rows.push_back({of, EPERM, {[] {
				const pid_t pid = getpid();
				return as_nobody([=] { return note_on(pid); });
			}}});
	rows.push_back({of,
			ESRCH,
			{[] { return note_on(kNoPid); }, [] { return note_on(-1); },
			 [] {
				 const pid_t pid = zombie();
				 native_reap(pid);
				 return note_on(pid);
			 }}});
	add_reading(
		rows, "bsd_knote.3", sizeof(struct bsd_note), [] { return note_on(sleeper()); },
		[] { return note_on(zombie()); });
}

// ---- holding and tracing --------------------------------------------------------

// Both have a descriptor, and ask something of a process by it.
struct Asking {
	int (*open)();
	int (*ask)(int fd, pid_t pid, unsigned what);
	unsigned what;
};

void add_asking(Rows &rows, const std::string &of, const Asking &a, const char *skipped = nullptr)
{
	const Rows asking = {
		{of,
		 EBADF,
		 {[=] { return a.ask(-1, 0, a.what); }, [=] { return a.ask(12345, 0, a.what); }}},
		{of,
		 EINVAL,
		 {[=] { return a.ask(a.open(), 0, 1); },
		  [=] { return a.ask(open("/dev/null", O_RDWR | O_CLOEXEC), 0, a.what); }}},
		{of,
		 ESRCH,
		 {[=] { return a.ask(a.open(), kNoPid, a.what); },
		  [=] { return a.ask(a.open(), -1, a.what); },
		  [=] { return a.ask(a.open(), getpid(), 0); },
		  [=] {
			  return beside_zombie([=] { return a.ask(a.open(), zombie(4), a.what); });
		  }}},
		{of, EPERM, {[=] {
			 const int fd = a.open();
			 const pid_t pid = getpid();
			 return as_nobody([=] { return a.ask(fd, pid, a.what); });
		 }}},
		{of, EBUSY, {[=] {
			 EXPECT_EQ(a.ask(a.open(), getpid(), a.what), 0) << strerror(errno);
			 return a.ask(a.open(), getpid(), a.what);
		 }}},
		{of, ENOMEM, {[=] { return a.ask(a.open(), 0, a.what); }}, Short::of_objects},
	};
	for (Row row : asking) {
		row.skipped = skipped;
		rows.push_back(row);
	}
}

// A descriptor that holds a child at its exit, which was not read of yet.
int holding()
{
	Tokens go;
	const int hold = bsd_hold();
	const pid_t pid = spawn([&] {
		go.take();
		return 0;
	});
	EXPECT_EQ(bsd_hold_stops(hold, pid, S_EXIT), 0) << strerror(errno);
	go.give();
	return readable(hold);
}

void add_hold(Rows &rows)
{
	const std::string hold = "bsd_hold.3/bsd_hold bsdproc.4/BSDPROC_HOLD";
	const std::string cont = "bsd_hold.3/bsd_hold_cont bsdproc.4/BSDPROC_CONT";

	add_opening(rows, hold, bsd_hold);
	add_asking(rows, "bsd_hold.3/bsd_hold_stops bsdproc.4/BSDPROC_STOPS",
		   {bsd_hold, bsd_hold_stops, S_EXIT});
	rows.push_back({cont,
			EBADF,
			{[] { return bsd_hold_cont(-1, getpid()); },
			 [] { return bsd_hold_cont(12345, getpid()); }}});
	rows.push_back({cont, EINVAL, {[] {
				return bsd_hold_cont(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
			}}});
	rows.push_back({cont,
			ESRCH,
			{[] { return bsd_hold_cont(bsd_hold(), getpid()); },
			 [] { return bsd_hold_cont(bsd_hold(), kNoPid); }}});
	add_reading(
		rows, "bsd_hold.3", sizeof(struct bsd_stop),
		[] {
			const int fd = bsd_hold();
			EXPECT_EQ(bsd_hold_stops(fd, sleeper(), S_EXIT), 0);
			return fd;
		},
		holding);
}

int a_trace()
{
	return bsd_ktrace(16);
}

// Traces this process, of which one event was told or none.
int tracing(bool told)
{
	const int fd = a_trace();
	EXPECT_EQ(bsd_ktrace_set(fd, 0, BSD_KTRFAC_FORK), 0) << strerror(errno);
	if (!told)
		return fd;
	native_reap(spawn([] { return 0; }));
	return readable(fd);
}

void add_ktrace(Rows &rows)
{
	const std::string of = "bsd_ktrace.3/bsd_ktrace bsdproc.4/BSDPROC_KTRACE";
	Rows traces;

	add_opening(traces, of, a_trace);
	traces.push_back({of,
			  EINVAL,
			  {[] { return bsd_ktrace(0); },
			   [] { return bsd_ktrace(BSDPROC_STREAM_MAX + 1); }}});
	add_asking(traces, "bsd_ktrace.3/bsd_ktrace_set bsdproc.4/BSDPROC_KTRSET",
		   {a_trace, bsd_ktrace_set, BSD_KTRFAC_EXIT});
	add_reading(
		traces, "bsd_ktrace.3", sizeof(struct bsdproc_ktr), [] { return tracing(false); },
		[] { return tracing(true); });
	for (Row &row : traces) {
		row.skipped = kNoTraces;
		rows.push_back(row);
	}
}

// ---- accounting -----------------------------------------------------------------

int accounts(uint32_t records = 16)
{
	struct bsdproc_acct_open args = {records, 0};
	return device()(BSDPROC_ACCT, &args);
}

// Whose pid namespace has but one process, which sleeps; or had it.
int accounts_of(bool ended)
{
	open_handles();
	Shared<std::atomic<int>> fd;
	Tokens opened;
	if (unshare(CLONE_NEWPID) != 0)
		die("unshare");
	spawn_flags(CLONE_FILES | SIGCHLD, [&] {
		*fd = accounts();
		opened.give();
		while (!ended)
			pause();
		return 0;
	});
	opened.take();
	EXPECT_GE(*fd, 0);
	return ended ? readable(*fd) : fd->load();
}

// By the init of a pid namespace of nobody's, as root there. around() is given what lets it
// make the call.
template <class F, class G> long as_their_root(F call, G around)
{
	Tokens there, go;
	const pid_t pid = spawn([&] {
		become_nobody();
		own_namespaces();
		there.give();
		go.take();
		return in_child(call) == -1 ? errno : 0;
	});
	there.take();
	return around([&] {
		go.give();
		errno = WEXITSTATUS(native_reap(pid));
		return errno ? -1L : 0L;
	});
}

long one_more_than_a_user_may()
{
	open_handles();
	return as_their_root(
		[&] {
			for (int i = 0; i < BSDPROC_ACCT_MAX; i++)
				EXPECT_GE(accounts(1), 0) << strerror(errno);
			return accounts(1);
		},
		[](auto make) { return make(); });
}

void add_acct(Rows &rows)
{
	const char *of = "bsdproc.4/BSDPROC_ACCT";
	const auto open = [](uint32_t records) { return [=] { return accounts(records); }; };

	rows.push_back({of, EINVAL, {open(0), open(BSDPROC_STREAM_MAX + 1)}});
	rows.push_back({of, EPERM, {[=] { return as_nobody(open(1)); }}});
	rows.push_back({of, ENOSPC, {one_more_than_a_user_may}});
	rows.push_back({of, EMFILE, {[] {
				open_handles();
				return without_descriptors([&] { return accounts(); });
			}}});
	rows.push_back({of, ENFILE, {[] {
				open_handles();
				return as_their_root([&] { return accounts(); },
						     [](auto make) { return without_files(make); });
			}}});
	rows.push_back({of, ENOMEM, {open(1)}, Short::in_the_call});
	add_reading(
		rows, "bsdproc.4", sizeof(struct bsdproc_acct), [] { return accounts_of(false); },
		[] { return accounts_of(true); });
}

} // namespace

Rows rows_of_descriptors()
{
	Rows rows;
	add_knote(rows);
	add_hold(rows);
	add_ktrace(rows);
	add_acct(rows);
	return rows;
}

} // namespace errors
