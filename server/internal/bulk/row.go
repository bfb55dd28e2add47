package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// judge says what becomes of a row, and does it.
func (w *work) judge(r Row) (Item, error) {
	item := Item{Number: r.Number}
	if r.Problem != nil {
		item.Verdict, item.Problem = Refused, r.Problem
		return item, nil
	}
	body := func() error { return w.do(r, &item) }
	run := body
	r.Ask = r.Ask.copied()
	if w.each {
		run = func() error { return w.Try(body) }
	}
	err := run()
	told := w.Told()
	refusal, ok := errors.AsType[*ipam.Error](err)
	switch {
	case err == nil:
		return item, w.remember(r, item, told)
	case !ok || refusal.Code == ipam.CodeUnavailable || refusal.Code == ipam.CodeOverloaded:
		return item, err
	case !w.each:
		return item, errTryEach
	}
	clear(w.pools) // what was made of them is undone
	item.Verdict, item.Problem, item.Object, item.Changed = Refused, refusal, "", nil
	return item, nil
}

// remember keeps which event is the row's: the last one about its object, whose before is none or that of the first.
func (w *work) remember(r Row, item Item, told []ipam.Event) error {
	if item.Verdict == Unchanged {
		return nil
	}
	for _, e := range slices.Backward(told) {
		if (e.Before == nil) == (item.Verdict == Created) && w.seen[ipam.UID(e.ObjectID)] == r.Number {
			w.rows = append(w.rows, made{r.Number, e.ID})
			return nil
		}
	}
	return errors.New("a row of an import was done without an event")
}

func (w *work) do(r Row, item *Item) error {
	now, found, err := r.Ask.find(w, r.Key)
	if err != nil {
		return err
	}
	if !found {
		made, err := r.Ask.create(w)
		if err != nil {
			return err
		}
		w.seen[made.key] = r.Number
		item.tell(made)
		item.Verdict, item.Object = Created, ""
		return nil
	}
	if other, twice := w.seen[now.key]; twice {
		return ipam.Errorf(ipam.CodeInvalid, "row %d is about %s %s, too; leave one of them out", other, now.what, now.name)
	}
	would, err := r.Ask.would(w, now.state)
	if err != nil {
		return err
	}
	w.seen[now.key] = r.Number
	item.tell(now)
	item.Verdict, item.Changed = Unchanged, differences(now.state, would)
	if len(item.Changed) == 0 {
		return nil
	}
	if r.Version != 0 && r.Key == string(now.key) && r.Version != now.version {
		return ipam.Errorf(ipam.CodePreconditionFailed, "%s %s has changed since it was exported: its version is %d, and the row's %d; export it again, or leave the column version out", now.what, now.name, now.version, r.Version)
	}
	after, err := r.Ask.update(w, now)
	if err != nil {
		return err
	}
	item.tell(after)
	item.Verdict = Updated
	return nil
}

func (i *Item) tell(o object) { i.Object, i.Name, i.Pool, i.CIDR = o.id, o.name, o.pool, o.cidr }

// differences are the properties in which two states differ, by name.
func differences(before, after any) (names []string) {
	was, is := properties(before), properties(after)
	for name := range is {
		if !bytes.Equal(was[name], is[name]) {
			names = append(names, name)
		}
	}
	for name := range was {
		if _, still := is[name]; !still {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// properties are those of a state, as events tell it.
func properties(state any) (all map[string]json.RawMessage) {
	text, err := json.Marshal(state)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		panic(err) // events have it
	}
	if string(all["labels"]) == "null" { // which are read as none
		all["labels"] = json.RawMessage("{}")
	}
	return all
}

// lock takes the locks that the rows are known to need, in the whole order. What comes in between is locked when it is met, and
// PostgreSQL ends a circle.
func (w *work) lock() error {
	scopes, pools := map[string]bool{}, map[ipam.UID]ipam.Pool{}
	ids := map[string]bool{}
	for _, r := range w.file.Rows {
		if r.Problem != nil {
			continue
		}
		scope, pool, err := r.Ask.copied().around(w)
		switch {
		case ipam.CodeOf(err) != "":
			continue // the row says so when it comes
		case err != nil:
			return err
		case pool == "":
			scopes[scope] = true
		case !ids[pool]:
			ids[pool] = true
			p, err := w.Tx.Pool(w.By.Sees(), pool)
			if err == nil {
				pools[p.UID] = p
			} else if ipam.CodeOf(err) == "" {
				return err
			}
		}
	}
	var uids []ipam.UID
	for id := range scopes {
		s, err := w.Tx.Scope(w.By.Sees(), id)
		if err == nil {
			uids = append(uids, s.UID)
		} else if ipam.CodeOf(err) == "" {
			return err
		}
	}
	return w.LockAll(uids, slices.Collect(maps.Values(pools)))
}

// poolsOf are the pools of a scope that the caller sees, read once.
func (w *work) poolsOf(scope string) ([]ipam.Pool, error) {
	if known, read := w.pools[scope]; read {
		return known, nil
	}
	all := []ipam.Pool{}
	err := change.EachPage(func(p ipam.Page) ([]ipam.Pool, error) {
		return w.Tx.Pools(w.By.Sees(), ipam.PoolFilter{Scope: scope}, p)
	}, func(p ipam.Pool) string { return string(p.UID) }, func(p ipam.Pool) error {
		all = append(all, p)
		return nil
	})
	if err == nil {
		w.pools[scope] = all
	}
	return all, err
}
