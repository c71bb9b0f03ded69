#!/bin/sh
# SPDX-License-Identifier: ISC
# The Python of the laboratory can be compiled, at least.
. "$(dirname "$0")/lint.sh"
need python3 python3

export PYTHONPYCACHEPREFIX="$scratch/cache"
files '*.py' | while read -r file; do
	python3 -m py_compile "$file" 2>&1 || :
done | check "every Python file compiles"
finish
