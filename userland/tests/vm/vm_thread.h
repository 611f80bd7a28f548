// SPDX-License-Identifier: BSD-2-Clause
// A thread whose stack, TLS and rseq area are one mapping, which whoever learns of its end
// may unmap at once: what libthread_xu does on seeing extexit's store.
#ifndef VM_THREAD_H
#define VM_THREAD_H

#include "vm_proc.h"

#include <sys/uio.h>

namespace vm
{

class BareThread
{
public:
	using Body = void (*)(BareThread &);

	// `body` must not return, nor use what glibc keeps of its own threads alone.
	void start(Body body, void *arg)
	{
		start(body, arg,
		      CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM);
	}

	// A process of its own, in our memory, that tells us its end by SIGCHLD.
	pid_t start_process(Body body, void *arg) { return start(body, arg, SIGCHLD); }

	// Only after the thread's end is known.
	void unmap()
	{
		if (munmap(area_, kSize) != 0)
			die("munmap");
	}

	std::atomic<int> *word_in_stack() const
	{
		return reinterpret_cast<std::atomic<int> *>(area_ + 64);
	}

	void *arg = nullptr;

private:
	pid_t start(Body body, void *arg, int flags)
	{
		void *p = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		if (p == MAP_FAILED)
			die("mmap");
		area_ = static_cast<char *>(p);
		body_ = body;
		this->arg = arg;
		uintptr_t tls = copy_tls();
		pid_t id = clone(enter, area_ + kStack, flags | CLONE_VM | CLONE_SETTLS, this,
				 nullptr, tls, nullptr);
		if (id < 0)
			die("clone");
		return id;
	}

	static constexpr size_t kStack = 64 << 10, kTls = 32 << 10, kSize = kStack + kTls + 4096;
	static constexpr size_t kRseq = kStack + kTls;

	// errno and the stack protector's canary live there. The block's limits are glibc's
	// secret, so what can be read around our own is copied.
	uintptr_t copy_tls()
	{
		uintptr_t self, to = reinterpret_cast<uintptr_t>(area_ + kStack + kTls / 2);
		__asm__("mov %%fs:0, %0" : "=r"(self));
		for (size_t at = 0; at < kTls / 2; at += 64) {
			copy(to + at, self + at);
			copy(to - at - 64, self - at - 64);
		}
		memcpy(reinterpret_cast<void *>(to), &to, sizeof(to));
		memcpy(reinterpret_cast<void *>(to + 16), &to, sizeof(to));
		return to;
	}

	static void copy(uintptr_t to, uintptr_t from)
	{
		struct iovec local = {reinterpret_cast<void *>(to), 64};
		struct iovec remote = {reinterpret_cast<void *>(from), 64};
		process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	}

	static int enter(void *p)
	{
		auto *self = static_cast<BareThread *>(p);
		syscall(SYS_rseq, self->area_ + kRseq, 32, 0, 0x53053053);
		self->body_(*self);
		_exit(95);
	}

	char *area_ = nullptr;
	Body body_ = nullptr;
};

} // namespace vm

#endif // VM_THREAD_H
