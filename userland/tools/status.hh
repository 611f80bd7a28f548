// SPDX-License-Identifier: BSD-2-Clause
// Names for the numbers of the ABI.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bsdproc
{

struct Flag {
	uint32_t bit;
	char letter;
	const char *name;
	const char *meaning;
};

std::span<const Flag> proc_flags(); // BSDPROC_P_*
std::span<const Flag> lwp_flags();  // BSDPROC_LWP_*
std::span<const Flag> acct_flags(); // BSDPROC_A*, with the letters of lastcomm

// The names of the bits that are set; one without a name is a number, "0x40".
std::vector<std::string> flag_names(std::span<const Flag> flags, uint32_t bits);

// Their letters; "-" for none, and a '?' at the end for bits without a name.
std::string flag_letters(std::span<const Flag> flags, uint32_t bits);

// "idl", "active", "stop", "zombie"; "run", "stop", "sleep", "zombie"; or "9?".
std::string proc_stat_name(uint32_t stat); // BSDPROC_S*
std::string lwp_stat_name(uint32_t stat);  // BSDPROC_LS*
char lwp_stat_letter(uint32_t stat);       // R, T, S, Z, ?

// "exit 3", "signal 9 (KILL)", "signal 6 (ABRT), core".
std::string wait_status_text(int status);

// "KILL" for 9, "RTMIN+2", or the number.
std::string signal_name(int number);

} // namespace bsdproc
