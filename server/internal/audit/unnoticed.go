package audit

// Blind is what Verify does not notice when a hand changes it. No column is the whole table.
type Blind struct{ Table, Column, Why string }

// Unnoticed is all of it. TestVerifyNoticesEveryColumn changes each column of each table, so a new one is noticed or is here.
var Unnoticed = []Blind{
	{"scopes", "space_revision", "a counter that is locked and compared with nothing"},
	{"pools", "space_revision", "a counter that is locked and compared with nothing"},
	{"policies", "share_revision", "a counter that is locked and compared with nothing"},
	{"scopes", "draft_until", "a plan that is made again moves the end of its drafts without an event; whether it is a draft is noticed"},
	{"pools", "draft_until", "a plan that is made again moves the end of its drafts without an event; whether it is a draft is noticed"},
	{"holds", "expires_at", "a plan that is made again moves it without an event"},
	{"holds", "renewed_at", "a plan that is made again moves it without an event"},
	{"holds", "run", "each plan is another, without an event"},
	{"holds", "named", "how the last plan asked, without an event"},
	{"pools", "draft_run", "each plan is another, without an event"},
	{"pools", "draft_named", "how the last plan asked, without an event"},
	{"tokens", "used_at", "it moves with use, without an event"},
	{"tokens", "hash", "no event says anything about a secret"},
	{"sessions", "used_at", "it moves with use, without an event"},
	{"sessions", "hash", "no event says anything about a secret"},
	{"sessions", "claims", "what an issuer said of a person at a login; no event keeps it"},
	{"instance", "token_key", "no event says anything about a secret; with another key no token lets anyone in"},
	{"instance", "created_at", "nothing refers to it"},
	{"instance", "restored_at", "it ends when all accounts have been seen, without an event"},
	{"drift_records", "", "memory of drifts; it has no events, and the next round of looks sets right what lasts"},
	{"looks", "", "how well clouds were seen; it has no events, and the next look sets it right"},
	{"instance", "seen_at", "it moves with the time, without an event"},
	{"webhooks", "secret", "no event says anything about a secret"},
	{"webhooks", "former_secret", "no event says anything about a secret"},
	{"webhooks", "former_until", "no event says anything about a secret"},
	{"webhooks", "failures", "how deliveries go; it moves without events"},
	{"webhooks", "failing_since", "how deliveries go; it moves without events"},
	{"webhooks", "retry_at", "how deliveries go; it moves without events"},
	{"webhooks", "last_error", "how deliveries go; it moves without events"},
	{"webhook_feed", "", "how far events were given to webhooks; a wrong one at worst tells again, or not"},
	{"deliveries", "", "who is told of what; it has no events"},
	{"seal_keys", "", "the key of seals: no event says anything about a secret"},
	{"promises", "", "memory of what plans were promised; it has no events, and a wrong one at worst refuses an apply"},
	{"last_blocks", "", "memory of where names were; it has no events, and a wrong one at worst places a name elsewhere"},
	{"idempotency_keys", "", "answers for a week; they have no events"},
	{"leases", "", "who sweeps now"},
	{"import_rows", "", "which events are those of an import; an undo looks at the objects and their events themselves"},
	{"observations", "", "what clouds showed; it has no events, and the next complete look sets it right"},
	{"sync_states", "", "how well clouds were seen; it has no events, and the next look sets it right"},
	{"schema_info", "", "what applied the schema, for people"},
	{"schema_migrations", "", "the migration library's own; a start refuses a schema that is not this build's"},
	{"goose_lock", "", "the migration library's own lock on PostgreSQL"},
}

// BlindRows is what Verify does not notice when a hand adds or deletes a whole row.
var BlindRows = []Blind{
	{"principals", "insert", "a principal without a token or an issuer lets nobody in"},
	{"former_names", "delete", "names that were left are forgotten without an event"},
	{"seals", "delete", "the last one: the log of the server has it"},
	{"holds", "delete", "a lost hold is forgotten without an event; one that keeps a block is noticed"},
}

var blind = func() map[string]bool {
	columns := map[string]bool{}
	for _, b := range Unnoticed {
		columns[b.Table+"."+b.Column] = true
	}
	return columns
}()
