# SPDX-License-Identifier: MIT

# What both scripts have in common.  __sft_valued_PROGRAM are the options that
# stand everywhere and have a value, __sft_groups_PROGRAM the first words of
# commands of two.

# The command of the program $argv that stands before the cursor, as far as
# it is there.
function __sft_command
    set -l valued __sft_valued_$argv
    set -l groups __sft_groups_$argv
    set -l words (commandline -opc)
    set -l command
    set -l skips 0
    for word in $words[2..]
        if test $skips = 1
            set skips 0
        else if contains -- $word $$valued
            set skips 1
        else if not string match -q -- '-*' $word
            set -a command $word
            contains -- "$command" $$groups
            or break
        end
    end
    echo "$command"
end

# Is it $argv[2..], or not there yet?
function __sft_is
    set -l command (__sft_command $argv[1])
    test "$command" = "$argv[2..]"
end

# The files on the server whose names begin with the word at the cursor; it is
# asked with the options that stand on the line.
function __sft_names
    set -l words (commandline -opc)
    set -l given
    set -l takes 0
    for word in $words[2..]
        set -l option (string replace -r '=.*' '' -- $word)
        if test $takes = 1
            set -a given $word
            set takes 0
        else if contains -- $option $__sft_valued_sft --insecure
            set -a given $word
            test $option = $word -a $word != --insecure
            and set takes 1
        end
    end
    set -l begun (commandline -ct | string replace -r '^--[^=]*=' '' | string unescape)
    $words[1] $given -q --timeout 2 ls --names --limit 200 -- $begun 2>/dev/null
end
