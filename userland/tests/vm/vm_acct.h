// SPDX-License-Identifier: BSD-2-Clause
// BSDPROC_ACCT for the tests of it.
#ifndef VM_ACCT_H
#define VM_ACCT_H

#include "vm_stream.h"

namespace vm
{

inline int acct_open(uint32_t records)
{
	Device device;
	struct bsdproc_acct_open args = {records, 0};
	return device(BSDPROC_ACCT, &args);
}

class Accounts : public Stream<struct bsdproc_acct>
{
public:
	explicit Accounts(uint32_t records = 1024) : Stream(acct_open(records)) {}

	// Its record, of all that have come by now. Others may end in the machine at any time.
	struct bsdproc_acct of(pid_t pid)
	{
		struct bsdproc_acct found = {};
		int n = 0;
		for (const auto &record : take())
			if (record.pid == pid) {
				found = record;
				n++;
			}
		EXPECT_EQ(n, 1) << "records of " << pid;
		return found;
	}
};

} // namespace vm

#endif // VM_ACCT_H
