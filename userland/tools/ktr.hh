// SPDX-License-Identifier: BSD-2-Clause
// Traces: their events as text, and the file that holds them.
#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include <bsdproc_ioctl.h>

namespace bsdproc
{

// A file begins with this; records follow as the module gave them.
struct KtrHeader {
	std::array<char, 8> magic{'b', 's', 'd', 'k', 't', 'r', '1', '\n'};
	uint32_t record_size = sizeof(bsdproc_ktr);
	uint32_t byte_order = 0x01020304;

	bool operator==(const KtrHeader &) const = default;
};

// The letters of -t and what they stand for, for help texts.
extern const char *const ktr_letters;

// BSDPROC_KTRFAC_* for letters of f, e, x, s, w; nothing if there is another one, or none.
std::optional<uint32_t> ktr_points(const std::string &letters);

// The bit of BSDPROC_KTRFAC_* that an event is told by; 0: whatever was asked for.
uint32_t ktr_point(uint32_t type);

// "FORK"; or "9?".
std::string ktr_name(uint32_t type);

// "default", "ignored", "caught", "pending"; or "9?".
std::string ktr_action_name(uint32_t action);

// What the event is about: "child 12", "exit 3", "TERM from 7", ...
std::string ktr_text(const bsdproc_ktr &record);

// A file of records. All throw Failure.
class KtrReader
{
public:
	explicit KtrReader(const std::string &path);
	// The next record, or the file's end.
	std::optional<bsdproc_ktr> next();

private:
	std::string path_;
	std::ifstream file_;
};

} // namespace bsdproc
