package audit

import (
	"bytes"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// chains recomputes the hashes of every chain, up to the head that is kept apart from it: so that a tail which was cut off is
// seen.
func (v *verifier) chains() error {
	return v.rows("chains", change.PageSize, func(_ *store.Tx, rows []store.Row) error {
		for _, row := range rows {
			if err := v.chain(row.Key()); err != nil {
				return err
			}
		}
		return nil
	})
}

// chain reads a chain in slices: events never change, and the head that the last slice reads is of the moment of that slice.
func (v *verifier) chain(key int64) error {
	id := ipam.KeyUID("chain", key)
	var head store.Chain
	var seq int64
	var previous []byte
	var at time.Time
	for more := true; more; {
		var events []ipam.Event
		err := v.slice(func(tx *store.Tx) (err error) {
			if head, _, err = tx.Head(key); err != nil {
				return err
			}
			events, err = tx.EventsOfChain(ipam.Everything, id, seq, change.PageSize)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range events {
			v.Events++
			switch {
			case e.Seq != seq+1:
				v.find(id, "event %d is missing", seq+1)
			case !bytes.Equal(e.Link(previous), e.Hash):
				v.find(id, "event %d (%s) does not match its hash", e.Seq, e.ID)
			}
			if e.ScopeUID != head.Scope {
				v.find(id, "event %d (%s) is of scope %q, and the chain of %q", e.Seq, e.ID, e.ScopeUID, head.Scope)
			}
			if e.Block != blockIn(e) {
				v.find(id, "event %d (%s) is found at %s, and about %s", e.Seq, e.ID, e.Block, blockIn(e))
			}
			if e.At.Before(at) {
				v.find(id, "event %d (%s) is of %s, and the one before it of %s", e.Seq, e.ID, e.At.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano))
			}
			if e.Seq <= seq {
				return errStuck
			}
			seq, previous, at = e.Seq, e.Hash, e.At
		}
		more = len(events) == change.PageSize
	}
	switch {
	case seq < head.Length:
		v.find(id, "its last %d events are missing: it ends with event %d, and its head is %d", head.Length-seq, seq, head.Length)
	case seq > head.Length:
		v.find(id, "has %d events behind its head, which is %d", seq-head.Length, head.Length)
	case !bytes.Equal(previous, head.Hash), seq > 0 && !at.Equal(head.At):
		v.find(id, "its head does not match its last event")
	}
	return nil
}

// headless looks for events whose chain has no head.
func (v *verifier) headless() error {
	return v.byKey(func(tx *store.Tx, after int64) (int64, bool, error) {
		chain, more, err := tx.NextValue("events", "chain_id", after)
		if err != nil || !more {
			return after, false, err
		}
		_, there, err := tx.Head(chain)
		if err == nil && !there {
			v.find(ipam.KeyUID("chain", chain), "has events, but no head")
		}
		return chain, true, err
	})
}

// seals checks the signed heads, and that each chain still passes through what they say of it.
func (v *verifier) seals() error {
	var last ipam.Seal
	return v.byKey(func(tx *store.Tx, after int64) (int64, bool, error) {
		const some = 100
		seals, err := tx.Seals(max(after, 0), some)
		for _, s := range seals {
			if wrong := s.Check(last); wrong != nil {
				v.find("seals", "%v", wrong)
			}
			for _, h := range s.Heads {
				events, err := tx.EventsOfChain(ipam.Everything, h.Chain, h.Sequence-1, 1)
				if err != nil {
					return after, false, err
				}
				if len(events) == 0 || events[0].Seq != h.Sequence || !bytes.Equal(events[0].Hash, h.Hash) {
					v.find(h.Chain, "event %d is not the one that seal %d says", h.Sequence, s.Number)
				}
			}
			last, after = s, s.Number
		}
		return after, len(seals) == some, err
	})
}
