package ipam

import (
	"encoding/json"
	"time"
)

// DriftRecord is a difference between clouds and what is desired that a scope has, or had.
type DriftRecord struct {
	UID                                                        UID
	ID, Kind, Account, Region, CIDR, Desired, Observed, Detail string
	Facts                                                      string
	FirstSeen                                                  time.Time
	EndedAt                                                    *time.Time // nil while it lasts
}

// DriftIgnore is that somebody ignores a difference, until its facts are others.
type DriftIgnore struct {
	UID       UID       `json:"uid"`
	Scope     string    `json:"scope"`
	ScopeUID  UID       `json:"scope_uid"`
	Drift     string    `json:"drift"`
	Facts     string    `json:"facts"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"created_at"`
}

// DriftRules are the rules that say what becomes of differences, in their order: package drift knows what one is.
type DriftRules struct {
	UID       UID             `json:"uid"`
	Rules     json.RawMessage `json:"rules"`
	Version   int64           `json:"version"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// ETag is the version of the rules.
func (r DriftRules) ETag() string { return etag(r.UID, r.Version) }
