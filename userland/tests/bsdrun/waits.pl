#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Children as Perl has them; prints no pids.
use strict;
use warnings;
use POSIX ":sys_wait_h";

$| = 1;

sub child {
	my ($code) = @_;
	my $pid = fork;
	die "fork: $!" unless defined $pid;
	$code->(), POSIX::_exit(0) unless $pid;
	return $pid;
}

print "== system and qx\n";
for my $command ('exit 0', 'exit 5', 'kill -TERM $$', 'kill -KILL $$') {
	print system('sh', '-c', $command), " $?\n";
}
print system('sh -c "exit 3"'), ' ', $? >> 8, "\n";
{
	no warnings 'exec';
	print system('/there/is/none') == -1 ? "not there\n" : "$?\n";
}
my $text = qx(echo said; exit 6);
print $text, $? >> 8, "\n";
open my $pipe, '-|', 'echo piped; exit 7' or die;
print <$pipe>;
print close($pipe) ? 'closed ' : 'failed ', $? >> 8, "\n";
open $pipe, '|-', 'cat; exit 8' or die;
print $pipe "to cat\n";
close $pipe;
print $? >> 8, "\n";

print "== wait and waitpid\n";
my $pid = child(sub { POSIX::_exit(9) });
print wait() == $pid ? 'the child ' : 'a stranger ', $? >> 8, "\n";
$pid = child(sub { kill 'USR1', $$ });
print waitpid($pid, 0) == $pid ? 'the child ' : 'a stranger ', $? & 127, "\n";
print wait(), " $? ", $! + 0, "\n";
print waitpid(-1, WNOHANG), " ", $! + 0, "\n";
$pid = child(sub { sleep 1000 while 1 });
print waitpid($pid, WNOHANG), "\n";
kill 'STOP', $pid;
waitpid($pid, WUNTRACED);
print WIFSTOPPED($?) ? 'stopped ' : 'not ', WSTOPSIG($?), "\n";
kill 'KILL', $pid;
waitpid($pid, 0);
print $? & 127, "\n";

print "== a handler that reaps\n";
my %ends;
$SIG{CHLD} = sub {
	while ((my $got = waitpid(-1, WNOHANG)) > 0) {
		$ends{$got} = $? >> 8;
	}
};
my $none = POSIX::SigSet->new;
POSIX::sigprocmask(POSIX::SIG_BLOCK, POSIX::SigSet->new(POSIX::SIGCHLD));
my @pids = map { my $n = $_; child(sub { POSIX::_exit($n) }) } 1 .. 20;
POSIX::sigsuspend($none) while keys %ends < @pids;
POSIX::sigprocmask(POSIX::SIG_SETMASK, $none);
print join(' ', map { $ends{$_} } @pids), "\n";
$SIG{CHLD} = 'DEFAULT';

print "== ignored\n";
$SIG{CHLD} = 'IGNORE';
child(sub { POSIX::_exit($_) }) for 1 .. 10;
print wait(), " $?\n";
print system('sh', '-c', 'exit 4'), "\n";
$SIG{CHLD} = 'DEFAULT';

print "== by group\n";
my $leader = child(sub { POSIX::setpgid(0, 0); sleep 1000 while 1 });
POSIX::setpgid($leader, $leader);
my $other = child(sub { sleep 1000 while 1 });
kill 'HUP', -$leader;
print waitpid(-$leader, 0) == $leader ? 'its leader ' : 'a stranger ', $? & 127, "\n";
print waitpid(-$leader, 0), "\n";
print waitpid(0, WNOHANG), "\n";
kill 'KILL', $other;
print wait() == $other ? 'the other ' : 'a stranger ', $? & 127, "\n";
print "== end\n";
