// SPDX-License-Identifier: GPL-2.0-only
// KKASSERT: what is never otherwise. Looked at only where INVARIANTS is defined, as on debug
// kernels; else it costs nothing, and is still compiled.
#pragma once

#include "host.h"

#ifdef INVARIANTS
inline constexpr bool invariants = true;
#else
inline constexpr bool invariants = false;
#endif

#define KKASSERT(what) \
	(!invariants || __builtin_expect(!!(what), 1) ? void() : host_assert_failed(#what))
