package store

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// networkRow is a network as its observations come to.
type networkRow struct {
	account            int64
	network            string
	scope              *int64
	region             string
	subnets, secondary int64
	firstSeen          int64
	first, last        string // of the regions
}

// networkCursor is where a page of networks ends: they are in the order of their accounts and ids.
func networkCursor(o ipam.Observation, account int64) string {
	return fmt.Sprintf("%d/%s", account, o.Network)
}

// Networks lists a page of the networks that clouds showed, by account and id, each with where the next page begins behind it. They are
// seen by scope: what is in none only by who sees everything.
func (tx *Tx) Networks(see ipam.Visible, f ipam.NetworkFilter, p ipam.Page) (all []ipam.Network, cursors []string, err error) {
	s := tx.from("observations", "account_id, network, max(scope_id), count(DISTINCT CASE WHEN kind = 'subnet' THEN cloud_id END), count(CASE WHEN kind = 'secondary' THEN 1 END), min(first_seen), min(region), max(region)")
	s.and("network <> ''") // as all are: the index of networks says so, and then no list of an account's blocks takes it for its own
	s.sees(see, "scope_id", "")
	s.inScope("scope_id", f.Scope)
	if f.Account != "" {
		cloud, externalID, _ := strings.Cut(f.Account, ":")
		s.and("account_id = (SELECT named.id FROM accounts named WHERE named.cloud = ? AND named.external_id = ?)", cloud, externalID)
	}
	if f.Cloud != "" {
		s.and("(SELECT of.cloud FROM accounts of WHERE of.id = account_id) = ?", string(f.Cloud))
	}
	if f.ID != "" {
		cloud, id, _ := strings.Cut(f.ID, ":")
		s.and("network = ? AND account_id IN (SELECT of.id FROM accounts of WHERE of.cloud = ?)", id, cloud)
	}
	if f.Region != "" {
		s.and("EXISTS (SELECT 1 FROM observations there WHERE there.account_id = observations.account_id AND there.network = observations.network AND there.network <> '' AND there.region = ?)", f.Region)
	}
	if f.Unmapped {
		s.and("scope_id IS NULL")
	}
	if p.After.ID != "" {
		var account int64
		key, network, found := strings.Cut(p.After.ID, "/")
		if _, err := fmt.Sscan(key, &account); err != nil || !found {
			return nil, nil, ipam.Invalid("query:page_token", "this page token is of another list; pass next_page_token back to the list that it came from")
		}
		s.and("(account_id, network) > (?, ?)", account, network)
	}
	s.text.WriteString(" GROUP BY account_id, network ORDER BY account_id, network LIMIT " + s.arg(p.Limit))
	rows, err := list(tx, s, func(r *networkRow) []any {
		return []any{&r.account, &r.network, &r.scope, &r.subnets, &r.secondary, &r.firstSeen, &r.first, &r.last}
	}, func(r networkRow) (networkRow, error) {
		if r.region = r.first; r.first != r.last {
			r.region = "global"
		}
		return r, nil
	})
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	blocks, err := tx.networkBlocks(see, rows[0], rows[len(rows)-1])
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		n, err := tx.network(r, blocks[fmt.Sprintf("%d/%s", r.account, r.network)])
		if err != nil {
			return nil, nil, err
		}
		all, cursors = append(all, n), append(cursors, networkCursor(n.Observation, r.account))
	}
	return all, cursors, nil
}

// networkBlocks are the blocks of the networks from one to another.
func (tx *Tx) networkBlocks(see ipam.Visible, from, to networkRow) (map[string][]ipam.Observation, error) {
	s := tx.from("named_observations", observationColumns)
	s.sees(see, "scope_id", "")
	s.and("kind = 'network' AND network <> '' AND (account_id, network) >= (?, ?)", from.account, from.network)
	s.and("(account_id, network) <= (?, ?)", to.account, to.network)
	found := map[string][]ipam.Observation{}
	_, err := list(tx, s, observationFields, func(r query.NamedObservation) (ipam.Observation, error) {
		o, err := observation(r)
		at := fmt.Sprintf("%d/%s", r.AccountID, r.Network)
		found[at] = append(found[at], o)
		return o, err
	})
	return found, err
}

func (tx *Tx) network(r networkRow, blocks []ipam.Observation) (n ipam.Network, err error) {
	if len(blocks) > 0 {
		n.Observation = blocks[0]
	} else {
		account, err := tx.accountOf(r.account)
		if err != nil {
			return n, err
		}
		n.Observation = ipam.Observation{Account: account, Kind: ipam.ObservedNetwork, CloudID: r.network, Network: r.network, Region: r.region, Labels: ipam.Labels{}}
		if r.scope != nil {
			s, err := tx.Scope(ipam.Everything, string(uid(scopeKey, *r.scope)))
			if err != nil {
				return n, err
			}
			n.Scope, n.ScopeUID = s.ID, s.UID
		}
	}
	for _, o := range blocks {
		n.CIDRs = append(n.CIDRs, o.CIDR)
	}
	slices.SortFunc(n.CIDRs, netip.Prefix.Compare)
	n.Subnets, n.Secondary, n.FirstSeen = r.subnets, r.secondary, moment(r.firstSeen)
	return n, nil
}

// accountOf is what people call the account with a key.
func (tx *Tx) accountOf(key int64) (account string, err error) {
	s := tx.from("accounts", "cloud || ':' || external_id")
	s.and("id = ?", key)
	_, err = list(tx, s, func(text *string) []any { return []any{text} }, func(text string) (string, error) {
		account = text
		return text, nil
	})
	return account, err
}
