package cloudpam

import (
	"context"
	"iter"
)

// SyncAccount has the server look at an account now. It waits up to 45 seconds, and fails with ErrNotFound.
func (c *Client) SyncAccount(ctx context.Context, id string, ask SyncRequest, opts ...CallOption) (SyncOutcome, error) {
	call := newCall(opts)
	resp, err := c.raw.SyncAccount(ctx, id, ask, call.edit)
	return answer[SyncOutcome](call, resp, err)
}

// GetAccountSync says how well an account has been seen. It fails with ErrNotFound.
func (c *Client) GetAccountSync(ctx context.Context, id string) (AccountViews, error) {
	resp, err := c.raw.GetAccountSync(ctx, id)
	return answer[AccountViews](&call{}, resp, err)
}

// CheckAccount asks the cloud whether CloudPAM can do in an account what its mode says. It fails with ErrNotFound.
func (c *Client) CheckAccount(ctx context.Context, id string, opts ...CallOption) (AccountCheck, error) {
	call := newCall(opts)
	resp, err := c.raw.CheckAccount(ctx, id, call.edit)
	return answer[AccountCheck](call, resp, err)
}

// GetRestoration says whether the database was brought back from a backup, and which accounts have not been seen since.
func (c *Client) GetRestoration(ctx context.Context) (Restoration, error) {
	resp, err := c.raw.GetRestoration(ctx)
	return answer[Restoration](&call{}, resp, err)
}

// EndRestoration lets pools hand out before all accounts have been seen. It takes admin everywhere.
func (c *Client) EndRestoration(ctx context.Context, opts ...CallOption) error {
	call := newCall(opts)
	return done(c.raw.EndRestoration(ctx, nil, call.edit))
}

// Observations lists what clouds showed.
func (c *Client) Observations(ctx context.Context, filter ListObservationsParams) iter.Seq2[Observation, error] {
	return pages(func(token *string) ([]Observation, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListObservations(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListObservations reads one page of observations. Use Observations to walk all of them.
func (c *Client) ListObservations(ctx context.Context, filter ListObservationsParams) (ObservationPage, error) {
	resp, err := c.raw.ListObservations(ctx, &filter)
	return answer[ObservationPage](&call{}, resp, err)
}

// Drifts lists how what clouds showed differs from what is desired in a scope.
func (c *Client) Drifts(ctx context.Context, filter ListDriftsParams) iter.Seq2[Drift, error] {
	return pages(func(token *string) ([]Drift, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListDrifts(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListDrifts reads one page of drifts. Use Drifts to walk all of them.
func (c *Client) ListDrifts(ctx context.Context, filter ListDriftsParams) (DriftPage, error) {
	resp, err := c.raw.ListDrifts(ctx, &filter)
	return answer[DriftPage](&call{}, resp, err)
}

// Networks lists the networks that clouds showed.
func (c *Client) Networks(ctx context.Context, filter ListNetworksParams) iter.Seq2[Network, error] {
	return pages(func(token *string) ([]Network, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListNetworks(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListNetworks reads one page of networks. Use Networks to walk all of them.
func (c *Client) ListNetworks(ctx context.Context, filter ListNetworksParams) (NetworkPage, error) {
	resp, err := c.raw.ListNetworks(ctx, &filter)
	return answer[NetworkPage](&call{}, resp, err)
}

// AnswerDrifts ignores, sees again or adopts drifts. What is refused is in the verdicts. It fails with ErrNotFound where there is no such
// scope.
func (c *Client) AnswerDrifts(ctx context.Context, ask DriftAnswer, opts ...CallOption) (DriftVerdicts, error) {
	call := newCall(opts)
	resp, err := c.raw.AnswerDrifts(ctx, nil, ask, call.edit)
	return answer[DriftVerdicts](call, resp, err)
}

// DriftHistory lists the drifts that a scope has or had, the oldest first.
func (c *Client) DriftHistory(ctx context.Context, filter ListDriftHistoryParams) iter.Seq2[DriftRecord, error] {
	return pages(func(token *string) ([]DriftRecord, *string, error) {
		filter := filter
		if token != nil {
			filter.PageToken = token
		}
		page, err := c.ListDriftHistory(ctx, filter)
		return page.Items, page.NextPageToken, err
	})
}

// ListDriftHistory reads one page of that history. Use DriftHistory to walk all of it.
func (c *Client) ListDriftHistory(ctx context.Context, filter ListDriftHistoryParams) (DriftRecordPage, error) {
	resp, err := c.raw.ListDriftHistory(ctx, &filter)
	return answer[DriftRecordPage](&call{}, resp, err)
}

// GetDriftRules reads the rules that say what becomes of drifts.
func (c *Client) GetDriftRules(ctx context.Context, opts ...CallOption) (DriftRules, error) {
	call := newCall(opts)
	resp, err := c.raw.GetDriftRules(ctx, call.edit)
	return answer[DriftRules](call, resp, err)
}

// SetDriftRules replaces these rules. It fails with ErrPreconditionRequired or ErrPreconditionFailed where there are others.
func (c *Client) SetDriftRules(ctx context.Context, rules DriftRuleList, opts ...CallOption) (DriftRules, error) {
	call := newCall(opts)
	resp, err := c.raw.SetDriftRules(ctx, nil, rules, call.edit)
	return answer[DriftRules](call, resp, err)
}

// PreviewDriftRules says what rules would make of the drifts of a scope; "" is the scope default.
func (c *Client) PreviewDriftRules(ctx context.Context, scope string, rules DriftRuleList) (DriftVerdicts, error) {
	ask := PreviewDriftRulesParams{}
	if scope != "" {
		ask.Scope = &scope
	}
	resp, err := c.raw.PreviewDriftRules(ctx, &ask, rules)
	return answer[DriftVerdicts](&call{}, resp, err)
}

// JoinStates says which Terraform state manages what clouds showed. It takes addresses and ids, and never a state itself.
func (c *Client) JoinStates(ctx context.Context, ask NewStateJoin) (StateJoin, error) {
	resp, err := c.raw.JoinStates(ctx, ask)
	return answer[StateJoin](&call{}, resp, err)
}

// AdoptObservations makes what clouds have desired, or says with DryRun what would become of each block. What cannot be adopted is in
// the verdicts. It fails with ErrNotFound where there is no such account.
func (c *Client) AdoptObservations(ctx context.Context, ask NewAdoption, opts ...CallOption) (Adoption, error) {
	call := newCall(opts)
	resp, err := c.raw.AdoptObservations(ctx, nil, ask, call.edit)
	return answer[Adoption](call, resp, err)
}

// GetTerraformModules writes the Terraform of what was adopted of an account. It fails with ErrNotFound where there is no such account.
func (c *Client) GetTerraformModules(ctx context.Context, ask GetTerraformModulesParams) (TerraformModules, error) {
	resp, err := c.raw.GetTerraformModules(ctx, &ask)
	return answer[TerraformModules](&call{}, resp, err)
}
