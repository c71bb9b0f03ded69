#!/bin/sh
# SPDX-License-Identifier: ISC
# Every source says in its first two lines under which licence it stands.
. "$(dirname "$0")/lint.sh"

{
	files '*.[ch]' '*.sh' '*.py' '*.[1-9]' '*.conf' '*.conf.*' '*.bash'
	scripts
	for file in Makefile.am configure.ac .clang-format .gitignore; do
		[ ! -f "$file" ] || echo "$file"
	done
} | sort -u | while read -r file; do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ISC' ||
	    echo "$file"
done | check "every source has its SPDX line"
finish
