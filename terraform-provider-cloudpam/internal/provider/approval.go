package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// How long an apply waits for approval where nothing else is said, at most, and between looks: the first come soon, since who approves may
// sit next to who applies.
const (
	approvalWait        = 20 * time.Minute
	longestApprovalWait = 24 * time.Hour
	firstApprovalLook   = time.Second
	betweenApprovals    = 15 * time.Second
)

// releaseRule is the rule of a policy that asks before a block is given up.
const releaseRule = "release_approval_above"

// unapproved says that a change was not made for want of an approval.
type unapproved struct {
	cloudpam.Approval

	waits time.Duration // that the run does at most
	cut   bool          // it was interrupted
}

func (u *unapproved) Error() string {
	return fmt.Sprintf("the request %s is %s", u.ID, u.Status)
}

// onceAllowed makes a change once what it needs is released and approved.
func onceAllowed[T any](ctx context.Context, s *session, do func() (T, error)) (T, error) {
	return onceReleased(ctx, s, func() (T, error) { return onceApproved(ctx, s, do) })
}

// onceApproved makes a change, and waits where that needs approval. The server holds the block and knows the change again, so a run that
// waits no longer loses nothing: the next one sends the same change.
func onceApproved[T any](ctx context.Context, s *session, do func() (T, error)) (T, error) {
	begun := time.Now()
	for {
		done, err := do()
		refusal, is := errors.AsType[*cloudpam.Error](err)
		if !is || refusal.Code != cloudpam.ErrApprovalRequired || refusal.Approval == nil {
			return done, err
		}
		now, err := s.decided(ctx, *refusal.Approval, begun.Add(s.planning.approvalWait))
		if err != nil {
			return done, err
		}
		switch now.Status {
		case cloudpam.ApprovalStatusApproved, cloudpam.ApprovalStatusRefused: // which the server says in full when it is asked again
		default:
			return done, &unapproved{now, s.planning.approvalWait, ctx.Err() != nil}
		}
	}
}

// givenUp gives something up, and waits where that needs approval.
func (s *session) givenUp(ctx context.Context, do func() error) error {
	_, err := onceApproved(ctx, s, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// decided looks at a request until it is decided or a time has come, and answers it as it is then.
func (s *session) decided(ctx context.Context, a cloudpam.Approval, end time.Time) (cloudpam.Approval, error) {
	a.URL = s.page(a.URL)
	for wait := firstApprovalLook; a.Status == cloudpam.ApprovalStatusPending && time.Now().Before(end); wait = min(wait*3/2, betweenApprovals) {
		tflog.Info(ctx, "waiting for approval", map[string]any{"request": a.ID, "decides": a.Deciders, "at": a.URL, "until": a.Until.Format(time.RFC3339)})
		look := time.NewTimer(min(wait, time.Until(end)))
		select {
		case <-look.C:
		case <-ctx.Done():
			look.Stop()
			return a, nil
		}
		now, err := s.client.GetApproval(ctx, a.ID)
		if ctx.Err() != nil {
			return a, nil
		}
		if err != nil {
			return a, err
		}
		now.URL = s.page(now.URL)
		a = now
	}
	return a, nil
}

// page is the address of a page of the server, which knows its own only where it is told.
func (s *session) page(url string) string {
	if strings.HasPrefix(url, "/") {
		return strings.TrimRight(s.endpoint, "/") + url
	}
	return url
}

// willWait warns while planning of what its apply needs approval for.
func (s *session) willWait(a attempt, req resource.ModifyPlanRequest, f *cloudpam.ApprovalForecast) (diags diag.Diagnostics) {
	if f == nil || s.planning.applies(req) {
		return diags
	}
	wait := fmt.Sprintf("waits up to %s for that (approval_timeout)", short(s.planning.approvalWait))
	if s.planning.approvalWait == 0 {
		wait = "ends with an error that says so, since approval_timeout is 0s"
	}
	meanwhile := "The block is held meanwhile, and an apply that comes after the approval gets exactly what this plan shows."
	if f.Blocks[0].Rule == releaseRule {
		meanwhile = "Nothing is given up before that, and an apply that comes after the approval goes on."
	}
	diags.AddWarning(fmt.Sprintf("%s will need approval", capital(a.object())), fmt.Sprintf(
		"%s.\n\nThe apply asks for it and %s. %s decides:\n\n  %s\n\n%s",
		neededBlocks(f.Blocks), wait, capital(f.Deciders), s.page(f.URL), meanwhile))
	return diags
}

// neededBlocks says which blocks need approval, and why.
func neededBlocks(blocks []cloudpam.ApprovalBlock) string {
	var all []string
	for _, b := range blocks {
		all = append(all, fmt.Sprintf("%s in pool %s: %s", b.CIDR, b.Pool, b.Detail))
	}
	return strings.Join(all, ";\n")
}

// waits explains why a change was not made yet, or will not be.
func (a attempt) waits(u *unapproved, diags *diag.Diagnostics) {
	what := fmt.Sprintf("To %s %s: %s.\n\n", a.verb, a.object(), neededBlocks(u.Blocks))
	const again = "Nothing was changed for this resource. Run terraform apply again"
	heldNoLonger, approved := ", and its block is held no longer", "it gets exactly this block, which is held until then"
	if u.Blocks[0].Rule == releaseRule {
		heldNoLonger, approved = "", "it has its block until then"
	}
	switch u.Status {
	case cloudpam.ApprovalStatusExpired:
		diags.AddError(fmt.Sprintf("Nobody approved %s in time", a.object()), what+fmt.Sprintf(
			"The request %s waited until %s%s. %s: it asks anew, and %s decides.", u.ID, u.Until.Format(time.RFC3339), heldNoLonger, again, u.Deciders))
	case cloudpam.ApprovalStatusSuperseded, cloudpam.ApprovalStatusWithdrawn:
		diags.AddError(fmt.Sprintf("The request for %s was %s", a.object(), u.Status), what+fmt.Sprintf(
			"%s was %s by %s, perhaps by another run, which asks for something else instead. %s to ask for what the configuration says.", u.ID, u.Status, u.RequestedBy, again))
	default:
		why := fmt.Sprintf("Terraform waited %s for it (approval_timeout). ", short(u.waits))
		switch {
		case u.cut:
			why = "The run was interrupted while it waited. "
		case u.waits == 0:
			why = "Terraform does not wait for it (approval_timeout). "
		}
		diags.AddError(fmt.Sprintf("%s waits for approval", capital(a.object())), what+fmt.Sprintf(
			"%s decides, until %s:\n\n  %s\n\n%s%s once it is approved: %s.", capital(u.Deciders), u.Until.Format(time.RFC3339), u.URL, why, again, approved))
	}
}
