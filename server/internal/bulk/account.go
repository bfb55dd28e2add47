package bulk

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// Account is a row that asks for an account, which is known by its cloud and the cloud's own id.
type Account struct {
	New     ipam.Account
	Invalid *ipam.Error       // why that cannot be a new one
	Patch   ipam.AccountPatch // Labels nil: as they are, but for Label

	Label Labels
}

func (a *Account) copied() Ask { return new(*a) }

func (a *Account) around(*work) (scope, pool string, err error) { return a.New.Filled().Scope, "", nil }

func (a *Account) find(w *work, _ string) (object, bool, error) {
	if a.New.ExternalID == "" {
		return object{}, false, a.Invalid
	}
	id := a.New.Filled().ID
	found, is, err := known(id, func() (ipam.Account, error) { return w.Tx.Account(w.By.Sees(), id) })
	return accountObject(found), is, err
}

func (a *Account) would(_ *work, now any) (any, error) {
	before := now.(ipam.Account)
	a.Patch.Labels = a.Label.over(a.Patch.Labels, before.Labels)
	if a.Patch.Scope != nil && *a.Patch.Scope == before.Scope {
		a.Patch.Scope = nil
	}
	return before.Apply(a.Patch), nil
}

func (a *Account) create(w *work) (object, error) {
	if a.Invalid != nil {
		return object{}, a.Invalid
	}
	in := a.New
	in.Labels = a.Label.of(in.Labels)
	made, err := w.accounts.CreateAccount(w.ctx, w.By, in)
	return accountObject(made), err
}

func (a *Account) update(w *work, now object) (object, error) {
	after, err := w.accounts.UpdateAccount(w.ctx, w.By, now.id, ipam.Exactly(now.etag), a.Patch)
	return accountObject(after), err
}

func accountObject(a ipam.Account) object {
	return object{"account", a.UID, a.ID, a.Name, "", "", a.Version, a.ETag(), a}
}
