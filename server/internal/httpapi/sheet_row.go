package httpapi

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/cloudpam/cloudpam/server/api"
	"github.com/cloudpam/cloudpam/server/internal/bulk"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// line is a row of a file by its columns, as the requests that it is.
type line struct {
	cells   map[string]string
	create  map[string]any // what a new one is made of
	change  map[string]any // how one that is there is changed
	invalid *ipam.Error    // why it cannot be a new one
	labels  bulk.Labels
	err     error // of what is neither
}

// line makes a row of a file. What is wrong with it is its problem.
func (s sheet) line(number int, columns, cells []string) bulk.Row {
	out := bulk.Row{Number: number}
	refuse := func(err error) bulk.Row {
		e, ok := errors.AsType[*ipam.Error](err)
		if !ok {
			e = ipam.Errorf(ipam.CodeInvalid, "the row cannot be read: %v", err)
		}
		out.Problem = e
		return out
	}
	if len(cells) != len(columns) {
		return refuse(ipam.Errorf(ipam.CodeInvalid, "the row has %d cells, and the header %d; a cell that has the delimiter in it is in quotes", len(cells), len(columns)))
	}
	l := line{cells: map[string]string{}, create: map[string]any{}, change: map[string]any{}, labels: bulk.Labels{}}
	for i, column := range columns {
		if column == "" {
			continue
		}
		cell := unguarded(cells[i])
		if !isText(cell) {
			return refuse(ipam.Invalid("/"+column, "the cell has a character that cannot be stored"))
		}
		l.cells[column] = cell
		if key, is := strings.CutPrefix(column, labelled); is {
			l.labels[key] = cell
			continue
		}
		if err := l.put(column, cell, s.create.Properties[column], s.change.Properties[column]); err != nil {
			return refuse(err)
		}
	}
	l.nameByBlock(s)
	if err := s.create.VisitJSON(l.create, openapi3.VisitAsRequest(), openapi3.MultiErrors()); err != nil {
		l.invalid = broken(err)
	}
	if err := s.change.VisitJSON(l.change, openapi3.VisitAsRequest(), openapi3.MultiErrors()); err != nil {
		return refuse(broken(err))
	}
	out.Key = l.cells[s.key]
	if v := l.cells["version"]; v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return refuse(ipam.Invalid("/version", "%q is not a version; leave the column out, or as the export has it", v))
		}
		out.Version = n
	}
	ask := s.row(&l)
	if l.err != nil {
		return refuse(l.err)
	}
	out.Ask = ask
	return out
}

// put puts a cell into the requests. An empty one is absent of what is new, and takes away what is there, where it may be absent.
func (l *line) put(column, cell string, create, change *openapi3.SchemaRef) error {
	of := create
	if of == nil {
		of = change
	}
	if of == nil {
		return nil // what nobody sets
	}
	if cell == "" {
		if change == nil {
			return nil
		}
		switch s := change.Value; {
		case s.Type.Includes(openapi3.TypeNull) || s.Nullable:
			l.change[column] = nil
		case s.Type.Is(openapi3.TypeObject):
			l.change[column] = map[string]any{}
		case s.Type.Is(openapi3.TypeArray):
			l.change[column] = []any{}
		case s.Type.Is(openapi3.TypeString) && s.MinLength == 0 && len(s.Enum) == 0:
			l.change[column] = ""
		}
		return nil
	}
	value, err := cellValue(column, cell, of.Value)
	if err != nil {
		return err
	}
	if create != nil {
		l.create[column] = value
	}
	if change != nil {
		l.change[column] = value
	}
	return nil
}

// cellValue reads a cell as the JSON that cell writes it from.
func cellValue(column, text string, s *openapi3.Schema) (any, error) {
	switch {
	case s.Type.Includes(openapi3.TypeInteger):
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, ipam.Invalid("/"+column, "%q is not a whole number", text)
		}
		return n, nil
	case s.Type.Includes(openapi3.TypeBoolean):
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, ipam.Invalid("/"+column, "%q is neither true nor false", text)
	case s.Type.Includes(openapi3.TypeObject):
		all := map[string]any{}
		for pair := range strings.SplitSeq(text, ";") {
			key, value, found := strings.Cut(pair, "=")
			if key = unescapePart(key); !found || key == "" {
				return nil, ipam.Invalid("/"+column, "%q is not a label; write key=value;key=value, with %%3B, %%3D and %%25 for ; = and %%", pair)
			}
			if _, twice := all[key]; twice {
				return nil, ipam.Invalid("/"+column, "the label %q is there twice", key)
			}
			all[key] = unescapePart(value)
		}
		return all, nil
	case s.Type.Includes(openapi3.TypeArray):
		all := []any{}
		for part := range strings.SplitSeq(text, ";") {
			all = append(all, unescapePart(part))
		}
		return all, nil
	case s.Pattern != "" || s.Format != "" || len(s.Enum) > 0:
		return strings.TrimSpace(text), nil // whatever it is, it has no spaces around it
	}
	return text, nil
}

var partUnescapes = strings.NewReplacer("%25", "%", "%3B", ";", "%3b", ";", "%3D", "=", "%3d", "=")

// unescapePart is what escapePart wrote.
func unescapePart(text string) string { return partUnescapes.Replace(text) }

var notOfSlug = regexp.MustCompile(`[^a-z0-9]+`)

// nameByBlock names what a file has no names for by its CIDR: 10.0.0.0/24, and a pool 10-0-0-0-24.
func (l *line) nameByBlock(s sheet) {
	cidr, _ := l.create["cidr"].(string)
	if _, has := l.cells["name"]; has || cidr == "" {
		return
	}
	switch s.kind {
	case ipam.ImportAllocations:
		l.create["name"] = cidr
	case ipam.ImportPools:
		l.create["name"] = strings.Trim(notOfSlug.ReplaceAllString(cidr, "-"), "-")
	}
}

// decoded are the requests of a line as the contract's types.
func decoded[N, P any](l *line) (create N, change P) {
	if l.invalid == nil {
		l.note(recode(l.create, &create))
	}
	if err := recode(l.change, &change); err != nil {
		l.err = err
	}
	return create, change
}

func recode(value map[string]any, into any) error {
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	return err
}

// note keeps why a line cannot be a new one.
func (l *line) note(err error) {
	if e, ok := errors.AsType[*ipam.Error](err); ok && l.invalid == nil {
		l.invalid = e
	} else if err != nil && !ok {
		l.err = err
	}
}

func poolRow(l *line) bulk.Ask {
	create, change := decoded[api.NewPool, api.PoolPatch](l)
	p := &bulk.Pool{Label: l.labels}
	var err error
	p.New, err = newPool(create)
	l.note(err)
	if p.Patch, err = poolPatch(change); err != nil {
		l.err = err
	}
	_, says := l.cells["parent"]
	p.Inside, p.Invalid = !says, l.invalid
	return p
}

func allocationRow(l *line) bulk.Ask {
	create, change := decoded[api.NewAllocation, api.AllocationPatch](l)
	a := &bulk.Allocation{Label: l.labels, Scope: l.cells["scope"], Set: l.cells["set"]}
	var err error
	a.New, err = newAllocation(create)
	l.note(err)
	if a.Patch, err = allocationPatch(change); err != nil {
		l.err = err
	}
	a.Invalid = l.invalid
	return a
}

func reservationRow(l *line) bulk.Ask {
	create, change := decoded[api.NewReservation, api.ReservationPatch](l)
	v := &bulk.Reservation{Label: l.labels, Scope: l.cells["scope"], Patch: reservationPatch(change)}
	var err error
	v.New, err = newReservation(create)
	l.note(err)
	v.Invalid = l.invalid
	return v
}

func accountRow(l *line) bulk.Ask {
	create, change := decoded[api.NewAccount, api.AccountPatch](l)
	return &bulk.Account{Label: l.labels, New: newAccount(create), Patch: accountPatch(change), Invalid: l.invalid}
}
