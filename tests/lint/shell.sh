#!/bin/sh
# SPDX-License-Identifier: ISC
# The shell scripts, as shellcheck judges them.
. "$(dirname "$0")/lint.sh"
need shellcheck shellcheck

{
	scripts
	files '*.bash'
} | xargs shellcheck -f gcc -x -P SCRIPTDIR |
    check "shellcheck has nothing to say about the scripts"
finish
