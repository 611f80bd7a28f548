# shellcheck shell=bash disable=SC2154 # tests, tmp, scale ... are check-vm's
# SPDX-License-Identifier: BSD-2-Clause
#
# The part of check-vm that is about load: storms one by one, as a background for something
# else, with few numbers to give away, and stress-ng's. Sourced by check-vm.

# How many rounds each storm runs at a scale of 100.
declare -A storm_rounds=(
	[storm_fork]=60 [storm_threads]=60 [storm_exec]=60 [storm_tree]=60 [storm_abuse]=60
	[storm_vfork]=18 [storm_clone]=30 [storm_pidns]=3 [storm_ptrace]=28 [storm_kill]=12
	[storm_oom]=6 [storm_all]=4
)
# Those that know nothing of the module, so that it can come and go under them.
usual_load='storm_fork storm_threads storm_exec storm_tree'
rare_load='storm_vfork storm_clone storm_pidns storm_ptrace storm_kill storm_oom'

# storm NAME ARGUMENT...
storm() {
	local name=$1
	shift
	step "$name $*" in_time "$tests/$name" "$@"
}

storm_part() { # storm_part NAME
	local rounds=$((storm_rounds[$1] * scale / 100 + 1)) started=$SECONDS
	storm "$1" --procs 4 --rounds $rounds
	storm "$1" --procs 4 --rounds $rounds --bsd
	echo "# $1: $((SECONDS - started)) s"
	model_is_right "$1"
}

# Background load: storms that go on until end_load. Their verdicts are tests as well.
load_pids=() load_names=()
start_load() { # start_load 'NAME...' [--bsd]
	local name names=$1
	shift
	load_pids=() load_names=()
	for name in $names; do
		setsid "$tests/$name" --procs 1 --rounds 1000000 "$@" >"$tmp/load.$name" 2>&1 &
		load_pids+=($!) load_names+=("$name")
	done
}

end_load() { # end_load WHEN
	local i status
	kill -TERM "${load_pids[@]}"
	for i in "${!load_pids[@]}"; do
		ends_in_time "${load_pids[i]}" >>"$tmp/load.${load_names[i]}" 2>&1
		status=$?
		if [ $status -eq 0 ] && [ ! -s "$tmp/load.${load_names[i]}" ]; then
			ok "${load_names[i]} $1"
		else
			not_ok "${load_names[i]} $1 (status $status)"
			show "$tmp/load.${load_names[i]}"
		fi
	done
}

beside_part() {
	start_load "$usual_load" --bsd
	export BSDPROC_TEST_SCALE=$((scale / 5 + 1))
	gtest test_extexit_race ' (beside storms)'
	gtest test_wait_once ' (beside storms)'
	gtest test_wait_claim ' (beside storms)'
	model_is_right 'tests beside storms'
	end_load 'beside tests'
	export BSDPROC_TEST_SCALE=$scale
	model_is_right 'those storms'
}

# Users of the module hold it: rmmod must say so, every time, and harm nobody.
busy_part() {
	local i refused=0
	start_load "$usual_load" --bsd
	"$tests/storm_fork" --bsd --rounds 1 >/dev/null 2>&1
	exec 8<>/dev/bsdproc
	for ((i = 0; i < 50; i++)); do
		unload 2>/dev/null || refused=$((refused + 1))
	done
	model_is_right 'rmmod was refused, under load'
	exec 8>&-
	step "rmmod is refused while the module is in use ($refused of 50)" [ $refused -eq 50 ]
	end_load 'by BSD calls, while rmmod was refused'
}

# come_and_go UNDER_WHAT CONDITION...: loads and unloads the module, which is not loaded,
# while `CONDITION i` succeeds for i = 1, 2 ...; leaves it loaded.
come_and_go() {
	local i wrong=0 under=$1 log=$tmp/cycles.log
	shift
	: >"$log"
	for ((i = 1; wrong == 0; i++)); do
		"$@" $i || break
		load 2>>"$log" || wrong=$((wrong + 1))
		# Some cycles are as short as can be, some are looked at.
		if ((i % 10 == 0)); then
			model_is_right "loading under $under, cycle $i"
		fi
		unload 2>>"$log" || wrong=$((wrong + 1))
	done
	if [ $wrong -eq 0 ] && [ $i -gt 1 ]; then
		ok "$((i - 1)) times loaded and unloaded under $under"
	else
		not_ok "loaded and unloaded under $under ($wrong refused, $((i - 1)) times tried)"
		show "$log"
	fi
	step "nothing is left of it, after $under" nothing_left_behind
	load
	model_is_right "loading under $under"
}

up_to() { # up_to LAST I
	[ "$2" -le "$1" ]
}

# The module comes and goes under processes that know nothing of it.
cycles_part() {
	! loaded || unload
	start_load "$usual_load"
	come_and_go 'load' up_to "$cycles"
	end_load 'while the module came and went'
	model_is_right 'the load'
	unload
	start_load "$rare_load"
	come_and_go 'rarer load' up_to $(((cycles + 4) / 5))
	end_load 'while the module came and went'
	model_is_right 'the rarer load'
}

forks_so_far() {
	sed -n 's/^processes //p' /proc/stat
}

# Numbers come round again at once, while waits go by number.
pidreuse_part() {
	local name before numbers=260 started=$SECONDS
	before=$(forks_so_far)
	# Below 300 Linux gives a number to nobody who comes after the first round.
	echo $((300 + numbers)) >/proc/sys/kernel/pid_max
	for name in storm_fork storm_threads storm_exec; do
		storm "$name" --procs 4 --rounds $((60 * scale / 100 + 1)) --bsd
	done
	echo "$pid_max" >/proc/sys/kernel/pid_max
	local rounds=$((($(forks_so_far) - before) / numbers))
	step "pids came round $rounds times" [ $rounds -gt 0 ]
	echo "# pidreuse: $((SECONDS - started)) s"
	model_is_right 'pids came round'
}

# A load that nobody here wrote: stress-ng's stressors of processes. Their most is bounded,
# for emulated CPUs are slow, and stress-ng ends a round that it has begun.
stressors=(
	--fork 1 --vfork 1 --clone 1 --clone-max 64 --exec 1 --exec-max 8 --exit-group 1 --kill 1
	--zombie 1 --zombie-max 64 --wait 1 --waitcpu 1 --pthread 1 --pthread-max 32 --daemon 1
	--session 1 --procfs 1 --ptrace 1 --pidfd 1 --sigchld 1
)
stress_ng=(stress-ng --quiet --temp-path "$tmp")

stress_part() {
	local pid seconds=$((15 * scale / 100 + 5)) started=$SECONDS
	step "stress-ng, $seconds s" in_time "${stress_ng[@]}" --timeout "$seconds" "${stressors[@]}"
	model_is_right 'stress-ng'
	unload
	setsid "${stress_ng[@]}" --timeout "$limit" "${stressors[@]}" >"$tmp/stress.log" 2>&1 &
	pid=$!
	# Each unloading waits for every task to leave the CPU once, which takes seconds here.
	come_and_go stress-ng up_to $((cycles / 10 + 1))
	kill -TERM $pid
	step 'stress-ng while the module came and went' ends_in_time $pid
	show "$tmp/stress.log"
	model_is_right 'stress-ng with the module coming and going'
	echo "# stress: $((SECONDS - started)) s"
}
