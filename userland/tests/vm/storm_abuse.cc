// SPDX-License-Identifier: BSD-2-Clause
// Programs that use the device against its rules: verdicts that nobody follows, claims that
// nobody reaps, stores that are armed and forgotten, requests made of noise. They must end as
// Linux says all the same, and leave the model right.
#include "storm.h"
#include "vm_device.h"

#include <random>
#include <thread>

using namespace storm;

namespace
{

std::string target;

using Random = std::minstd_rand;

int ask_for_end(const Device &dev, Random &random, int *mark)
{
	struct bsdproc_extexit e = {};
	e.how = (random() & 1 ? BSDPROC_EXTEXIT_LWP : BSDPROC_EXTEXIT_PROC) |
		(random() & 1 ? BSDPROC_EXTEXIT_SETINT : BSDPROC_EXTEXIT_SIMPLE);
	e.status = 77;
	e.addr = reinterpret_cast<uint64_t>(mark);
	return dev(BSDPROC_EXTEXIT, &e);
}

void claim_some(const Device &dev, Random &random)
{
	struct bsdproc_wait w = {};
	w.options = BSDPROC_WNOHANG | (random() & 1 ? BSDPROC_WLINUXCLONE : 0);
	w.idtype = random() % 3;
	w.id = random() & 1 ? 0 : random() % 2000;
	dev(BSDPROC_WAIT, &w);
	if (random() & 1)
		dev(BSDPROC_REAPED, nullptr);
}

// Never a wait that could sleep: numbers are noise, and so are their arguments.
void noise(const Device &dev, Random &random)
{
	alignas(8) unsigned char buf[512];
	for (auto &byte : buf)
		byte = static_cast<unsigned char>(random() % 3 ? 0 : random());
	unsigned nr = random() % 32, size = random() % 300;
	if (nr == _IOC_NR(BSDPROC_WAIT))
		reinterpret_cast<struct bsdproc_wait *>(buf)->options |= BSDPROC_WNOHANG;
	if (nr == _IOC_NR(BSDPROC_EXTEXIT)) // its store would go anywhere
		reinterpret_cast<struct bsdproc_extexit *>(buf)->addr = 0;
	// What comes back goes to pointers in buf: to such as cannot be ours.
	if (nr == _IOC_NR(BSDPROC_WAIT)) {
		reinterpret_cast<struct bsdproc_wait *>(buf)->status &= 0xfff;
		reinterpret_cast<struct bsdproc_wait *>(buf)->rusage &= 0xfff;
	}
	if (nr == _IOC_NR(BSDPROC_LIST))
		reinterpret_cast<struct bsdproc_list *>(buf)->pids &= 0xfff;
	if (nr == _IOC_NR(BSDPROC_GETPROC))
		reinterpret_cast<struct bsdproc_getproc *>(buf)->lwps &= 0xfff;
	dev(_IOC(_IOC_READ | _IOC_WRITE, BSDPROC_IOC_MAGIC, nr, size), buf);
}

void misbehave(const Device &dev, unsigned seed, int *mark)
{
	Random random(seed);
	for (int i = 0; i < 20; i++) {
		switch (random() % 5) {
		case 0:
			ask_for_end(dev, random, mark);
			break;
		case 1:
			spawn([] { return 0; });
			break;
		case 2:
			spawn_flags(0, [] { return 0; });
			break;
		case 3:
			claim_some(dev, random);
			break;
		default:
			noise(dev, random);
		}
	}
}

int abuse(unsigned n)
{
	int code = static_cast<int>(n & 0x7f);
	int mark = 0;
	Device dev;
	// The one that execs comes last: Linux makes no threads meanwhile, but says EAGAIN.
	for (unsigned t : {0u, 2u, 1u})
		std::thread([&, t] {
			misbehave(dev, n * 4 + t, &mark);
			if (t == 0)
				exit_thread_raw(0);
			if (t == 1 && n % 3 == 0)
				execl(target.c_str(), "exec_target", "exit",
				      std::to_string(code).c_str(), nullptr);
			for (;;)
				pause();
		}).detach();
	misbehave(dev, n * 4 + 3, &mark);
	if (n % 3 == 0)
		for (;;)
			pause();
	return code;
}

} // namespace

int main(int argc, char **argv)
{
	Options options = parse(argc, argv);
	target = sibling("exec_target");
	return run(options, [&](int n) {
		pid_t pid = spawn([&] { return abuse(static_cast<unsigned>(n)); });
		expect_end(options, pid, (n & 0x7f) << 8);
		// What it left behind is ours to clear, by either kind of wait.
		int status = -1;
		while (collect(options, -1, &status) > 0)
			expect(status == 0, "an orphan ended with %#x",
			       static_cast<unsigned>(status));
		expect(errno == ECHILD, "the wait for orphans ended otherwise");
	});
}
