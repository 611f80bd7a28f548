// SPDX-License-Identifier: GPL-2.0-only
// KTRACE, an option of the build. Without it all of this is nothing.
#pragma once

#include "atomic.hh"
#include "core.h"
#include "list.hh"

namespace bsd
{

struct proc;

#ifdef KTRACE

struct ktrace_tag;

// A proc's part.
struct ktrace_proc : list_node<proc, ktrace_tag> {
	atomic<core_ktrace *> p_tracenode; // set under ktrace_lock
	atomic<unsigned> p_traceflag;      // CORE_KTRFAC_*; 0: it has no trace, or is about to
};

void ktrace_init();
// All of these: RCU; the locks that ktrace_lock comes after may be held by nobody, but where it
// says so. A birth, once the child is in the map: told to the maker's trace, which the child
// has too, if that is inherited. adopted: adopt_lock is held.
void ktrfork(proc *child, proc *maker, bool adopted);
// secure: the program has given rights that its caller did not have.
void ktrexec(proc *p, task_struct *task, bool secure);
// ktrdestroy, after telling of the end; task: its last thread, null: what became of it was
// missed. Any number of times.
void ktrexit(proc *p, task_struct *task);
// The current process, p, waits for whom; null: any child.
void ktrwait(proc *p, pid *whom);
// Linux has let go of a child of p.
void ktrreap(const proc *p, proc *child);

#else

struct ktrace_proc {
};

inline void ktrace_init() {}
inline void ktrfork(proc *, proc *, bool) {}
inline void ktrexec(proc *, task_struct *, bool) {}
inline void ktrexit(proc *, task_struct *) {}
inline void ktrwait(proc *, pid *) {}
inline void ktrreap(const proc *, proc *) {}

#endif

} // namespace bsd
