package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/bulk"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// sheets read files of rows. A row is a request of its own: its cells are the properties of a new object, and of a change of one that is
// there, and the contract says of both what is right.
type sheets map[ipam.ImportKind]sheet

// sheet is what the contract says of rows of a kind.
type sheet struct {
	kind   ipam.ImportKind
	create *openapi3.Schema
	change *openapi3.Schema
	told   []string // columns of an export that say what nobody sets
	key    string   // the column of the object's key
	row    func(*line) bulk.Ask
}

// readSheets reads what the contract says of rows, once for all.
var readSheets = sync.OnceValues(func() (sheets, error) {
	spec, err := api.GetSpec() // which is changed here
	if err != nil {
		return nil, err
	}
	spec.OpenAPI = "3.0.3" // as the validator reads it
	of := func(kind ipam.ImportKind, name, key string, item any, row func(*line) bulk.Ask) sheet {
		s := sheet{kind: kind, create: spec.Components.Schemas["New"+name].Value, change: spec.Components.Schemas[name+"Patch"].Value, key: key, row: row}
		s.create.Required = slices.DeleteFunc(s.create.Required, func(name string) bool { return name == "pool" }) // which is found by address
		for _, c := range columnsOf(reflect.TypeOf(item)) {
			if s.create.Properties[c.name] == nil {
				s.told = append(s.told, c.name)
			}
		}
		return s
	}
	return sheets{
		ipam.ImportPools:        of(ipam.ImportPools, "Pool", "uid", api.Pool{}, poolRow),
		ipam.ImportAllocations:  of(ipam.ImportAllocations, "Allocation", "id", api.Allocation{}, allocationRow),
		ipam.ImportReservations: of(ipam.ImportReservations, "Reservation", "id", api.Reservation{}, reservationRow),
		ipam.ImportAccounts:     of(ipam.ImportAccounts, "Account", "uid", api.Account{}, accountRow),
	}, nil
})

// read reads a file. What is wrong with it as a whole is the error, and what is wrong with a row is that row's.
func (all sheets) read(kind ipam.ImportKind, text string, mapping map[string]string) (bulk.File, error) {
	s := all[kind]
	sum, err := json.Marshal([]any{kind, text, mapping})
	if err != nil {
		return bulk.File{}, err
	}
	file := bulk.File{Kind: kind, Sum: sha256.Sum256(sum)}
	text = strings.TrimPrefix(text, "\ufeff")
	in := csv.NewReader(strings.NewReader(keepReturns(text)))
	in.Comma, in.FieldsPerRecord = delimiter(text), -1
	header, err := in.Read()
	if err != nil {
		return file, unreadable(err)
	}
	columns, err := s.columns(header, mapping)
	if err != nil {
		return file, err
	}
	for number := 2; ; number++ {
		cells, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			if len(file.Rows) == 0 {
				return file, ipam.Invalid("/csv", "the file has a header and no rows")
			}
			return file, nil
		case err != nil:
			return file, unreadable(err)
		case len(file.Rows) == bulk.Most:
			return file, ipam.Invalid("/csv", "the file has more than %d rows; split it", bulk.Most)
		case strings.Join(cells, "") != "":
			file.Rows = append(file.Rows, s.line(number, columns, cells))
		}
	}
}

func unreadable(err error) error {
	if errors.Is(err, io.EOF) {
		return ipam.Invalid("/csv", "the file is empty; its first row names the columns")
	}
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return ipam.Invalid("/csv", "line %d, column %d: %v; a cell that has a quote in it is in quotes, and the quote in it twice", p.Line, p.Column, p.Err)
	}
	return ipam.Invalid("/csv", "the file is not CSV: %v", err)
}

// delimiter is what the header has most of, outside of quotes.
func delimiter(text string) rune {
	quoted, seen := false, map[rune]int{}
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '\n':
			return most(seen)
		default:
			seen[r]++
		}
	}
	return most(seen)
}

func most(seen map[rune]int) rune {
	best := ','
	for _, r := range ";\t" {
		if seen[r] > seen[best] {
			best = r
		}
	}
	return best
}

// keepReturns doubles what encoding/csv takes away: the carriage return of a line's end inside of quotes, which is a part of the value.
func keepReturns(text string) string {
	if !strings.Contains(text, "\r\n") {
		return text
	}
	var out bytes.Buffer
	quoted := false
	for i := range len(text) {
		if text[i] == '"' {
			quoted = !quoted
		}
		if quoted && text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			out.WriteByte('\r')
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// aliases are what other systems call a column.
var aliases = map[string]string{
	"prefix": "cidr", "subnet": "cidr", "network": "cidr", "vrf": "scope", "tenant": "owner", "customer": "owner",
}

// labelled is before the key of a label that has a column of its own.
const labelled = "label."

// columns are what the columns of a file are; "" of one that is left out.
func (s sheet) columns(header []string, mapping map[string]string) ([]string, error) {
	names, unknown, left := make([]string, len(header)), []string(nil), maps.Clone(mapping)
	has := map[string]string{}
	for i, title := range header {
		title = strings.TrimSpace(unguarded(title))
		name, mapped := mapping[title]
		delete(left, title)
		if !mapped {
			name = s.named(title)
		}
		switch {
		case name == "" && mapped, title == "":
			continue
		case !s.takes(name):
			unknown = append(unknown, title)
			continue
		case has[name] != "":
			return nil, ipam.Invalid("/csv", "the columns %q and %q are both %s; leave one out, or say in columns what it is", has[name], title, name)
		}
		names[i], has[name] = name, title
	}
	if len(left) > 0 {
		return nil, ipam.Invalid("/columns", "the file has no column %q; its columns are %s", slices.Sorted(maps.Keys(left))[0], strings.Join(header, ", "))
	}
	if len(unknown) > 0 {
		return nil, s.unknown(unknown)
	}
	return names, nil
}

// named is what a column is that nobody says anything of: in whatever case, with spaces or not.
func (s sheet) named(title string) string {
	if strings.HasPrefix(strings.ToLower(title), labelled) {
		return labelled + title[len(labelled):]
	}
	name := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(title))
	if alias := aliases[name]; alias != "" && !s.takes(name) {
		return alias
	}
	return name
}

func (s sheet) takes(name string) bool {
	return s.create.Properties[name] != nil && name != "pool_selector" || slices.Contains(s.told, name) || strings.HasPrefix(name, labelled) && len(name) > len(labelled)
}

// unknown refuses columns, each with the one that is nearest to it.
func (s sheet) unknown(titles []string) error {
	all := slices.DeleteFunc(slices.Concat(slices.Sorted(maps.Keys(s.create.Properties)), s.told), func(name string) bool { return !s.takes(name) })
	var lacking []string
	for _, title := range titles {
		nearest := slices.MinFunc(all, func(a, b string) int { return distance(s.named(title), a) - distance(s.named(title), b) })
		lacking = append(lacking, fmt.Sprintf("%q (the nearest is %s)", title, nearest))
	}
	return ipam.Invalid("/csv", "%s have no column %s; leave it out, or say in columns what it is", s.kind, strings.Join(lacking, " and no column "))
}

// distance is how many letters one word has to gain, lose or change to be another; a word in another is near.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0]++
		for j := range len(b) {
			d := before
			if a[i] != b[j] {
				d++
			}
			before = row[j+1]
			row[j+1] = min(d, row[j]+1, before+1)
		}
	}
	if strings.Contains(a, b) || strings.Contains(b, a) {
		return row[len(b)] / 2
	}
	return row[len(b)]
}

// unguarded is the value of a cell before which plainCell has put an apostrophe.
func unguarded(cell string) string { return strings.TrimPrefix(cell, "'") }
