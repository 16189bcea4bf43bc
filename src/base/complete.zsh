# SPDX-License-Identifier: MIT

# What both scripts have in common.

# The files on the server whose names begin with the word at the cursor.
__sft_names()
{
	local -a names

	names=(${(f)"$("$program" $given -q --timeout 2 \
		ls --names --limit 200 -- ${(Q)PREFIX} 2>/dev/null)"})
	compadd "$@" -a names
}

# The options with which the server is asked, into 'given': those of $@ that
# stand on the line.
__sft_given()
{
	local word
	integer i

	for ((i = 2; i < CURRENT; i++)); do
		word=${${(Q)words[i]}/#\~\//$HOME/}
		if ((i > 2 && ${argv[(Ie)$words[i - 1]]})); then
			given+=("$words[i - 1]" "$word")
		elif [[ $word == --insecure ]] ||
			{ [[ $word == *=* ]] && ((${argv[(Ie)${word%%=*}]})) }; then
			given+=("$word")
		fi
	done
}

# Completes a command of the group $1 ('' at the start), and what follows it.
__sft_walk()
{
	local curcontext=$curcontext state state_descr line name ret=1
	local -a context found
	local -A opt_args

	_arguments -C -s -S : $globals '(-)1: :->command' '(-)*:: :->rest' && ret=0
	case $state in
	command)
		_${prefix}_words "$1"
		_describe -t commands command found && ret=0
		;;
	rest)
		name=_${prefix}_command_${1:+$1_}${line[1]//-/_}
		((${+functions[$name]})) && $name && ret=0
		;;
	esac
	return ret
}
