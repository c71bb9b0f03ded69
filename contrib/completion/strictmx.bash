# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# Completion of strictmx(1) for bash. Verbs that have verbs of their own are
# followed down; "--" ends the options.

# The options of a verb, those that take a value with a "=" behind.
_strictmx_options() {
	case $1 in
	'') echo '--help --version' ;;
	ask) echo '--config= --engine= --help --json --socket= --verbose' ;;
	cache) echo '--help --json' ;;
	cache-drop) echo '--all --config= --help --json --socket=' ;;
	cache-*) echo '--config= --help --json --socket=' ;;
	check) echo '--config= --help --json --verbose' ;;
	lint) echo '--help --json' ;;
	lint-certificate) echo '--at= --ca= --help --host= --json' ;;
	lint-policy) echo '--config= --domain= --help --json' ;;
	lint-sts-record) echo '--help --json' ;;
	match) echo '--help --json' ;;
	override) echo '--help --json' ;;
	override-set) echo '--config= --help --json --mode= --mx= --reason= --socket= --until=' ;;
	override-*) echo '--config= --help --json --socket=' ;;
	staging | stats | why) echo '--config= --help --json --socket=' ;;
	tlsa) echo '--cert= --config= --help --json --offline --port=' ;;
	esac
}

_strictmx_verbs() {
	case $1 in
	'') echo 'ask cache check lint match override staging stats tlsa why' ;;
	cache) echo 'drop list refresh show' ;;
	lint) echo 'certificate policy sts-record' ;;
	override) echo 'drop list set' ;;
	esac
}

# Does the verb take a file?
_strictmx_files() {
	case $1 in
	lint-policy | lint-certificate) return 0 ;;
	esac
	return 1
}

# _strictmx_words WORD LIST
_strictmx_words() {
	mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

_strictmx_names() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_strictmx() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb='' option ended='' i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) ended=yes ;;
		-*) ;;
		*)
			case " $(_strictmx_verbs "$verb") " in
			*" ${COMP_WORDS[i]} "*)
				verb=${verb:+$verb-}${COMP_WORDS[i]} ;;
			esac
			;;
		esac
	done
	if [ -z "$ended" ]; then
		for option in $(_strictmx_options "$verb"); do
			[ "$option" = "$before=" ] || continue
			case $before in
			--ca | --cert | --config | --engine | --socket)
				_strictmx_names "$word" ;;
			esac
			return
		done
		case $word in
		-*)
			option=$(_strictmx_options "$verb")
			_strictmx_words "$word" "${option//=/}"
			return
			;;
		esac
	fi
	option=$(_strictmx_verbs "$verb")
	if [ -n "$option" ]; then
		_strictmx_words "$word" "$option"
	elif _strictmx_files "$verb"; then
		_strictmx_names "$word"
	fi
}

complete -F _strictmx strictmx
