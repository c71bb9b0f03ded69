#!/bin/sh
# SPDX-License-Identifier: ISC
# What every lint begins with, read by ". lint.sh". A lint finds its files by
# listing the tree, so that it works from a tarball too, and speaks TAP: each
# check is a list of faults on standard input, good when it is empty.
set -eu
export LC_ALL=C
BUILD_DIR=$(pwd)
export BUILD_DIR
cd "${srcdir:-$(dirname "$0")/../..}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo 0 >"$scratch/checks"

# need TOOL PACKAGE: a missing tool is a failure, never a silent skip.
need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "not ok 1 - $1 is missing (Debian package: $2)"
	echo "1..1"
	exit 1
}

# files PATTERN...: those of the project, one a line; no build directories.
files() {
	for pattern in "$@"; do
		find .ci common contrib filter man proto tests \
		    -type f -name "$pattern" 2>/dev/null || :
	done | sort
}

# scripts: shell scripts, whatever their names.
scripts() {
	{
		files '*'
		echo ./bootstrap
	} | while read -r file; do
		case $(head -c 64 "$file" | head -n 1 | tr -d '\0') in
		'#!/bin/sh'* | '#!/bin/bash'* | '#!/usr/bin/env bash'*)
			echo "$file"
			;;
		esac
	done
}

# check SENTENCE <faults; as the end of a pipe it cannot keep variables.
check() {
	cat >"$scratch/faults"
	n=$(($(cat "$scratch/checks") + 1))
	echo "$n" >"$scratch/checks"
	if [ -s "$scratch/faults" ]; then
		: >"$scratch/failed"
		sed 's/^/# /' "$scratch/faults"
		echo "not ok $n - $1"
	else
		echo "ok $n - $1"
	fi
}

# At the end of each lint.
finish() {
	echo "1..$(cat "$scratch/checks")"
	[ ! -e "$scratch/failed" ]
}
