// SPDX-License-Identifier: BSD-2-Clause
// A thread that calls the device, and between the calls changes the world around it.
#pragma once

#include <ctime>

#include "judge.hh"

namespace fuzz
{

// The descriptors that all calls go through, and the signals that interrupt them.
inline constexpr int kFirstSlot = 100, kSlots = 4;
inline constexpr int kInterrupt = SIGUSR1, kRestart = SIGUSR2;

// One for each process, before its threads.
void open_slots(Random &random);
void handle_signals();

class Caller
{
public:
	// `depth`: how many callers are among its ancestors; the deeper, the less it makes.
	Caller(Random random, Self &self, Shifting &shifting, int depth);
	~Caller();
	Caller(const Caller &) = delete;
	Caller &operator=(const Caller &) = delete;

	void run(unsigned calls);
	// What extexit says that this thread must do; and does it.
	[[noreturn]] void end_by_extexit();

private:
	void call();
	void interrupt_from_now_on(bool on);
	void release_signals(const Call &call, int error);
	void follow_wait(pid_t pid, uint32_t what, bool claimed);
	void follow_note(int fd, pid_t ident);
	void follow_hold(int fd);
	void follow_trace(int fd);
	void follow_acct(int fd);
	void misuse(int fd, size_t record);
	void read_amiss(int fd, size_t record);
	void act();
	void move_descriptor();
	void misuse_slot();

	// spawn.cc; misuse and what it uses are in files.cc
	void spawn();
	int be_caller(unsigned calls);

	Random random_;
	Self &self_;
	Shifting &shifting_;
	Memory memory_;
	Me me_;
	int depth_;
	timer_t timer_;
	// extexit's store, made when the thread can no longer be asked.
	static int mark_;
};

} // namespace fuzz
