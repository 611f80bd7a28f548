// SPDX-License-Identifier: GPL-2.0-only
// Who shares an address space, and who is the last to leave it: procs made by vfork,
// posix_spawn or clone(CLONE_VM).
//
// The seed counts in the vmspace. Here that is Linux's, so sharers are a ring of procs, and
// who is alone is in none; nothing is allocated. The mm's address says only which lock
// guards the ring.
//
// Who is alone takes no lock to leave. Nobody can join it then but who is adopted: children
// are made by its own threads, of which none is left but the one that leaves. Who is adopted
// joins under the other's p_token, which exec holds; in exit the two go by p_vm and p_vmprev,
// each writing the one before it reads the other, so that not both overlook each other; and
// after its exit a proc never joins again.
#include "proc.hh"

namespace bsd
{

static constexpr unsigned vm_lock_count = 64; // a power of 2
static constinit spinlock vm_locks[vm_lock_count]{};

void vmspace_init()
{
	for (spinlock &lock : vm_locks)
		lock.init(HOST_LOCK_VMSPACE);
}

static spinlock &lock_of(const void *vm)
{
	// mm_structs are larger than a KiB.
	const auto address = reinterpret_cast<unsigned long>(vm);
	return vm_locks[(address >> 10 ^ address >> 16) % vm_lock_count];
}

// These two: under the ring's lock.
static void ring_insert(proc *p, proc *at)
{
	proc *next = at->p_vmprev.load() ? at->p_vmnext : at;
	p->p_vmnext = next;
	p->p_vmprev.store(at);
	at->p_vmnext = p;
	next->p_vmprev.exchange(p);
}

static void ring_erase(proc *p)
{
	proc *prev = p->p_vmprev.load(), *next = p->p_vmnext;
	if (prev == next) {
		// From the last store on it may go its own way.
		next->p_vmnext = nullptr;
		next->p_vmprev.store(nullptr);
	} else {
		prev->p_vmnext = next;
		next->p_vmprev.store(prev);
	}
	p->p_vmnext = nullptr;
	p->p_vmprev.store(nullptr);
}

// False: that one has left, or never had it.
static bool join(proc *p, proc *at, const void *vm)
{
	guard token(at->p_token);
	if (at->p_vm.load() != vm)
		return false;
	guard g(lock_of(vm));
	ring_insert(p, at);
	if (at->p_vm.load_ordered() != vm) {
		ring_erase(p);
		return false;
	}
	p->p_vm.store(vm);
	return true;
}

void vmspace_fork(proc *p, task_struct *task, proc *maker)
{
	const void *vm = host_task_mm(task);
	if (vm && maker->p_vm.load() == vm && join(p, maker, vm))
		return;
	p->p_vm.store(vm);
}

struct newcomer {
	proc *p;
	const void *vm;
};

static int join_if_known(task_struct *task, void *arg)
{
	const auto *n = static_cast<newcomer *>(arg);
	proc *at = proc_of(task);
	return at && join(n->p, at, n->vm);
}

void vmspace_adopt(proc *p, task_struct *task)
{
	// One joins those who were adopted before, so all who share it are one ring.
	newcomer n{p, host_task_mm(task)};
	if (n.vm && !host_mm_find(task, join_if_known, &n))
		p->p_vm.store(n.vm);
}

bool vmspace_leave(proc *p)
{
	// Perhaps long ago. Of two who come to this at once, one has it to do.
	const void *vm = p->p_vm.load() ? p->p_vm.exchange(nullptr) : nullptr;
	if (!vm)
		return false;
	if (!p->p_vmprev.load_ordered())
		return true;
	guard g(lock_of(vm));
	if (!p->p_vmprev.load())
		return true;
	ring_erase(p);
	return false;
}

void vmspace_exec(proc *p, const task_struct *task)
{
	vmspace_leave(p);
	p->p_vm.store(host_task_mm(task));
}

void vmspace_exit(proc *p)
{
	if (vmspace_leave(p))
		p->p_vmlast.store(true);
}

unsigned vmspace_sharers(proc *p)
{
	const void *vm = p->p_vm.load();
	if (!vm || !p->p_vmprev.load())
		return vm != nullptr;
	guard g(lock_of(vm));
	if (p->p_vm.load() != vm)
		return 0; // its exit has come
	unsigned count = 1;
	for (const proc *other = p->p_vmnext; other && other != p; other = other->p_vmnext)
		count++;
	return count;
}

} // namespace bsd
