#!/bin/sh
# SPDX-License-Identifier: ISC
# Every key of the program stands in the example file and in the manual, and
# no other. That the example's values are the defaults is a unit test.
. "$(dirname "$0")/lint.sh"

sed -n 's/^	{ "\([a-z-]*\)", \(true\|false\),.*/\1/p' common/config_key.c |
    sort >"$scratch/keys"
sed -n 's/^\([a-z-]*\) = .*/\1/p' contrib/strictmx.conf.example |
    sort >"$scratch/example"
sed -n 's/^\.It Ic \([a-z-]*\) =.*/\1/p' man/strictmx.conf.5 |
    sort >"$scratch/manual"

{
	[ -s "$scratch/keys" ] || echo "no keys in common/config_key.c"
	diff "$scratch/keys" "$scratch/example"
} | check "the example file has exactly the keys of the program"
diff "$scratch/keys" "$scratch/manual" |
    check "strictmx.conf(5) has exactly the keys of the program"
finish
