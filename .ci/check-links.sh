#!/usr/bin/env bash
# Fails when a Markdown file of this repository links to a file or a heading that is not there. The web is not asked.
set -euo pipefail
cd "$(dirname "$0")/.."

# A heading's anchor as code hosts make it: lower case, punctuation gone, blanks to dashes.
anchors() {
  awk '/^```/ {code = !code} !code && /^#+ / {sub(/^#+ /, ""); print tolower($0)}' "$1" |
    sed -E 's/\[([^]]*)\]\([^)]*\)/\1/g; s/[^a-z0-9 _-]//g; s/ /-/g'
}

broken=0
while IFS= read -r file; do
  while IFS=: read -r line link; do
    target=${link%%#*} anchor=
    [[ $link == *'#'* ]] && anchor=${link#*#}
    path=$file
    [[ -z $target ]] || path=$(dirname "$file")/$target
    if [[ ! -e $path ]]; then
      echo "$file:$line: no such file: $link" >&2
      broken=1
    elif [[ -n $anchor && $path == *.md ]] && ! grep -qxF -- "$anchor" < <(anchors "$path"); then
      echo "$file:$line: no such heading: $link" >&2
      broken=1
    fi
  done < <(awk '/^```/ {code = !code} !code {
      rest = $0
      while (match(rest, /\]\([^) ]+\)/)) {
        link = substr(rest, RSTART + 2, RLENGTH - 3)
        if (link !~ /^[a-z]+:/) print NR ":" link
        rest = substr(rest, RSTART + RLENGTH)
      }
    }' "$file")
done < <(find . -name '*.md' -not -path './.git/*' -not -path './bin/*' -not -path './.demo/*' -not -path '*/node_modules/*' | sort)
exit $broken
