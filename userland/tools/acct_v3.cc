// SPDX-License-Identifier: BSD-2-Clause
#include "acct_v3.hh"

#include <cstring>
#include <sys/sysmacros.h>
#include <sys/types.h>

namespace bsdproc
{

namespace
{

constexpr unsigned fraction_bits = 13, exponent_bits = 3;
constexpr uint64_t largest_fraction = (1u << fraction_bits) - 1;
constexpr unsigned largest_exponent = (1u << exponent_bits) - 1;
constexpr uint64_t second = 1000000000;

uint64_t ticks(uint64_t ns)
{
	return (ns + second / AHZ / 2) / (second / AHZ);
}

// The old form of a device's number, in which only some have one.
uint16_t old_device(uint32_t device)
{
	const dev_t dev = device; // user space's form of it is the same
	return major(dev) < 256 && minor(dev) < 256 ? major(dev) << 8 | minor(dev) : 0;
}

} // namespace

comp_t to_comp(uint64_t value)
{
	// Beyond all that can be told, and so that rounding does not overflow.
	if (value >> (fraction_bits + 3 * largest_exponent))
		return UINT16_MAX;
	for (unsigned exponent = 0; exponent <= largest_exponent; exponent++) {
		const unsigned shift = 3 * exponent;
		const uint64_t half = shift ? uint64_t(1) << (shift - 1) : 0;
		const uint64_t fraction = (value + half) >> shift;
		if (fraction <= largest_fraction)
			return static_cast<comp_t>(exponent << fraction_bits | fraction);
	}
	return UINT16_MAX;
}

acct_v3 to_acct_v3(const bsdproc_acct &r)
{
	static_assert(AFORK == BSDPROC_AFORK && ASU == BSDPROC_ASU && ACORE == BSDPROC_ACORE &&
		      AXSIG == BSDPROC_AXSIG);
	static_assert(sizeof(acct_v3) == 64 && sizeof(acct_v3::ac_comm) == sizeof(r.comm));
	acct_v3 a{};

	a.ac_flag = static_cast<char>(r.flags);
	a.ac_version = static_cast<char>(3 | ACCT_BYTEORDER);
	a.ac_tty = old_device(r.tty);
	a.ac_exitcode = static_cast<uint32_t>(r.xstat);
	a.ac_uid = r.uid;
	a.ac_gid = r.gid;
	a.ac_pid = static_cast<uint32_t>(r.pid);
	a.ac_ppid = static_cast<uint32_t>(r.ppid);
	a.ac_btime = static_cast<uint32_t>(r.start / second);
	a.ac_etime = static_cast<float>(ticks(r.elapsed));
	a.ac_utime = to_comp(ticks(r.ru.utime));
	a.ac_stime = to_comp(ticks(r.ru.stime));
	// The most, as nothing else is known.
	a.ac_mem = to_comp(r.ru.maxrss);
	a.ac_io = to_comp(r.ru.inblock + r.ru.oublock);
	a.ac_minflt = to_comp(r.ru.minflt);
	a.ac_majflt = to_comp(r.ru.majflt);
	memcpy(a.ac_comm, r.comm, sizeof(a.ac_comm));
	return a;
}

} // namespace bsdproc
