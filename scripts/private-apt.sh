# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# To be sourced: packages of other Debian suites than the machine's own, from the
# machine's own mirror. Wants die().

# Prints the base URI from which this machine gets SUITE, by apt's own reading
# of its configuration, so that every format of sources and any mirror will do.
mirror_of() {
	local found
	found=$(apt-get update --print-uris 2>/dev/null |
		sed -n "s|^'\(.*\)/dists/$1/InRelease' .*|\1|p")
	[[ -n $found ]] || return 1
	echo "${found%%$'\n'*}"
}

# Sets up an apt of our own under $1 that knows just the suites $3..., of which
# one named security:SUITE is added where Debian has it: the machine's sources,
# lists and caches stay as they are. $2 is the dpkg status to go by; empty, nothing
# is installed.
private_apt() {
	local root=$1 status=$2 suite base codename
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	shift 2
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	[[ -n $codename ]] || die "/etc/os-release names no Debian release"
	mkdir -p "$root"/state/lists/partial "$root"/cache/archives/partial
	if [[ -z $status ]]; then
		status=$root/status
		: >"$status"
	fi
	for suite in "$@"; do
		case $suite in
		security:*) base=$(mirror_of "$codename-security") || continue ;;
		*) base=$(mirror_of "$codename") ||
			die "apt's configuration names no mirror for $codename" ;;
		esac
		if [[ -f $keyring ]]; then
			base="[signed-by=$keyring] $base"
		fi
		echo "deb $base ${suite#security:} main"
	done >"$root/sources.list"
	cat >"$root/apt.conf" <<-END
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		Dir::State "$root/state";
		Dir::State::status "$status";
		Dir::Cache "$root/cache";
		Dir::Etc::SourceList "$root/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Acquire::Languages "none";
	END
	if ((EUID == 0)); then
		# The sandbox user cannot write under a private directory.
		echo 'APT::Sandbox::User "root";' >>"$root/apt.conf"
	fi
	export APT_CONFIG=$root/apt.conf
	apt-get --quiet=2 update >&2 || die "could not fetch the package lists of $*"
}
