#!/bin/sh
# SPDX-License-Identifier: ISC
# Each lint finds the fault that it is there for: a copy of the tree is given
# one fault after the other.
. "$(dirname "$0")/lint.sh"

# fresh: a new copy of the tree in $tree.
tree=$scratch/tree
fresh() {
	rm -rf "$tree"
	mkdir "$tree"
	files '*' | grep -vE '(^|/)__pycache__/' | tar -cf - -T - Makefile.am \
	    configure.ac bootstrap .clang-format | tar -xf - -C "$tree"
	chmod -R u+w "$tree"
}

# finds LINT WHERE FAULT: it must fail and say where; the tree is made anew.
finds() {
	srcdir="$tree" sh "tests/lint/$1.sh" >"$scratch/out" 2>&1 || :
	if grep -q '^not ok' "$scratch/out" && grep -q "^# .*$2" "$scratch/out"
	then
		: | check "$1 finds $3"
	else
		check "$1 finds $3" <"$scratch/out"
	fi
	fresh
}

fresh
echo 'int x;' >"$tree/common/new.c"
finds spdx 'new.c' "a source without a licence"
echo '#include "common/log.h"' >>"$tree/proto/span.c"
finds layers 'span.c.*log.h' "proto/ that includes common/"
echo 'int f(void) { return (int)time(0); }' >>"$tree/proto/span.c"
finds layers 'span.c.*time' "a clock in proto/"
echo '#include "filter/x.h"' >>"$tree/common/log.c"
finds layers 'log.c.*filter/x.h' "common/ that includes filter/"
echo 'int  x;' >>"$tree/common/log.c"
finds format 'common/log.c' "a blank too many"
echo 'struct x y;' >>"$tree/common/log.h"
finds headers 'log.h' "a header that needs another"
yes 'int x;' | head -n 601 >"$tree/common/new.c"
finds sizes 'new.c has 601' "a long file"
{
	printf 'void\nf(void)\n{\n'
	yes '	;' | head -n 61
	echo '}'
} >"$tree/common/new.c"
finds sizes 'new.c:3: 61' "a long function"
echo '.Foo' >>"$tree/man/strictmx.conf.5"
finds man 'Foo' "an unknown macro"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho $x\n' >"$tree/contrib/new"
finds shell 'contrib/new' "a variable without quotes"
echo '/* TO''DO */' >>"$tree/common/log.c"
finds words 'common/log.c' "a mark"
mkdir -p "$tree/tests/lab"
echo 'def' >"$tree/tests/lab/new.py"
finds python 'new.py' "a syntax error"
echo 'new = 1' >>"$tree/contrib/strictmx.conf.example"
finds example 'new' "a key in the example only"
echo '.It Ic new = 1' >>"$tree/man/strictmx.conf.5"
finds example 'new' "a key in the manual only"
finish
