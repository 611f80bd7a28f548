// SPDX-License-Identifier: BSD-2-Clause
// The accounting file that Linux writes, and lastcomm and sa read: version 3.
#pragma once

#include <cstdint>

#include <linux/acct.h>

#include <bsdproc_ioctl.h>

namespace bsdproc
{

// Three bits of an exponent of eight, thirteen bits to be multiplied with it: the nearest to
// `value`, or the largest there is.
comp_t to_comp(uint64_t value);

acct_v3 to_acct_v3(const bsdproc_acct &record);

} // namespace bsdproc
