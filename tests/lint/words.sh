#!/bin/sh
# SPDX-License-Identifier: ISC
# Work that is left to do stands in issues, not in marks in the source.
. "$(dirname "$0")/lint.sh"

marks='TO''DO|FIX''ME|XX''X|HA''CK'
{
	files '*'
	echo ./Makefile.am
	echo ./configure.ac
} | xargs grep -InwE "$marks" | check "no marks of unfinished work"
finish
