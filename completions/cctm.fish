# fish completion for cctm, made by 'cctm completion fish'.

# The words typed so far that are neither options nor their values.
function __cctm_words
	set -l skip 0
	for word in (commandline -opc)[2..]
		if test $skip = 1
			set skip 0
		else if contains -- $word -C --dir --color
			set skip 1
		else if not string match -q -- '-*' $word
			echo $word
		end
	end
end

# Is the command the first word, and is this its argument (from 0)?
function __cctm_at
	set -l words (__cctm_words)
	set -l position (math (count $words) - 1)
	test "$words[1]" = $argv[1]; or return
	test (count $argv) -lt 2; and return
	test $position -eq $argv[2]; and return
	test "$argv[3]" = more -a $position -gt $argv[2]
end

function __cctm_without_command
	test (count (__cctm_words)) -eq 0
end

complete -c cctm -f
complete -c cctm -l dir -s C -x -a '(__fish_complete_directories)' -d 'the stack\'s directory (environment: CCTM_DIR)'
complete -c cctm -l json -d 'print exactly one JSON document on standard output'
complete -c cctm -l quiet -s q -d 'print no progress and no notes'
complete -c cctm -l verbose -s v -d 'say more about what is done'
complete -c cctm -l color -x -a 'auto always never' -d 'use colours; auto means on a terminal without NO_COLOR'
complete -c cctm -l help -s h -d 'explain the command and stop'
complete -c cctm -l version -d 'print the version and stop'

complete -c cctm -n __cctm_without_command -a help -d 'explain cctm or one of its commands'
complete -c cctm -n '__cctm_at help 0' -x -a 'help version completion' -d 'the command to explain; all of them in short when absent'

complete -c cctm -n __cctm_without_command -a version -d 'show the version of cctm and of its libraries'

complete -c cctm -n __cctm_without_command -a completion -d 'print a script that completes cctm\'s command line in a shell'
complete -c cctm -n '__cctm_at completion 0' -x -a 'bash zsh fish' -d 'the shell that will read the script'
