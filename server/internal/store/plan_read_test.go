package store_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (e expected) on(engine, statistics string) []string {
	all := e.both
	switch {
	case engine == "sqlite":
		all += " " + e.sqlite
	case statistics == "none":
		all += " " + e.postgres + " " + e.none
	case statistics == "stale":
		all += " " + e.postgres + " " + e.stale
	default:
		all += " " + e.postgres
	}
	return strings.Fields(all)
}

var (
	liteSearch = regexp.MustCompile(`^(SEARCH|SCAN) (\S+)(?: USING (?:(?:COVERING |AUTOMATIC |PARTIAL )*INDEX (\S+)|(?:INTEGER )?(PRIMARY KEY)))?`)
	liteMade   = regexp.MustCompile(`^SCAN (around|above|upper|below|lower|CONSTANT|\d+|\(subquery|f$|some_)`)
	pgIndex    = regexp.MustCompile(`(?:Index Scan|Index Only Scan)(?: Backward)? using (\S+) on`)
	pgBitmap   = regexp.MustCompile(`Bitmap Index Scan on (\S+)`)
	pgSort     = regexp.MustCompile(`Sort  \(.*rows=(\d+)`)
	pgSeq      = regexp.MustCompile(`Seq Scan on (\S+)`)
)

// mostSorted is how many rows PostgreSQL may sort, as it estimates: a page. SQLite estimates none, so there each sort is in the table.
const mostSorted = 1000

// read says what a plan uses: an index by its name, key for a primary one; walk: before it where all of it is read, in its order, until
// there is enough; sort where rows are sorted. What it may never do is a fault.
func (p planner) read(lines []string) (used, faults []string) {
	use := func(what string) {
		if !slices.Contains(used, what) {
			used = append(used, what)
		}
	}
	for i, line := range lines {
		if p.engine == "sqlite" {
			if strings.HasPrefix(line, "USE TEMP B-TREE") {
				use("sort")
			}
			m := liteSearch.FindStringSubmatch(line)
			if m == nil || liteMade.MatchString(line) {
				continue
			}
			index := m[3]
			if strings.Contains(line, "AUTOMATIC") {
				faults = append(faults, "makes an index for itself")
			}
			if index == "" || strings.HasPrefix(index, "sqlite_autoindex_") {
				index = "key"
			}
			if m[1] == "SCAN" {
				index = "walk:" + index
			}
			use(index)
			continue
		}
		switch {
		case pgIndex.MatchString(line), pgBitmap.MatchString(line):
			m := pgIndex.FindStringSubmatch(line)
			if m == nil {
				m = pgBitmap.FindStringSubmatch(line)
			}
			index := m[1]
			if strings.HasSuffix(index, "_pkey") {
				index = "key"
			}
			if i+1 >= len(lines) || !strings.Contains(lines[i+1], "Index Cond:") {
				index = "walk:" + index
			}
			use(index)
		case pgSeq.MatchString(line):
			use("all:" + pgSeq.FindStringSubmatch(line)[1])
		case pgSort.MatchString(line):
			if n, _ := strconv.Atoi(pgSort.FindStringSubmatch(line)[1]); n > mostSorted {
				use("sort")
			}
		}
	}
	slices.Sort(used)
	return used, faults
}
