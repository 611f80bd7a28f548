// SPDX-License-Identifier: GPL-2.0-only
// The descriptor of a tracer.
#include "linux.hh"

using namespace sim;

int host_tracer_may(host_tracer *tracer)
{
	must_hold_no_core_lock(__func__);
	must_be_in_rcu(__func__);
	intrude();
	return tracer->may;
}

void host_tracer_wake(host_tracer *tracer)
{
	must_hold_no_core_lock(__func__);
	must_be_in_rcu(__func__);
	intrude();
	tracer->wakeups++;
}
