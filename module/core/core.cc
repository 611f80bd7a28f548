// SPDX-License-Identifier: GPL-2.0-only
// The core as the kernel has it: one unit, so that what is small and asked in another file is
// no call. The tests compile the files one by one.
#include "kern_acct.cc"
#include "kern_adopt.cc"
#include "kern_atexit.cc"
#include "kern_exec.cc"
#include "kern_exit.cc"
#include "kern_fork.cc"
#include "kern_info.cc"
#include "kern_jobctl.cc"
#include "kern_limbo.cc"
#include "kern_peers.cc"
#include "kern_proc.cc"
#include "kern_ptrace.cc"
#include "kern_stop.cc"
#include "kern_varsym.cc"
#include "kern_vmspace.cc"
#include "kern_wait.cc"
#ifdef KTRACE
#include "kern_ktrace.cc"
#endif
