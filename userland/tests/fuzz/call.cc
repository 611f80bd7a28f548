// SPDX-License-Identifier: BSD-2-Clause
#include "call.hh"

#include "strings.hh"

#include <sys/resource.h>

#include <climits>
#include <csignal>
#include <cstring>
#include <numeric>

namespace fuzz
{

namespace
{

uint32_t garbage(Random &random)
{
	return static_cast<uint32_t>(random.pick<uint64_t>(
		{1, 1u << random.below(32), UINT_MAX, INT_MAX, 0x80000000, random.next()}));
}

// Mostly what it should be.
uint32_t mostly(Random &random, uint32_t good)
{
	return random.one_in(24) ? garbage(random) : good;
}

// A place for an answer. Null is one that is not asked for, with some requests.
struct Targets {
	uint64_t operator()(size_t size)
	{
		return random.one_in(4) ? 0 : memory.pick(random, size, home);
	}

	Random &random;
	const Memory &memory;
	Home home;
};

uint32_t room(Random &random)
{
	return random.pick<uint32_t>(
		{0, 1, 2, 3, 8, 64, 1000, 1u << 20, UINT_MAX, garbage(random)});
}

// A string, mostly one of those; or an address for one.
template <size_t N>
uint64_t string(Random &random, Targets target, const std::array<std::string_view, N> &from)
{
	if (random.one_in(8))
		return target(64);
	return reinterpret_cast<uintptr_t>(from[random.below(N)].data());
}

// Our own descriptor, or none of its kind.
int descriptor(Random &random, const std::atomic<int> &own)
{
	return random.one_in(8) ? random.pick({-1, 0, 1, 2, 1 << 20, INT_MIN}) : own.load();
}

uint32_t wait_options(Random &random)
{
	const uint32_t kinds =
		BSDPROC_WEXITED | BSDPROC_WUNTRACED | BSDPROC_WCONTINUED | BSDPROC_WTRAPPED;
	const uint32_t which =
		random.one_in(2) ? 0u : static_cast<uint32_t>(random.below(64)) & kinds;
	return which | (random.one_in(40) ? 0u : BSDPROC_WNOHANG) |
	       random.pick({0u, 0u, 0u, BSDPROC_WLINUXCLONE, BSDPROC_WALL}) |
	       (random.one_in(4) ? BSDPROC_WNOWAIT : 0u);
}

void fill(Random &random, Targets target, const Self &self, int request, Argument *a)
{
	switch (request) {
	case kVersion:
		a->version = {garbage(random), mostly(random, 0)};
		break;
	case kGettid:
		a->gettid = {static_cast<int>(garbage(random)), mostly(random, 0)};
		break;
	case kExtexit:
		a->extexit = {
			.how = static_cast<int>(
				mostly(random, random.below(2) << 16 | random.below(2))),
			.status = static_cast<int>(garbage(random)),
			.addr = target(sizeof(int)),
			.verdict = garbage(random),
			.reserved = mostly(random, 0),
		};
		break;
	case kWait:
		a->wait = {
			.idtype = mostly(random,
					 random.pick({BSDPROC_P_ALL, BSDPROC_P_ALL, BSDPROC_P_PID,
						      BSDPROC_P_PGID, BSDPROC_P_SID, BSDPROC_P_UID,
						      BSDPROC_P_GID})),
			.options = mostly(random, wait_options(random)),
			.id = static_cast<uint64_t>(self.any_id(random)),
			.status = target(sizeof(int)),
			.rusage = target(sizeof(struct rusage)),
			.pid = static_cast<int>(garbage(random)),
			.xstat = static_cast<int>(garbage(random)),
			.uid = garbage(random),
			.flags = mostly(random,
					random.pick({0u, 0u, BSDPROC_WAIT_SIGNALS,
						     BSDPROC_WAIT_SIGNALS | BSDPROC_WAIT_HELD})),
			.wrusage = target(2 * sizeof(struct rusage)),
			.info = target(sizeof(siginfo_t)),
			.what = garbage(random),
			.reserved = mostly(random, 0),
			// Of none that is to interrupt it.
			.sigmask = uint64_t(garbage(random)) << 33,
		};
		break;
	case kList:
		a->list = {
			.pids = target(512),
			.room = room(random),
			.count = garbage(random),
		};
		break;
	case kGetproc:
		memset(&a->getproc, kPoison, sizeof(a->getproc));
		a->getproc.pid = static_cast<int>(self.any_id(random));
		a->getproc.room = room(random);
		a->getproc.lwps = target(4 * sizeof(struct bsdproc_klwp));
		break;
	case kTracekill:
		a->tracekill = {mostly(random, static_cast<uint32_t>(random.below(2))),
				mostly(random, 0)};
		break;
	case kGetpgrp:
		memset(&a->getpgrp, kPoison, sizeof(a->getpgrp));
		a->getpgrp.pgid = static_cast<int>(self.any_id(random));
		a->getpgrp.reserved = mostly(random, 0);
		break;
	case kGetsession:
		memset(&a->getsession, kPoison, sizeof(a->getsession));
		a->getsession.sid = static_cast<int>(self.any_id(random));
		break;
	case kGetuser:
		memset(&a->getuser, kPoison, sizeof(a->getuser));
		a->getuser.uid = random.one_in(2) ? UINT_MAX : garbage(random) % 70000;
		a->getuser.reserved = mostly(random, 0);
		break;
	case kReaper:
		a->reaper = {
			.flags = garbage(random),
			.refs = garbage(random),
			.pid_head = static_cast<int>(garbage(random)),
			.reserved = mostly(random, 0),
		};
		break;
	case kKnote:
		a->knote = {
			.pid = static_cast<int>(self.any_id(random)),
			.fflags = mostly(random, BSDPROC_NOTE_EXIT),
			.reserved = mostly(random, 0),
		};
		break;
	case kJoin:
		// Whoever says another parent's number dies of it.
		a->join = {
			.parent =
				random.one_in(200) ? static_cast<int>(garbage(random)) : getppid(),
			.reserved = mostly(random, 0),
		};
		break;
	case kHold:
		a->hold = {.reserved = mostly(random, 0)};
		break;
	case kStops:
		// Never ourselves or an elder: children have our descriptors, and would
		// hold us for ever.
		a->stops = {
			.fd = descriptor(random, self.hold),
			.pid = random.one_in(16) ? random.pick({INT_MAX, INT_MIN, -1})
						 : self.child(random) ?: INT_MAX,
			.events = mostly(random, random.pick<uint32_t>(
							 {0, BSDPROC_S_EXIT, BSDPROC_S_FORK,
							  BSDPROC_S_EXIT | BSDPROC_S_FORK})),
			.reserved = mostly(random, 0),
		};
		break;
	case kCont:
		a->cont = {
			.fd = descriptor(random, self.hold),
			.pid = static_cast<int>(self.any_id(random)),
		};
		break;
	case kVarsymSet:
		a->varsym_set = {
			.level = mostly(random, 1 + static_cast<uint32_t>(random.below(3))),
			.reserved = mostly(random, 0),
			.name = string(random, target, kNames),
			.data = random.one_in(4) ? 0 : string(random, target, kValues),
		};
		break;
	case kVarsymGet:
		a->varsym_get = {
			.mask = mostly(random, static_cast<uint32_t>(random.below(8)) << 1),
			.room = random.pick<uint32_t>({0, 1, 2, 3, 255, 256, 257, UINT_MAX}),
			.name = string(random, target, kNames),
			.data = target(BSDPROC_MAXVARSYM_DATA),
			.length = garbage(random),
			.reserved = mostly(random, 0),
		};
		break;
	case kVarsymList:
		a->varsym_list = {
			.level = mostly(random, 1 + static_cast<uint32_t>(random.below(3))),
			.room = room(random),
			.buf = target(512),
			.marker = random.one_in(4) ? static_cast<int>(garbage(random))
						   : static_cast<int>(random.below(4)),
			.length = garbage(random),
		};
		break;
	case kAcct:
		a->acct = {
			.records = mostly(random, static_cast<uint32_t>(random.below(20))),
			.reserved = mostly(random, 0),
		};
		break;
	case kKtrace:
		a->ktrace = {
			.records = mostly(random, static_cast<uint32_t>(random.below(20))),
			.reserved = mostly(random, 0),
		};
		break;
	case kKtrset:
		a->ktrset = {
			.fd = descriptor(random, self.trace),
			.pid = random.one_in(4) ? 0 : static_cast<int>(self.any_id(random)),
			.facs = mostly(random, garbage(random) & (BSDPROC_KTRFAC_ALL |
								  BSDPROC_KTRFAC_INHERIT)),
			.reserved = mostly(random, 0),
		};
		break;
	}
}

int pick_request(Random &random)
{
	// LIST and such look at every process there is, so they have their turn less often.
	static constexpr unsigned kWeight[kRequests] = {4,  16, 28, 8, 6, 3, 16, 8, 1, 2, 8, 6,
							10, 8,  5,  4, 3, 3, 3,  3, 2, 1, 6};
	const unsigned sum = std::accumulate(kWeight, kWeight + kBuilt, 0u);
	unsigned n = static_cast<unsigned>(random.below(sum));
	int request = 0;
	while (n >= kWeight[request])
		n -= kWeight[request++];
	return request;
}

size_t other_size(Random &random, size_t size)
{
	return random.pick<size_t>({0, 1, size / 2, size ? size - 1 : 0, size + 1, size + 8,
				    size + 100, _IOC_SIZEMASK, random.below(_IOC_SIZEMASK)}) &
	       _IOC_SIZEMASK;
}

// Numbers that Linux answers itself for any file have other types.
unsigned foreign_type(Random &random)
{
	return random.pick<unsigned>(
		{BSDPROC_IOC_MAGIC - 1, BSDPROC_IOC_MAGIC + 1, 0x3d, 0xdb, 0xff});
}

unsigned pick_cmd(Random &random, int request)
{
	const Request &r = kRequest[request];
	const unsigned nr = _IOC_NR(r.cmd), dir = _IOC_DIR(r.cmd);
	switch (random.below(32)) {
	case 0:
	case 1:
	case 2:
		return _IOC(dir, BSDPROC_IOC_MAGIC, nr, other_size(random, r.size()));
	case 3:
		return _IOC(random.below(4), BSDPROC_IOC_MAGIC, nr, r.size());
	case 4:
		return _IOC(random.below(4), BSDPROC_IOC_MAGIC, random.below(256),
			    random.below(_IOC_SIZEMASK));
	case 5:
		return _IOC(dir, foreign_type(random), nr, r.size());
	default:
		return r.cmd;
	}
}

} // namespace

int64_t Self::any_id(Random &random) const
{
	const int64_t mine = relative(random);
	switch (random.below(20)) {
	case 0:
		return 0;
	case 1:
		return pid;
	case 2:
		return getppid();
	case 3:
		return -mine;
	case 4:
		return random.pick<int64_t>({1, 2, -1, INT_MIN, INT_MAX, INT64_MIN, UINT_MAX});
	case 5:
		return static_cast<int64_t>(random.below(70000));
	case 6:
		return mine | 1ll << random.pick({31, 32, 48, 63});
	case 7:
		return mine + random.pick({-1, 1, 2});
	default:
		return mine;
	}
}

bool Call::may_sleep(const Memory &memory) const
{
	return request == kWait &&
	       (given < size || !known(memory) || !(in.wait.options & BSDPROC_WNOHANG));
}

Call make_call(Random &random, Memory &memory, const Self &self)
{
	const int wanted = pick_request(random);
	Call call = {};
	call.cmd = pick_cmd(random, wanted);
	call.request = find_request(call.cmd);
	call.given = _IOC_SIZE(call.cmd);
	call.size = call.request < kRequests ? kRequest[call.request].size() : call.given;
	call.at = memory.pick(random, random.one_in(2) ? call.size : call.given, Home::first);
	if (random.one_in(16))
		memory.discard_second();

	// What all threads can read sends nobody's answer into one thread's pages.
	const Home home = call.known(memory) ? Home::second : Home::shifting;
	fill(random, {random, memory, home}, self, call.request, &call.in);
	memory.put(call.at, &call.in, call.request < kRequests ? call.size : 0);
	if (call.request < kRequests && call.given > call.size) {
		static const unsigned char zeros[_IOC_SIZEMASK] = {};
		const size_t more = call.given - call.size;
		memory.put(call.at + call.size, zeros, more);
		call.tail = random.one_in(3) &&
			    memory.put(call.at + call.size + random.below(more), "x", 1);
	}
	return call;
}

} // namespace fuzz
