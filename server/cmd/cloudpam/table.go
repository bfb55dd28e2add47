package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// printJSON writes what a script reads.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// width is how many columns a table may take: those of the terminal; 0, as many as it needs, where its output goes elsewhere.
func width(f *os.File) int {
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// table writes rows below heads. Where they are wider than most, the widest columns are cut, the last one first among equals.
func table(w io.Writer, most int, heads []string, rows [][]string) {
	widths := make([]int, len(heads))
	for _, row := range append([][]string{heads}, rows...) {
		for i, cell := range row {
			row[i] = plain(cell)
			widths[i] = max(widths[i], len([]rune(row[i])))
		}
	}
	for total := sum(widths); most > 0 && total > most; total = sum(widths) {
		widest := 0
		for i := range widths {
			if widths[i] >= widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 6 {
			break
		}
		widths[widest] -= min(total-most, widths[widest]-6)
	}
	for _, row := range append([][]string{heads}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			if text := []rune(cell); len(text) > widths[i] {
				cell = string(text[:widths[i]-1]) + "…"
			}
			line.WriteString(cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

func sum(widths []int) (n int) {
	for _, w := range widths {
		n += w + 2
	}
	return n - 2
}

// plain keeps what clouds call things from writing to the terminal by itself.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
}
