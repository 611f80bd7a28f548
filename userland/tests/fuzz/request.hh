// SPDX-License-Identifier: BSD-2-Clause
// The device's requests, and which errors the ABI's header lists for each.
#pragma once

#include <cerrno>
#include <cstddef>
#include <initializer_list>

#include "bsdproc_ioctl.h"

namespace fuzz
{

// A set of errno values, and 0 for success.
class Outcomes
{
public:
	static constexpr int kLimit = 128;

	constexpr Outcomes(std::initializer_list<int> list)
	{
		for (int error : list)
			add(error);
	}
	constexpr void add(int error) { bits_[error / 64] |= 1ull << error % 64; }
	constexpr void add(const Outcomes &other)
	{
		for (int i = 0; i < 2; i++)
			bits_[i] |= other.bits_[i];
	}
	constexpr bool has(int error) const
	{
		return error >= 0 && error < kLimit && (bits_[error / 64] >> error % 64 & 1);
	}

private:
	unsigned long long bits_[kLimit / 64] = {};
};

struct Request {
	const char *name;
	unsigned cmd;
	Outcomes errors;

	constexpr size_t size() const { return _IOC_SIZE(cmd); }
	// Returns a descriptor.
	constexpr bool opens() const
	{
		return cmd == BSDPROC_KNOTE || cmd == BSDPROC_HOLD || cmd == BSDPROC_ACCT ||
		       cmd == BSDPROC_KTRACE;
	}
	// Or it is told by the return value alone.
	constexpr bool answers() const { return _IOC_DIR(cmd) & _IOC_READ; }
};

enum {
	kVersion,
	kExtexit,
	kWait,
	kGettid,
	kReaped,
	kList,
	kGetproc,
	kKnote,
	kJoin,
	kHold,
	kStops,
	kCont,
	kVarsymSet,
	kVarsymGet,
	kVarsymList,
	kTracekill,
	kGetpgrp,
	kGetsession,
	kGetuser,
	kReaper,
	kAcct,
	kKtrace,
	kKtrset,
	kRequests
};

// Those that the module was built with: the last two are optional.
#ifdef KTRACE
inline constexpr int kBuilt = kRequests;
#else
inline constexpr int kBuilt = kKtrace;
#endif

// As the header has them, and 0. Not ENOMEM: memory is there, so who says it has asked for
// as much as a caller wanted.
inline constexpr Request kRequest[kRequests] = {
	{"VERSION", BSDPROC_VERSION, {0, EINVAL, E2BIG, EFAULT}},
	{"EXTEXIT", BSDPROC_EXTEXIT, {0, EINVAL, E2BIG, EFAULT}},
	{"WAIT", BSDPROC_WAIT, {0, EINVAL, E2BIG, EFAULT, ECHILD, EINTR}},
	{"GETTID", BSDPROC_GETTID, {0, EINVAL, E2BIG, EFAULT}},
	{"REAPED", BSDPROC_REAPED, {0, E2BIG, EFAULT}},
	{"LIST", BSDPROC_LIST, {0, EINVAL, E2BIG, EFAULT}},
	{"GETPROC", BSDPROC_GETPROC, {0, EINVAL, E2BIG, EFAULT, ESRCH}},
	{"KNOTE", BSDPROC_KNOTE, {0, EINVAL, E2BIG, EFAULT, ESRCH, EPERM}},
	{"JOIN", BSDPROC_JOIN, {0, EINVAL, E2BIG, EFAULT, ESRCH, EALREADY}},
	{"HOLD", BSDPROC_HOLD, {0, EINVAL, E2BIG, EFAULT}},
	{"STOPS", BSDPROC_STOPS, {0, EINVAL, E2BIG, EFAULT, EBADF, ESRCH, EPERM, EBUSY}},
	{"CONT", BSDPROC_CONT, {0, EINVAL, E2BIG, EFAULT, EBADF, ESRCH}},
	{"VARSYM_SET",
	 BSDPROC_VARSYM_SET,
	 {0, EINVAL, E2BIG, EFAULT, ENAMETOOLONG, EPERM, ENOENT, ENOSPC}},
	{"VARSYM_GET", BSDPROC_VARSYM_GET, {0, EINVAL, E2BIG, EFAULT, ENAMETOOLONG, ENOENT}},
	{"VARSYM_LIST", BSDPROC_VARSYM_LIST, {0, EINVAL, E2BIG, EFAULT, EOVERFLOW}},
	{"TRACEKILL", BSDPROC_TRACEKILL, {0, EINVAL, E2BIG, EFAULT}},
	{"GETPGRP", BSDPROC_GETPGRP, {0, EINVAL, E2BIG, EFAULT, ESRCH}},
	{"GETSESSION", BSDPROC_GETSESSION, {0, EINVAL, E2BIG, EFAULT, ESRCH}},
	{"GETUSER", BSDPROC_GETUSER, {0, EINVAL, E2BIG, EFAULT}},
	{"REAPER", BSDPROC_REAPER, {0, EINVAL, E2BIG, EFAULT}},
	{"ACCT", BSDPROC_ACCT, {0, EINVAL, E2BIG, EFAULT, EPERM, ENOSPC}},
	{"KTRACE", BSDPROC_KTRACE, {0, EINVAL, E2BIG, EFAULT}},
	{"KTRSET", BSDPROC_KTRSET, {0, EINVAL, E2BIG, EFAULT, EBADF, ESRCH, EPERM, EBUSY}},
};

// What the size in a request's number has no part in.
inline constexpr unsigned kSizeBits = static_cast<unsigned>(_IOC_SIZEMASK) << _IOC_SIZESHIFT;

// kRequests: none of them.
inline int find_request(unsigned cmd)
{
	int i = 0;
	while (i < kBuilt && ((cmd ^ kRequest[i].cmd) & ~kSizeBits))
		i++;
	return i < kBuilt ? i : kRequests;
}

union Argument {
	struct bsdproc_version version;
	struct bsdproc_extexit extexit;
	struct bsdproc_wait wait;
	struct bsdproc_gettid gettid;
	struct bsdproc_list list;
	struct bsdproc_getproc getproc;
	struct bsdproc_knote knote;
	struct bsdproc_join join;
	struct bsdproc_hold hold;
	struct bsdproc_stops stops;
	struct bsdproc_cont cont;
	struct bsdproc_varsym_set varsym_set;
	struct bsdproc_varsym_get varsym_get;
	struct bsdproc_varsym_list varsym_list;
	struct bsdproc_tracekill tracekill;
	struct bsdproc_getpgrp getpgrp;
	struct bsdproc_getsession getsession;
	struct bsdproc_getuser getuser;
	struct bsdproc_reaper reaper;
	struct bsdproc_acct_open acct;
	struct bsdproc_ktrace ktrace;
	struct bsdproc_ktrset ktrset;
};

} // namespace fuzz
