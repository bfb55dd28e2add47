package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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

// at is a moment as tables have it, in UTC.
func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// whole are columns that are never cut: half an address is another one, half an id is none, and half a moment is a day.
var whole = []string{"CIDR", "ID", "APPROVAL", "LOWEST", "SINCE", "FROM", "UNTIL", "AT"}

// narrow is how far a column is cut at most.
const narrow = 10

// table writes rows below heads, of which there may be none. Where they are wider than most, the widest columns are cut, the last one
// first among equals, and those that say nothing are left out. Where that is not enough, each row is written as lines of its own.
func table(w io.Writer, most int, heads []string, rows [][]string) {
	if heads != nil {
		rows = append([][]string{heads}, rows...)
	}
	if most > 0 && heads != nil {
		rows = told(rows)
		heads = rows[0]
	}
	var widths []int
	for _, row := range rows {
		widths = append(widths, make([]int, max(0, len(row)-len(widths)))...)
		for i, cell := range row {
			row[i] = plain(cell)
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	if most > 0 && !cut(widths, most, heads) {
		records(w, heads, rows[1:])
		return
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if text := []rune(cell); len(text) > widths[i] {
				cell = string(text[:widths[i]-1]) + "…"
			}
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// told are rows without the columns that say nothing in any row: a terminal has no room for them, and a script expects them.
func told(rows [][]string) [][]string {
	says := make([]bool, len(rows[0]))
	for _, row := range rows[1:] {
		for i, cell := range row {
			says[i] = says[i] || cell != ""
		}
	}
	kept := make([][]string, len(rows))
	for n, row := range rows {
		for i, cell := range row {
			if says[i] {
				kept[n] = append(kept[n], cell)
			}
		}
	}
	return kept
}

// cut makes columns narrower until all fit, and reports whether they do.
func cut(widths []int, most int, heads []string) bool {
	for total := sum(widths); total > most; total = sum(widths) {
		widest := -1
		for i := range widths {
			if i < len(heads) && slices.Contains(whole, heads[i]) || heads == nil && i == 0 {
				continue
			}
			if widths[i] > narrow && (widest < 0 || widths[i] >= widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return heads == nil // a list of words has no other form
		}
		widths[widest] -= min(total-most, widths[widest]-narrow)
	}
	return true
}

// records writes rows as lines of a head and a value, with nothing cut.
func records(w io.Writer, heads []string, rows [][]string) {
	longest := 0
	for _, head := range heads {
		longest = max(longest, utf8.RuneCountInString(head))
	}
	for n, row := range rows {
		if n > 0 {
			fmt.Fprintln(w)
		}
		for i, cell := range row {
			if cell != "" {
				fmt.Fprintf(w, "%-*s  %s\n", longest, heads[i], cell)
			}
		}
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
