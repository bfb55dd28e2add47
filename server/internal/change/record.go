package change

import (
	"encoding/json"
	"fmt"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Object is what an event is about.
type Object struct {
	Kind  string
	ID    string
	Chain string // the space whose lock this change holds
	Scope string
}

// ScopeObject is a scope, in the chain of its root space.
func ScopeObject(id string) Object {
	return Object{Kind: "scope", ID: id, Chain: ipam.RootSpace(id), Scope: id}
}

// Record adds the event of a change: object kind, a dot and a verb in the past tense; nil is the state of what does not exist.
func (c Change) Record(o Object, verb string, before, after any) error {
	event := ipam.Event{
		ID: NewID("event"), Chain: o.Chain, Scope: o.Scope, At: c.At, Actor: c.By.Actor, Action: o.Kind + "." + verb,
		ObjectKind: o.Kind, ObjectID: o.ID, RequestID: c.By.RequestID,
	}
	var err error
	if event.Before, err = stateOf(before); err != nil {
		return err
	}
	if event.After, err = stateOf(after); err != nil {
		return err
	}
	return c.Tx.AppendEvent(event)
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
