// SPDX-License-Identifier: GPL-2.0-only
#include "life.hh"

namespace sim
{

life::life(world &world) : world_{world}, linux_{world.linux_}, init_{linux_.init()}
{
	births();
	exec();
	threads_end();
	wait_for_one();
	orphans();
}

bool life::quiet() const
{
	for (const task_struct *leader : linux_.leaders())
		for (const task_struct *task : leader->signal->threads)
			if ((task->stage != stage::running && task->stage != stage::notified) ||
			    task->exit_state == exit_state::dead || task->signal->in_exec)
				return false;
	return true;
}

void life::add_fork(who child, who maker, const clone_args &args)
{
	add([=, this] { this->*child = linux_.copy_process(this->*maker, args); });
	add([=, this] { linux_.newtask(this->*child); });
}

void life::add_exit(who task, int code)
{
	add([=, this] { linux_.exit_begin(this->*task, code); });
	add([=, this] { linux_.exit_event(this->*task); });
	// An unload may have had it come through before.
	add([=, this] { linux_.exit_until(this->*task, stage::worked); });
	add([=, this] { linux_.exit_notify(this->*task); });
}

void life::add_free(who task)
{
	add([] { grace_period(); });
	add([=, this] { linux_.free(this->*task); });
}

// A shell with two threads; its job, with three, is the second's child and has a
// brother by CLONE_PARENT and a child.
void life::births()
{
	add_fork(&life::shell_, &life::init_);
	add_fork(&life::second_, &life::shell_, {.thread = true});
	add_fork(&life::job_, &life::second_);
	add_fork(&life::clone_, &life::shell_, {.exit_signal = 0, .vm = true});
	add_fork(&life::sibling_, &life::job_, {.parent = true});
	add_fork(&life::loader_, &life::job_, {.thread = true});
	add_fork(&life::helper_, &life::job_, {.thread = true});
	add_fork(&life::leaf_, &life::loader_, {.vm = true});
}

// By a thread that is not the leader: the job is the loader's from here on.
void life::exec()
{
	add_exit(&life::helper_, 0);
	add_exit(&life::job_, 0);
	add([this] { linux_.de_thread(loader_); });
	add([this] { linux_.exec_event(loader_); });
	add_free(&life::job_);
	add_free(&life::helper_);
	add([this] { linux_.de_thread(clone_); });
	add([this] { linux_.exec_event(clone_); });
}

// The shell's second thread ends by extexit, with children.
void life::threads_end()
{
	add([this] {
		if (world_.ready)
			extexit(second_, CORE_WHO_LWP, setint_make(&stored, 42));
	});
	add_exit(&life::second_, 0);
	add_free(&life::second_);
}

void life::wait_for_one()
{
	add([this] {
		if (world_.ready)
			wait_nohang(shell_, {CORE_P_PGID, shell_->signal->pgid});
	});
	add_exit(&life::sibling_, 3 << 8);
	add([this] {
		if (!world_.ready)
			return;
		const waited w = wait_nohang(shell_);
		EXPECT_TRUE(w.error == 12 || w.pid == sibling_->thread_pid->nr) << w;
	});
	add([this] { linux_.reap_begin(shell_, sibling_); });
	add([this] { linux_.reap_end(sibling_); });
	add([this] {
		if (world_.ready)
			wait_end(shell_);
	});
	add_free(&life::sibling_);
}

// Parents before children, each child init's in the end.
void life::orphans()
{
	add_exit(&life::clone_, 5 << 8);
	add([this] {
		if (world_.ready)
			extexit(shell_, CORE_WHO_PROC, setint_make(&stored, 43));
	});
	add_exit(&life::shell_, 4 << 8);
	add([this] {
		if (!world_.ready)
			return;
		const waited w = wait_nohang(init_, {CORE_P_PID, shell_->signal->tgid});
		EXPECT_TRUE(w.error == 12 || w.xstat == 4 << 8) << w;
	});
	add([this] { linux_.reap(init_, shell_); });
	add([this] {
		if (world_.ready)
			wait_nohang(init_, {CORE_P_PID, clone_->signal->tgid});
	});
	add([this] { linux_.reap(init_, clone_); });
	add_free(&life::shell_);
	add_free(&life::clone_);
	add_exit(&life::loader_, 6 << 8);
	add([this] { linux_.reap(init_, loader_); });
	add_exit(&life::leaf_, 11);
	add_free(&life::loader_);
	add([this] {
		if (world_.ready)
			wait_nohang(init_);
	});
	add([this] { linux_.reap(init_, leaf_); });
	add_free(&life::leaf_);
}

} // namespace sim
