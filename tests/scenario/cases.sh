#!/bin/sh
# SPDX-License-Identifier: ISC
# All scenario files, and what the player does with bad ones; speaks TAP.
set -u
play=${builddir:-.}/tests/scenario/play
cases=${srcdir:-.}/tests/scenario/cases
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
n=0

# tell STATUS SENTENCE: one line of TAP, with the player's words if it is bad.
tell() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$scratch/err"
	fi
}

for file in "$cases"/*.json; do
	"$play" --check "$file" >"$scratch/out" 2>"$scratch/err"
	status=$?
	tell "$status" "$(basename "$file" .json): $(tail -n 1 "$scratch/out")"
done

# says STATUS OUTPUT SENTENCE ARGUMENT...: how the player ends, and a pattern
# that its output must match.
says() {
	want=$1 pattern=$2 sentence=$3
	shift 3
	"$play" "$@" >"$scratch/err" 2>&1
	[ $? -eq "$want" ] && grep -qE -e "$pattern" "$scratch/err"
	tell $? "$sentence"
}

# one_case MEMBERS: a file with one case of these members.
one_case() {
	echo "{\"cases\": [{\"id\": \"x\", $1}]}" >"$scratch/case.json"
}

one_case '"steps": [{"t": 0, "rcpt": "a@b.example", "colour": 1}]'
says 0 '"error":"steps: unknown member .colour.' \
    "an unknown member is named" "$scratch/case.json"
says 1 '^0 passed, 1 failed$' "and fails the case" --check "$scratch/case.json"
one_case '"steps": [{"t": 0, "rcpt": "a@b.example", "mx": {"rcode": "ODD"}}]'
says 1 "rcode: unknown word 'ODD'" "an unknown word is named" \
    --check "$scratch/case.json"
one_case '"steps": [{"t": 0, "rcpt": "a@b.example",
    "expect": {"decision": "deliver", "nothing": 1}}]'
says 0 '"decision":"fail"' "without --check nothing is expected" \
    "$scratch/case.json"
says 1 'x: step 1: decision: expected "deliver", got "fail"' \
    "a difference is told" --check "$scratch/case.json"
says 1 'x: step 1: nothing: expected 1, got nothing' \
    "an expected member that does not exist is a difference" \
    --check "$scratch/case.json"
one_case '"steps": [{"t": 0, "op": "restart"}]'
says 0 '"decision":null,"via":null,"eligible":null,"tls":null,"policy":null' \
    "what does not apply is null" "$scratch/case.json"
echo '{"cases": [' >"$scratch/case.json"
says 2 'case.json:' "a broken file is told of" --check "$scratch/case.json"
says 2 '^usage: ' "without a file it says how it is called"
echo "1..$n"
