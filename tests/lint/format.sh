#!/bin/sh
# SPDX-License-Identifier: ISC
# The look of the C code, as clang-format 14 gives it.
. "$(dirname "$0")/lint.sh"

tool=clang-format
command -v clang-format-14 >/dev/null 2>&1 && tool=clang-format-14
need "$tool" clang-format

files '*.[ch]' | xargs "$tool" --dry-run -Werror 2>&1 |
    grep -E '(error|warning): ' | check "clang-format has nothing to change"
finish
