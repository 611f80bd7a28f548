// SPDX-License-Identifier: BSD-2-Clause
#include "ktr.hh"

#include <cerrno>
#include <csignal>
#include <cstring>

#include "model.hh"
#include "status.hh"

namespace bsdproc
{

namespace
{

struct Event {
	uint32_t type;
	uint32_t point;
	const char *name;
};

constexpr Event events[] = {
	{BSDPROC_KTR_PSIG, BSDPROC_KTRFAC_SIG, "PSIG"},
	{BSDPROC_KTR_FORK, BSDPROC_KTRFAC_FORK, "FORK"},
	{BSDPROC_KTR_EXEC, BSDPROC_KTRFAC_EXEC, "EXEC"},
	{BSDPROC_KTR_EXIT, BSDPROC_KTRFAC_EXIT, "EXIT"},
	{BSDPROC_KTR_SIG, BSDPROC_KTRFAC_SIG, "SIG"},
	{BSDPROC_KTR_WAIT, BSDPROC_KTRFAC_WAIT, "WAIT"},
	{BSDPROC_KTR_REAP, BSDPROC_KTRFAC_WAIT, "REAP"},
	{BSDPROC_KTR_STOP, 0, "STOP"},
};

const Event *find(uint32_t type)
{
	for (const Event &event : events)
		if (event.type == type)
			return &event;
	return nullptr;
}

uint32_t point_of(char letter)
{
	switch (letter) {
	case 'f':
		return BSDPROC_KTRFAC_FORK;
	case 'e':
		return BSDPROC_KTRFAC_EXEC;
	case 'x':
		return BSDPROC_KTRFAC_EXIT;
	case 's':
		return BSDPROC_KTRFAC_SIG;
	case 'w':
		return BSDPROC_KTRFAC_WAIT;
	default:
		return 0;
	}
}

std::string sent(const bsdproc_ktr &r)
{
	std::string text = signal_name(r.signo);
	if (r.signo == SIGCHLD && r.code > 0)
		text += " for " + std::to_string(r.other);
	else if (r.other)
		text += " from " + std::to_string(r.other);
	else if (r.code > 0)
		text += " from the kernel";
	if (r.action == BSDPROC_KTR_IGNORED)
		text += ", ignored";
	else if (r.action == BSDPROC_KTR_PENDING)
		text += ", pending already";
	return text;
}

} // namespace

const char *const ktr_letters = "f fork, e exec, x exit, s signals, w waits";

std::optional<uint32_t> ktr_points(const std::string &letters)
{
	uint32_t points = 0;

	for (char letter : letters) {
		const uint32_t point = point_of(letter);
		if (!point)
			return {};
		points |= point;
	}
	return points ? std::optional(points) : std::nullopt;
}

uint32_t ktr_point(uint32_t type)
{
	const Event *event = find(type);
	return event ? event->point : 0;
}

std::string ktr_name(uint32_t type)
{
	const Event *event = find(type);
	return event ? event->name : std::to_string(type) + "?";
}

std::string ktr_action_name(uint32_t action)
{
	switch (action) {
	case BSDPROC_KTR_DEFAULT:
		return "default";
	case BSDPROC_KTR_IGNORED:
		return "ignored";
	case BSDPROC_KTR_CAUGHT:
		return "caught";
	case BSDPROC_KTR_PENDING:
		return "pending";
	default:
		return std::to_string(action) + "?";
	}
}

std::string ktr_text(const bsdproc_ktr &r)
{
	switch (r.type) {
	case BSDPROC_KTR_FORK:
		return "child " + std::to_string(r.other);
	case BSDPROC_KTR_EXIT:
		return wait_status_text(r.xstat);
	case BSDPROC_KTR_SIG:
		return sent(r);
	case BSDPROC_KTR_PSIG:
		return signal_name(r.signo) + " " + ktr_action_name(r.action);
	case BSDPROC_KTR_WAIT:
		return r.other ? "for " + std::to_string(r.other) : "for any child";
	case BSDPROC_KTR_REAP:
		return "child " + std::to_string(r.other) + ", " + wait_status_text(r.xstat);
	case BSDPROC_KTR_STOP:
		return "traced no more: a program with more rights than its tracer's, or no memory";
	default:
		return "";
	}
}

KtrReader::KtrReader(const std::string &path) : path_(path), file_(path, std::ios::binary)
{
	KtrHeader header;

	if (!file_)
		throw Failure("cannot open " + path_ + ": " + strerror(errno));
	if (!file_.read(reinterpret_cast<char *>(&header), sizeof(header)) || header != KtrHeader{})
		throw Failure(path_ + " is not a trace of bsdktrace, or of another machine");
}

std::optional<bsdproc_ktr> KtrReader::next()
{
	bsdproc_ktr record;

	if (file_.read(reinterpret_cast<char *>(&record), sizeof(record)))
		return record;
	if (file_.bad() || file_.gcount())
		throw Failure(path_ + ": ends in a part of a record");
	return {};
}

} // namespace bsdproc
