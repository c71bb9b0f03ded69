#!/bin/sh
# SPDX-License-Identifier: ISC
# In a tree that was configured with --enable-fuzzers: what replay.c does in the
# others. Every target is given the files of its corpus, once; speaks TAP.
# FUZZ_TARGETS names the programs, as "make check" sets it.
: "${srcdir:=.}"
set -u

srcdir=${srcdir:-.} n=0
for program in $FUZZ_TARGETS; do
	name=${program##*/fuzz_}
	corpus=$srcdir/tests/fuzz/corpus/$name
	n=$((n + 1))
	if [ -z "$(ls "$corpus")" ]; then
		echo "not ok $n - $name: no corpus in $corpus"
		continue
	fi
	if said=$("./$program" -runs=0 -artifact_prefix="$name-" "$corpus" 2>&1)
	then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
	fi
	printf '%s\n' "$said" | sed 's/^/# /'
done
echo "1..$n"
