#!/bin/sh
# SPDX-License-Identifier: ISC
# The manual pages, as mandoc judges them.
. "$(dirname "$0")/lint.sh"
need mandoc mandoc

files '*.[1-9]' | grep '^man/' | while read -r page; do
	mandoc -T lint -W warning "$page" || :
done | check "mandoc has nothing to say about the manual pages"
finish
