// SPDX-License-Identifier: BSD-2-Clause
#include "status.hh"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>

#include <bsdproc_ioctl.h>

namespace bsdproc
{

namespace
{

constexpr Flag proc_table[] = {
	{BSDPROC_P_WEXIT, 'x', "wexit", "is exiting"},
	{BSDPROC_P_TRACED, 't', "traced", "is traced"},
	{BSDPROC_P_PPWAIT, 'v', "ppwait", "its parent waits in vfork for it"},
	{BSDPROC_P_EXEC, 'e', "exec", "has called exec"},
	{BSDPROC_P_CLAIMED, 'c', "claimed", "a wait has claimed it"},
	{BSDPROC_P_ADOPTED, 'a', "adopted", "older than the module, or its birth was missed"},
	{BSDPROC_P_VMLAST, 'l', "vmlast", "was the last in its address space"},
	{BSDPROC_P_TRACEKILL, 'k', "tracekill", "whom it traces dies with it"},
	{BSDPROC_P_HIDDEN, 'h', "hidden", "its status and usage are not yours to see"},
};

constexpr Flag lwp_table[] = {
	{BSDPROC_LWP_WEXIT, 'x', "wexit", "is exiting, or has exited"},
	{BSDPROC_LWP_MAIN, 'm', "main", "its thread is the thread group's leader"},
};

constexpr Flag acct_table[] = {
	{BSDPROC_ASU, 'S', "su", "used a privilege"},
	{BSDPROC_AFORK, 'F', "fork", "never called exec"},
	{BSDPROC_ACORE, 'D', "core", "dumped core"},
	{BSDPROC_AXSIG, 'X', "signal", "was killed by a signal"},
};

std::string unknown(uint32_t number)
{
	return std::to_string(number) + "?";
}

} // namespace

std::span<const Flag> proc_flags()
{
	return proc_table;
}

std::span<const Flag> lwp_flags()
{
	return lwp_table;
}

std::span<const Flag> acct_flags()
{
	return acct_table;
}

std::vector<std::string> flag_names(std::span<const Flag> flags, uint32_t bits)
{
	std::vector<std::string> names;

	for (const Flag &flag : flags) {
		if (bits & flag.bit)
			names.push_back(flag.name);
		bits &= ~flag.bit;
	}
	for (uint32_t bit = 1; bits; bit <<= 1) {
		if (!(bits & bit))
			continue;
		char text[16];
		snprintf(text, sizeof(text), "0x%x", bit);
		names.push_back(text);
		bits &= ~bit;
	}
	return names;
}

std::string flag_letters(std::span<const Flag> flags, uint32_t bits)
{
	std::string letters;

	for (const Flag &flag : flags) {
		if (bits & flag.bit)
			letters += flag.letter;
		bits &= ~flag.bit;
	}
	if (bits)
		letters += '?';
	return letters.empty() ? "-" : letters;
}

std::string proc_stat_name(uint32_t stat)
{
	switch (stat) {
	case BSDPROC_SIDL:
		return "idl";
	case BSDPROC_SACTIVE:
		return "active";
	case BSDPROC_SSTOP:
		return "stop";
	case BSDPROC_SZOMB:
		return "zombie";
	}
	return unknown(stat);
}

std::string lwp_stat_name(uint32_t stat)
{
	switch (stat) {
	case BSDPROC_LSRUN:
		return "run";
	case BSDPROC_LSSTOP:
		return "stop";
	case BSDPROC_LSSLEEP:
		return "sleep";
	case BSDPROC_LSZOMB:
		return "zombie";
	}
	return unknown(stat);
}

char lwp_stat_letter(uint32_t stat)
{
	switch (stat) {
	case BSDPROC_LSRUN:
		return 'R';
	case BSDPROC_LSSTOP:
		return 'T';
	case BSDPROC_LSSLEEP:
		return 'S';
	case BSDPROC_LSZOMB:
		return 'Z';
	}
	return '?';
}

std::string signal_name(int number)
{
	if (const char *name = sigabbrev_np(number))
		return name;
	if (number >= SIGRTMIN && number <= SIGRTMAX)
		return number == SIGRTMIN ? "RTMIN" : "RTMIN+" + std::to_string(number - SIGRTMIN);
	return std::to_string(number);
}

std::string wait_status_text(int status)
{
	int number = status & 0x7f;

	if (number == 0)
		return "exit " + std::to_string((status >> 8) & 0xff);
	return "signal " + std::to_string(number) + " (" + signal_name(number) + ")" +
	       (status & 0x80 ? ", core" : "");
}

} // namespace bsdproc
