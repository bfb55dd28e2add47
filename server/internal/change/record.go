package change

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Object is what an event is about.
type Object struct {
	Kind     string
	ID       string   // its key
	Space    ipam.UID // whose lock this change holds; "" for the system's
	Scope    string
	ScopeUID ipam.UID
}

// ScopeObject is a scope, in the chain of its root space.
func ScopeObject(s ipam.Scope) Object {
	return Object{Kind: "scope", ID: string(s.UID), Space: s.UID, Scope: s.ID, ScopeUID: s.UID}
}

// IgnoreObject is that a drift is ignored, in the chain of its scope's root space.
func IgnoreObject(i ipam.DriftIgnore) Object {
	return Object{Kind: "drift_ignore", ID: string(i.UID), Space: i.ScopeUID, Scope: i.Scope, ScopeUID: i.ScopeUID}
}

// Record adds the event of a change: object kind, a dot and a verb in the past tense; nil is the state of what does not exist. The rows
// are written already. Errors: CodePolicyViolation where a policy forbids the change.
func (c Change) Record(o Object, verb string, before, after any) error {
	if err := c.judge(before, after); err != nil {
		return err
	}
	if err := c.note(o.Kind+"."+verb, before, after); err != nil {
		return err
	}
	event := ipam.Event{
		ID: NewID("event"), Chain: ipam.ChainOf(o.Space), Scope: o.Scope, ScopeUID: o.ScopeUID, At: c.At,
		Principal: c.By.UID, Actor: c.By.String(), Action: o.Kind + "." + verb, ObjectKind: o.Kind, ObjectID: o.ID, RequestID: c.By.RequestID,
		Source: c.By.Source, Address: c.By.Address, Reason: c.By.Reason, Block: blockOf(before, after),
	}
	var err error
	if event.Before, err = stateOf(before); err != nil {
		return err
	}
	if event.After, err = stateOf(after); err != nil {
		return err
	}
	if c.told != nil {
		*c.told = append(*c.told, event)
	}
	c.review.actions = append(c.review.actions, event.Action)
	return c.Tx.AppendEvent(event)
}

// blockOf is the block of the state after a change, or of that before where there is none; zero of what has no block.
func blockOf(before, after any) netip.Prefix {
	for _, state := range []any{after, before} {
		if has, ok := state.(interface{ Block() netip.Prefix }); ok {
			return has.Block()
		}
	}
	return netip.Prefix{}
}

func stateOf(noun any) (json.RawMessage, error) {
	if noun == nil {
		return nil, nil
	}
	text, err := json.Marshal(noun)
	if err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	return text, nil
}
