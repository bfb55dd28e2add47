package main

import (
	"context"
	"os"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type approveCommand struct {
	asks
	IDs     []string `arg:"" name:"approval" optional:"" predictor:"approval" help:"Ids of requests to decide; without one, those that wait are listed."`
	Refuse  bool     `help:"Refuse them."`
	Comment string   `help:"What who asked is told."`
	Pool    string   `predictor:"pool" help:"List only those of this pool."`
	Yes     bool     `help:"Do not ask."`
}

// Run lists what waits for approval, or decides it as it was shown. It ends with 3 where something was not decided.
func (c *approveCommand) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	if len(c.IDs) == 0 {
		all, err := listed(cloudpam.Collect(s.Approvals(ctx, cloudpam.ListApprovalsParams{Status: new(cloudpam.ApprovalStatusPending), Pool: given(c.Pool), Limit: new(1000)})))
		if err != nil {
			return err
		}
		return c.show(all, approvalHeads, approvalRows(all), count(len(all), "request waits", "requests wait"))
	}
	var ask cloudpam.NewDecisions
	var shown []cloudpam.Approval
	decision, verb := cloudpam.NewDecisionDecisionApprove, "Approve"
	if c.Refuse {
		decision, verb = cloudpam.NewDecisionDecisionRefuse, "Refuse"
	}
	for _, id := range c.IDs {
		a, err := s.GetApproval(ctx, id)
		if err != nil {
			return err
		}
		shown = append(shown, a)
		// The digest is of what is shown below: what somebody makes of the request in between is not decided.
		ask.Decisions = append(ask.Decisions, cloudpam.NewDecision{Approval: a.ID, Digest: a.Digest, Decision: decision, Comment: given(c.Comment)})
	}
	if !c.Yes {
		table(os.Stderr, width(os.Stderr), approvalHeads, approvalRows(shown))
	}
	if err := agree(c.Yes, verb+"?"); err != nil {
		return err
	}
	done, err := s.DecideApprovals(ctx, ask)
	if err != nil {
		return err
	}
	var rows [][]string
	refused := 0
	for i, item := range done.Items {
		row := []string{c.IDs[i], "", ""}
		switch {
		case item.Problem != nil:
			refused++
			row[1], row[2] = item.Problem.Code, item.Problem.Detail
		case item.Approval != nil:
			row[1], row[2] = string(item.Approval.Status), item.Approval.Reason
		}
		rows = append(rows, row)
	}
	err = c.show(done, []string{"APPROVAL", "STATUS", "WHAT"}, rows, "")
	if err == nil && refused > 0 {
		return errPending
	}
	return err
}

var approvalHeads = []string{"APPROVAL", "CIDR", "POOL", "NAME", "ACTION", "BY", "WHY", "UNTIL"}

func approvalRows(all []cloudpam.Approval) (rows [][]string) {
	for _, a := range all {
		var blocks, names []string
		for _, b := range a.Blocks {
			blocks, names = append(blocks, b.CIDR), append(names, b.Name)
		}
		rows = append(rows, []string{a.ID, strings.Join(blocks, " "), a.Pool, strings.Join(names, " "), a.Action, a.RequestedBy, a.Reason, at(a.Until)})
	}
	return rows
}
