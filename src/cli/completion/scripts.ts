/** Scripts by which shells ask the program itself, so that they are never out of date. */

const bash = `# bash completion of carm-webhook: source <(carm-webhook completion bash)
_carm_webhook() {
  local words=() candidates=() line word current directive=4 i
  # bash takes "--output=json" for three words.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((\${#words[@]} > 0)) && [[ $word == = || \${COMP_WORDS[i - 1]} == = ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
  done
  current=\${words[\${#words[@]} - 1]}
  while IFS= read -r line; do
    if [[ $line == :* ]]; then directive=\${line#:}; else candidates+=("\${line%%$'\\t'*}"); fi
  done < <("$1" __complete "\${words[@]}" 2>/dev/null)
  COMPREPLY=()
  for word in "\${candidates[@]}"; do
    # What stands before "=" is a word of its own already.
    if [[ $current == --*=* && $COMP_WORDBREAKS == *=* ]]; then word=\${word#*=}; fi
    COMPREPLY+=("$word")
  done
  current=\${current##*=}
  case $directive in
    0) compopt -o default 2>/dev/null; COMPREPLY=() ;;
    16) compopt -o filenames 2>/dev/null; COMPREPLY=(); while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$current") ;;
  esac
}
complete -F _carm_webhook carm-webhook
`;

const zsh = `#compdef carm-webhook
# zsh completion of carm-webhook: source <(carm-webhook completion zsh), after compinit
_carm_webhook() {
  local -a candidates
  local line directive=4
  for line in "\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :* ]]; then
      directive=\${line#:}
    elif [[ -n $line ]]; then
      candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}")
    fi
  done
  case $directive in
    0) compset -P '--*='; _files ;;
    16) compset -P '--*='; _files -/ ;;
    *) if [[ \${words[CURRENT]} == -* ]]; then _describe -o carm-webhook candidates; else _describe carm-webhook candidates; fi ;;
  esac
}
compdef _carm_webhook carm-webhook
`;

const fish = `# fish completion of carm-webhook: carm-webhook completion fish | source
function __carm_webhook_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l lines (command $words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    set -l directive 4
    for line in $lines
        if string match --quiet ':*' -- $line
            set directive (string sub --start 2 -- $line)
        else
            echo -- $line
        end
    end
    set -l prefix (string match --regex '^--[^=]*=' -- $current)
    set -l value (string replace --regex '^--[^=]*=' '' -- $current)
    switch $directive
        case 0
            for path in $value*
                test -d $path; and set path $path/
                echo -- "$prefix$path"
            end
        case 16
            for path in $value*/
                echo -- "$prefix$path"
            end
    end
end
complete --command carm-webhook --no-files --arguments '(__carm_webhook_complete)'
`;

export const scripts = { bash, zsh, fish } as const;
export type Shell = keyof typeof scripts;
export const shells = Object.keys(scripts) as readonly Shell[];
