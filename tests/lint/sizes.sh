#!/bin/sh
# SPDX-License-Identifier: ISC
# Files and functions that fit into a head. A function begins with "{" and ends
# with "}" in the first column, which format.sh sees to.
. "$(dirname "$0")/lint.sh"

sources() {
	files '*.[ch]' | grep -E '^(proto|common|filter)/'
}

sources | xargs wc -l | awk '$2 != "total" && $1 > 600 {
	print $2 " has " $1 " lines" }' | check "no file has over 600 lines"
sources | xargs awk '
	FNR == 1 { start = 0 }
	/^\{/ { start = FNR }
	/^\}/ { if (start && FNR - start - 1 > 60)
			print FILENAME ":" start ": " FNR - start - 1 " lines"
		start = 0 }' | check "no function has over 60 lines"
finish
