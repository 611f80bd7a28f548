// SPDX-License-Identifier: BSD-2-Clause
// Accounting records in the form of Linux's file.
#include "acct_v3.hh"

#include <gtest/gtest.h>

#include <cstring>

using namespace bsdproc;

namespace
{

uint64_t value_of(comp_t comp)
{
	return uint64_t(comp & 0x1fff) << 3 * (comp >> 13);
}

TEST(AcctV3, SmallNumbersAreExact)
{
	for (uint64_t value = 0; value < 8192; value++)
		EXPECT_EQ(to_comp(value), value);
}

TEST(AcctV3, CompIsTheNearest)
{
	for (unsigned exponent = 1; exponent < 8; exponent++)
		for (uint64_t fraction = 1024; fraction < 8192; fraction++) {
			const uint64_t value = fraction << 3 * exponent;
			const uint64_t half = 4ull << 3 * (exponent - 1);
			ASSERT_EQ(value_of(to_comp(value)), value);
			// Also where the half below is of the exponent below.
			ASSERT_EQ(value_of(to_comp(value + half - 1)), value);
			if (fraction > 1024) {
				ASSERT_EQ(value_of(to_comp(value - half)), value);
			}
		}
}

TEST(AcctV3, CompIsBounded)
{
	const uint64_t largest = 8191ull << 21;
	EXPECT_EQ(to_comp(largest), 0xffff);
	EXPECT_EQ(to_comp(largest - (1 << 20)), 0xffff);
	EXPECT_EQ(to_comp(largest - (1 << 20) - 1), 0xfffe);
	EXPECT_EQ(to_comp(largest + (1 << 20)), 0xffff);
	EXPECT_EQ(to_comp(UINT64_MAX), 0xffff);
}

TEST(AcctV3, ARecord)
{
	bsdproc_acct r{};
	r.pid = 4711;
	r.ppid = 1;
	r.uid = 1000;
	r.gid = 100;
	r.tty = 136 << 8 | 5; // pts/5
	r.xstat = 9;
	r.flags = BSDPROC_AFORK | BSDPROC_AXSIG;
	r.start = 1700000000999999999;
	r.elapsed = 12340000000;
	r.ru.utime = 1995000000;
	r.ru.stime = 4999999;
	r.ru.maxrss = 9000;
	r.ru.inblock = 3;
	r.ru.oublock = 4;
	r.ru.minflt = 8192;
	r.ru.majflt = 2;
	strcpy(r.comm, "fifteen letters");

	const acct_v3 a = to_acct_v3(r);
	EXPECT_EQ(a.ac_flag, AFORK | AXSIG);
	EXPECT_EQ(a.ac_version, 3 | ACCT_BYTEORDER);
	EXPECT_EQ(a.ac_tty, 136 << 8 | 5);
	EXPECT_EQ(a.ac_exitcode, 9u);
	EXPECT_EQ(a.ac_uid, 1000u);
	EXPECT_EQ(a.ac_gid, 100u);
	EXPECT_EQ(a.ac_pid, 4711u);
	EXPECT_EQ(a.ac_ppid, 1u);
	EXPECT_EQ(a.ac_btime, 1700000000u);
	EXPECT_FLOAT_EQ(a.ac_etime, 1234);
	EXPECT_EQ(a.ac_utime, 200);
	EXPECT_EQ(a.ac_stime, 0);
	EXPECT_EQ(value_of(a.ac_mem), 9000u);
	EXPECT_EQ(a.ac_io, 7);
	EXPECT_EQ(a.ac_rw, 0);
	EXPECT_EQ(value_of(a.ac_minflt), 8192u);
	EXPECT_EQ(a.ac_majflt, 2);
	EXPECT_EQ(a.ac_swaps, 0);
	EXPECT_STREQ(a.ac_comm, "fifteen letters");
}

// Its file has room for the old form only, in which large numbers have none.
TEST(AcctV3, Devices)
{
	bsdproc_acct r{};
	EXPECT_EQ(to_acct_v3(r).ac_tty, 0);
	r.tty = 4 << 8 | 64; // ttyS0
	EXPECT_EQ(to_acct_v3(r).ac_tty, 4 << 8 | 64);
	r.tty = 136 << 8 | 1 | 1 << 20; // minor 257
	EXPECT_EQ(to_acct_v3(r).ac_tty, 0);
}

} // namespace
