# Completion of cloudpam in fish: source it, or put it into ~/.config/fish/completions.
function __cloudpam
    set -lx COMP_LINE (commandline -cp)
    cloudpam 2>/dev/null
end
complete -c cloudpam -f -a '(__cloudpam)'
