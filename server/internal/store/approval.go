package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// Approval reads a request; CodeNotFound when there is none to see.
func (tx *Tx) Approval(see ipam.Visible, id string) (ipam.Approval, error) {
	row, err := tx.rows.Approval(tx.ctx, ipam.KeyOf(approvalKey, id))
	if err != nil {
		return ipam.Approval{}, absent(err, "approval", id)
	}
	a, err := approval(row)
	return seen(tx, see, a, a.In, err, "approval", id)
}

// ApprovalAbout reads what a requester asked for last about something; false when that is nothing.
func (tx *Tx) ApprovalAbout(requester ipam.UID, target string) (ipam.Approval, bool, error) {
	row, err := tx.rows.ApprovalAbout(tx.ctx, query.ApprovalAboutParams{RequesterID: requester.Key(), Target: target})
	return found(row, err, approval)
}

// OpenApprovals lists what waits in a pool for a decision, or for its change to be made.
func (tx *Tx) OpenApprovals(pool ipam.UID) ([]ipam.Approval, error) {
	rows, err := tx.rows.OpenApprovals(tx.ctx, pool.Key())
	return all(rows, err, approval)
}

// OverApprovals lists up to limit open requests of a status whose time is over by then.
func (tx *Tx) OverApprovals(status ipam.ApprovalStatus, now time.Time, limit int) ([]ipam.Approval, error) {
	rows, err := tx.rows.OverApprovals(tx.ctx, query.OverApprovalsParams{Status: string(status), Now: micros(now), MaxRows: int32(limit)})
	return all(rows, err, approval)
}

// CountApprovals counts what waits for a decision.
func (tx *Tx) CountApprovals(now time.Time) (int64, error) {
	return tx.rows.CountApprovals(tx.ctx, micros(now))
}

// HoldsOfApproval lists what is held for a request.
func (tx *Tx) HoldsOfApproval(request ipam.UID) ([]ipam.Hold, error) {
	rows, err := tx.rows.HoldsOfApproval(tx.ctx, keyOrNull(request))
	return all(rows, err, hold)
}

// InsertApproval adds a request, which is pending.
func (tx *Tx) InsertApproval(a ipam.Approval) error {
	blocks, err := json.Marshal(a.Blocks)
	if err != nil {
		return fmt.Errorf("encode the blocks of a request: %w", err)
	}
	return tx.rows.InsertApproval(tx.ctx, query.InsertApprovalParams{
		ID: a.ID.Key(), ScopeID: a.ScopeUID.Key(), PoolID: a.PoolUID.Key(), RequesterID: a.Requester.Key(), Action: a.Action, Target: a.Target, Digest: a.Digest,
		Blocks: string(blocks), Reason: a.Reason, Source: a.Source, Until: micros(a.Until), CreatedAt: micros(a.CreatedAt),
	})
}

// UpdateApproval writes what may change of a request.
func (tx *Tx) UpdateApproval(a ipam.Approval) error {
	return tx.rows.UpdateApproval(tx.ctx, query.UpdateApprovalParams{
		ID: a.ID.Key(), Status: string(a.Status), DeciderID: keyOrNull(a.Decider), DecidedAt: optionalMicros(a.DecidedAt), Comment: a.Comment, Emergency: a.Emergency,
		Until: micros(a.Until), Version: a.Version, UpdatedAt: micros(a.UpdatedAt),
	})
}

const approvalColumns = "id, scope_id, pool_id, requester_id, action, target, digest, blocks, reason, source, status, decider_id, decided_at, comment, emergency, until, version, created_at, updated_at, actor, decided_by"

// Approvals lists a page of requests, the newest first.
func (tx *Tx) Approvals(see ipam.Visible, f ipam.ApprovalFilter, p ipam.Page) ([]ipam.Approval, error) {
	s := tx.from("named_approvals", approvalColumns)
	s.sees(see, "scope_id", "pool_id")
	s.inScope("scope_id", f.Scope)
	s.inPool("pool_id", f.Pool)
	s.principal("requester_id", f.Requester)
	s.equal("status", string(f.Status))
	s.contains(f.Text, "actor", "blocks", "reason")
	p.Order = ipam.NewestFirst
	s.page(p, approvalKey, false)
	return list(tx, s, func(r *query.NamedApproval) []any {
		return []any{
			&r.ID, &r.ScopeID, &r.PoolID, &r.RequesterID, &r.Action, &r.Target, &r.Digest, &r.Blocks, &r.Reason, &r.Source, &r.Status, &r.DeciderID, &r.DecidedAt,
			&r.Comment, &r.Emergency, &r.Until, &r.Version, &r.CreatedAt, &r.UpdatedAt, &r.Actor, &r.DecidedBy,
		}
	}, approval)
}

func approval(row query.NamedApproval) (ipam.Approval, error) {
	a := ipam.Approval{
		ID: uid(approvalKey, row.ID), In: ipam.In{ScopeUID: uid(scopeKey, row.ScopeID), PoolUID: uid(poolKey, row.PoolID)}, Requester: uid(principalKey, row.RequesterID), Actor: actor(row.Actor),
		Action: row.Action, Target: row.Target, Digest: row.Digest, Reason: row.Reason, Source: row.Source, Status: ipam.ApprovalStatus(row.Status),
		Decider: optionalUID(principalKey, row.DeciderID), DecidedAt: optionalMoment(row.DecidedAt), Comment: row.Comment, Emergency: row.Emergency,
		Until: moment(row.Until), Version: row.Version, CreatedAt: moment(row.CreatedAt), UpdatedAt: moment(row.UpdatedAt),
	}
	if a.Decider != "" {
		a.DecidedBy = actor(row.DecidedBy)
	}
	if err := json.Unmarshal([]byte(row.Blocks), &a.Blocks); err != nil || len(a.Blocks) == 0 {
		return a, fmt.Errorf("read the blocks of a request from the database: %w", err)
	}
	a.Scope, a.Pool = a.Blocks[0].Scope, a.Blocks[0].Pool
	return a, nil
}
