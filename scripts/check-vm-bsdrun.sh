# shellcheck shell=bash disable=SC2154 # tests, tmp, scale ... are check-vm's
# SPDX-License-Identifier: BSD-2-Clause
#
# The part of check-vm that is about bsdrun: programs that do not know of the module are run
# natively and by bsdrun, and must not differ. Sourced by check-vm.

bsdrun_programs=$top/userland/tests/bsdrun

# counts_are_good FILE LEAST: what `bsdrun -v` said at the end. The waits were served, so many
# at least; the module refused none, and knew of every child that Linux knew of.
counts_are_good() {
	local served rest
	read -r served rest < <(sed -n '$s/^bsdrun: //p' "$1")
	[ "${served:-0}" -ge "$2" ] && [[ $rest == *' 0 refused, 0 disagreed,'* ]] && return
	echo "expected $2 waits served, none refused, none disagreed; bsdrun said: $(tail -n 1 "$1")"
	return 1
}

# What differs without meaning: numbers of processes, and which line bash had come to.
as_always() {
	sed -E 's/line [0-9]+: +[0-9]+ /line N: PID /' "$1"
}

# same_by_bsdrun LEAST COMMAND...: runs it natively, then by bsdrun. Equal are output, what is
# said on standard error but for bsdrun's own words, and status.
same_by_bsdrun() {
	local least=$1 out=$tmp/bsdrun status=0 native
	shift
	in_time "$@" >"$out.1" 2>"$out.1.err"
	native=$?
	in_time "$bin/bsdrun" -v "$@" >"$out.2" 2>"$out.2.err"
	status=$?
	if [ $status -ne $native ]; then
		echo "status $status, natively $native"
		tail -n 20 "$out.2" "$out.2.err"
		return 1
	fi
	diff <(as_always "$out.1") <(as_always "$out.2") &&
		diff <(as_always "$out.1.err") <(as_always "$out.2.err" | sed '$d') &&
		counts_are_good "$out.2.err" "$least"
}

# Random scenarios, in several processes at once. BSDPROC_DIFF_SEED plays the same again.
differential() {
	local seed=${BSDPROC_DIFF_SEED:-$RANDOM} share=$((scale + 1)) way i pid pids status=0
	local -A run=([native]='' [served]="$bin/bsdrun -v")
	echo "BSDPROC_DIFF_SEED=$seed"
	for way in native served; do
		pids=()
		for i in 0 1 2 3; do
			# shellcheck disable=SC2086 # a command or none
			setsid ${run[$way]} "$tests/diff_wait" --seed $((seed + i)) \
				--scenarios "$share" >"$tmp/diff.$way.$i" 2>"$tmp/diff.$way.$i.err" &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do
			ends_in_time "$pid" || { echo "$way: status $?"; status=1; }
		done
	done
	for i in 0 1 2 3; do
		diff -u "$tmp/diff.native.$i" "$tmp/diff.served.$i" >"$tmp/diff.$i" || status=1
		head -n 60 "$tmp/diff.$i"
		tail -n 5 "$tmp/diff.native.$i.err"
		sed '$d' "$tmp/diff.served.$i.err"
		counts_are_good "$tmp/diff.served.$i.err" "$share" || status=1
	done
	return $status
}

# A program's own exit status, or that it could not be run.
status_is() { # status_is STATUS COMMAND...
	local want=$1 got
	shift
	"$@"
	got=$?
	[ $got -eq "$want" ] || { echo "status $got, not $want"; return 1; }
}

# A shell with job control has a terminal.
same_on_terminal() { # same_on_terminal LEAST COMMAND
	same_by_bsdrun "$1" script -qec "$2" /dev/null
}

bsdrun_part() {
	local name rounds started=$SECONDS
	step "random scenarios, natively and by bsdrun" differential
	model_is_right 'random scenarios by bsdrun'

	step 'bash by bsdrun: job control' same_on_terminal 20 "bash $bsdrun_programs/jobs.sh"
	step 'dash by bsdrun: job control' same_on_terminal 20 "dash $bsdrun_programs/jobs.sh"
	step 'bash by bsdrun: its own ways' same_on_terminal 60 "bash $bsdrun_programs/jobs.bash"
	step 'make -j4 by bsdrun' same_by_bsdrun 20 "$bsdrun_programs/build.sh" "$tmp/tree"
	step 'make -j4 by bsdrun, failing' same_by_bsdrun 20 \
		"$bsdrun_programs/build.sh" "$tmp/tree" BAD=1
	step 'python3 by bsdrun' same_by_bsdrun 100 /usr/bin/python3 "$bsdrun_programs/waits.py"
	step 'perl by bsdrun' same_by_bsdrun 40 perl "$bsdrun_programs/waits.pl"
	step 's6 by bsdrun' same_by_bsdrun 20 "$bsdrun_programs/services.sh" "$tmp/services"
	# Its own verdict.
	step 'stress-ng by bsdrun' same_by_bsdrun "$scale" "${stress_ng[@]}" --verify \
		--fork 2 --fork-ops $((2 * scale)) --vfork 1 --vfork-ops "$scale" \
		--wait 1 --wait-ops "$scale" --zombie 1 --zombie-max 32 --zombie-ops "$scale"
	model_is_right 'programs by bsdrun'

	# Their verdict is that each child was met once, with its own status.
	for name in storm_fork storm_threads storm_exec storm_tree storm_vfork storm_clone storm_ptrace; do
		# shellcheck disable=SC2004 # its keys are names
		rounds=$((storm_rounds[$name] * scale / 200 + 1))
		step "$name by bsdrun" same_by_bsdrun "$rounds" "$tests/$name" --procs 4 --rounds $rounds
	done
	model_is_right 'storms by bsdrun'

	step "bsdrun's status: the program's" status_is 7 "$bin/bsdrun" sh -c 'exit 7'
	step "bsdrun -v's status: the program's" status_is 143 "$bin/bsdrun" -v sh -c 'kill $$'
	step "bsdrun's status: not found" status_is 127 "$bin/bsdrun" /there/is/none
	step "bsdrun's status: not to be run" status_is 126 "$bin/bsdrun" /proc/self/status
	step "bsdrun's status: wrong usage" status_is 2 "$bin/bsdrun"
	echo "# bsdrun: $((SECONDS - started)) s"
}

# The module is not loaded: bsdrun says so, and a program that has the shared object all the
# same gets what it wants from Linux.
native_without_the_module() {
	local preload=$top/build/userland/lib/libbsdproc-preload.so out=$tmp/native
	in_time "$tests/diff_wait" --seed 7 --scenarios 20 >"$out.1" 2>&1 || return
	in_time env LD_PRELOAD="$preload" "$tests/diff_wait" --seed 7 --scenarios 20 >"$out.2" 2>&1 ||
		return
	diff -u "$out.1" "$out.2"
}
