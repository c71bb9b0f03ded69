#!/bin/bash
# SPDX-License-Identifier: ISC
# The completion files know what the tool knows, and bash completes by them.
set -u
strictmx=${builddir:-.}/filter/strictmx
completion=${srcdir:-.}/contrib/completion
number=0 failed=0

# is WANTED GOT SENTENCE
is() {
	number=$((number + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $number - $3"
	else
		failed=1
		echo "# wanted: $1"
		echo "# got: $2"
		echo "not ok $number - $3"
	fi
}

# shellcheck source=../../contrib/completion/strictmx.bash
. "$completion/strictmx.bash"

# completes WORD...: what bash offers for the last word.
completes() {
	COMP_WORDS=(strictmx "$@")
	COMP_CWORD=$#
	_strictmx
	echo "${COMPREPLY[*]}"
}

# long_options VERB...: those that the tool says it has.
long_options() {
	"$strictmx" "$@" --help | grep -oE '(^|[^[:alnum:]-])--[a-z-]+' |
		sed 's/^[^-]*//' | sort -u | grep -vx -e --help -e --version
}

is "ask cache check lint match override staging stats tlsa why" "$(completes '')" "verbs are offered"
is "$("$strictmx" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | paste -sd' ')" \
	"$(completes '')" "they are all that the tool has"
is "lint" "$(completes l)" "a verb is completed"
is "--help --version" "$(completes -)" "options without a verb"
is "certificate policy sts-record" "$(completes lint '')" "subjects of lint"
is "policy" "$(completes lint --json p)" "a subject behind --json"
is "--json" "$(completes match a --j)" "an option behind an argument"
is "" "$(completes match -- a --j)" "no option behind --"
is "" "$(completes lint certificate --host '')" "nothing for a free value"
cd "$completion" || exit 1
is "strictmx.bash" "$(completes lint policy stri)" "files for a policy"
is "_strictmx" "$(completes lint certificate --ca _)" "files for --ca"
cd "$OLDPWD" || exit 1

for verb in ask check match staging stats tlsa why 'cache drop' 'override set' 'lint certificate' 'lint policy' 'lint sts-record'; do
	read -ra words <<<"$verb"
	known=$(completes "${words[@]}" - | tr ' ' '\n' | grep -vx -e --help)
	is "$(long_options "${words[@]}")" "$known" "bash has all of $verb"
	missing=$(long_options "${words[@]}" | while read -r option; do
		grep -qe "$option" "$completion/_strictmx" || echo "$option"
	done)
	is "" "$missing" "zsh has all of $verb"
done

echo "1..$number"
exit $failed
