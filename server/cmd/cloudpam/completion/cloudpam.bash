# Completion of cloudpam in bash: source it, or put it where bash-completion looks.
_cloudpam() {
  local word=${COMP_LINE:0:COMP_POINT} found i
  word=${word##* }
  found=$(COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT cloudpam 2>/dev/null)
  local IFS=$'\n'
  COMPREPLY=($found)
  # Bash takes what stands behind a colon, or a =, for a word of its own.
  if [[ $word == *:* ]]; then
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"${word%:*}:"}; done
  fi
}
complete -o default -F _cloudpam cloudpam
