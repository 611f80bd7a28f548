// SPDX-License-Identifier: BSD-2-Clause
// Peers on stacks of their own.
#ifndef VM_PEER_H
#define VM_PEER_H

#include "vm_proc.h"

#include "bsdproc.h"

namespace vm
{

inline constexpr int kPeerFlags = RFPROC | RFMEM | RFTHREAD;

// The upper end of memory for a peer's stack. It goes with the process.
inline void *peer_stack()
{
	constexpr size_t size = 16 << 10;
	void *p = mmap(nullptr, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return static_cast<char *>(p) + size;
}

inline pid_t make_peer(int (*function)(void *), void *arg = nullptr, int flags = kPeerFlags)
{
	return bsd_rfork_thread(flags, peer_stack(), function, arg);
}

// Until it is killed. Touches nothing that the caller's thread has.
inline int peer_sleeps(void *)
{
	for (;;)
		syscall(SYS_pause);
}

} // namespace vm

#endif // VM_PEER_H
