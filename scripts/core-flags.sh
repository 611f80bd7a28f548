# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# How the static checks compile module/core: as the kernel does, as far as they need to know.
core_flags=(-std=gnu++20 -ffreestanding -nostdinc++ -fno-exceptions -fno-rtti
	-DBSDPROC_LOCK_SIZE=8 -DKTRACE -Wall -Wextra)
