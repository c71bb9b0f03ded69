#!/bin/sh
# SPDX-License-Identifier: ISC
# Each header compiles alone, with the compiler and the flags of the build.
. "$(dirname "$0")/lint.sh"

cc=${LINT_CC:-cc}
need "${cc%% *}" gcc

files '*.h' | while read -r header; do
	printf '#include "%s"\n' "$header" >"$scratch/alone.c"
	# The compiler and its flags are words of their own.
	# shellcheck disable=SC2086
	$cc ${LINT_CFLAGS:-} -I. -I"$BUILD_DIR" -fsyntax-only "$scratch/alone.c" \
	    2>&1
done | check "each header compiles alone"
finish
