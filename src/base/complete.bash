# shellcheck shell=bash
# SPDX-License-Identifier: MIT

# What both scripts have in common.  The tables are in _PROGRAM_takes, which
# sets 'args', 'options' and 'commands' to what may follow a command ('' at the
# start, '--' for the options that stand everywhere): words, and for values
# what completes them, @file, @dir, @name (a file on the server), @ (nothing)
# or words, as "--sort=name|newest|size".

# bash breaks words at '=' and ':', too.  Puts those of the line that no blank
# divides together again, into 'words'; 'cut' is how much of the last one bash
# is not going to replace.
__sft_words()
{
	local i piece blank rest=${COMP_LINE:0:COMP_POINT}

	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		piece=${COMP_WORDS[i]}
		blank=${rest%%[![:blank:]]*}
		rest=${rest#"$blank"}
		((i < COMP_CWORD)) || piece=$rest
		rest=${rest#"$piece"}
		if ((i == 0)) || [[ -n $blank ]]; then
			words+=("$piece")
		else
			words[${#words[@]} - 1]+=$piece
		fi
	done
	last=${words[${#words[@]} - 1]}
	[[ $piece != [=:] ]] || piece=
	cut=${last%"$piece"}
}

# A word as the program would get it, into 'plain'.
__sft_plain()
{
	plain=$1
	[[ $plain != \~/* ]] || plain=$HOME/${plain#*/}
	plain=${plain//[\\\"\']/}
}

# What completes the value of option $1, into 'kind'; false: it has none.
__sft_value()
{
	local option

	for option in $globals $options; do
		if [[ $option == "$1="* ]]; then
			kind=${option#*=}
			return 0
		fi
	done
	return 1
}

# What the next argument is, into 'kind'.
__sft_argument()
{
	local kinds
	read -ra kinds <<<"$args"

	if [[ $args == *... ]] && ((count >= ${#kinds[@]})); then
		count=$((${#kinds[@]} - 1))
	fi
	kind=${kinds[count]-@}
	kind=${kind%...}
}

# Goes through the words before the last one: to 'command', the 'option' whose
# value comes next, the 'count' of arguments, and to 'given', the options with
# which the server is asked.
__sft_walk()
{
	local word plain

	for word in "${words[@]:1:${#words[@]}-2}"; do
		__sft_plain "$word"
		if [[ -n $option ]]; then
			[[ " $globals" != *" $option="* ]] ||
				given+=("$option" "$plain")
			option=
		elif [[ -z $ended && $word == -- ]]; then
			ended=1
		elif [[ -z $ended && $word == -?* ]]; then
			if ! __sft_value "${word%%=*}"; then
				[[ $word != --insecure ]] || given+=("$word")
			elif [[ $word != *=* ]]; then
				option=$word
			elif [[ " $globals" == *" ${word%%=*}="* ]]; then
				given+=("$plain")
			fi
		elif [[ -n $commands ]]; then
			command=${command:+$command }$plain
			"_${name}_takes" "$command"
		else
			count=$((count + 1))
		fi
	done
}

# The files on the server whose names begin with 'plain', into 'found'.
__sft_names()
{
	local file

	while IFS= read -r file; do
		found+=("$file")
	done < <("$program" "${given[@]}" -q --timeout 2 \
		ls --names --limit 200 -- ${plain:+"$plain"} 2>/dev/null)
	# quoted as files are
	compopt -o filenames 2>/dev/null
}

# What there is of 'kind' behind $1 (an option and its '='), into COMPREPLY.
__sft_offer()
{
	local plain word found=()

	__sft_plain "$cut"
	cut=$plain
	__sft_plain "${last#"$1"}"
	case $kind in
	@file) compopt -o bashdefault -o default 2>/dev/null ;;
	@dir) compopt -o dirnames 2>/dev/null ;;
	@name) __sft_names ;;
	@) ;;
	*) IFS='| ' read -ra found <<<"$kind" ;;
	esac
	for word in "${found[@]}"; do
		[[ $word != "$plain"* ]] || COMPREPLY+=("$1$word")
	done
	COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}

__sft_complete()
{
	local name=$1 args options commands globals words last cut plain
	local program given=() command='' option='' ended='' kind=@ count=0
	local before=''

	COMPREPLY=()
	__sft_plain "$2"
	program=$plain
	"_${name}_takes" --
	globals=${options//[$'\n\t']/ }
	"_${name}_takes" ''
	__sft_words
	__sft_walk
	if [[ -n $option ]]; then
		__sft_value "$option"
	elif [[ -z $ended && $last == --*=* ]]; then
		before=${last%%=*}=
		__sft_value "${before%=}"
	elif [[ -z $ended && $last == -* ]]; then
		kind=
		for option in $globals $options; do
			kind+="${option%%=*} "
		done
	elif [[ -n $commands ]]; then
		kind=$commands
	else
		__sft_argument
	fi
	__sft_offer "$before"
}
