package store

import "github.com/cloudpam/cloudpam/server/internal/ipam"

// What each kind of key is called in its UID.
const (
	poolKey        = "pool"
	scopeKey       = "scope"
	allocationKey  = "alloc"
	setKey         = "set"
	reservationKey = "rsv"
	holdKey        = "hold"
	quarantineKey  = "quarantine"
	accountKey     = "account"
	tokenKey       = "token"
	bindingKey     = "binding"
	principalKey   = "principal"
	sessionKey     = "session"
	eventKey       = "event"
	webhookKey     = "webhook"
	policyKey      = "policy"
	approvalKey    = "approval"
	deliveryKey    = "delivery"
	chainKey       = "chain"
	observationKey = "obs"
	importKey      = "import"
	syncKey        = "sync"
	driftKey       = "drift"
	ignoreKey      = "ignore"
	rulesKey       = "rules"
	anyKey         = "" // in a cursor of a list of several kinds
)

func uid(what string, key int64) ipam.UID { return ipam.KeyUID(what, key) }

func id(what string, key int64) string { return string(ipam.KeyUID(what, key)) }

// optionalUID is the UID of a key that may be missing.
func optionalUID(what string, key *int64) ipam.UID {
	if key == nil {
		return ""
	}
	return uid(what, *key)
}

// keyOrNull is the key of a UID that may be missing.
func keyOrNull(u ipam.UID) *int64 {
	if u == "" {
		return nil
	}
	key := u.Key()
	return &key
}

// ownerKey is what the key of the owner of a prefix is called.
func ownerKey(k ipam.Kind) string {
	switch k {
	case ipam.KindAllocation:
		return allocationKey
	case ipam.KindReservation:
		return reservationKey
	default:
		return string(k)
	}
}

// objectKey is what the key of the object of an event is called.
func objectKey(kind string) string {
	switch kind {
	case "allocation_set":
		return setKey
	case "drift_ignore":
		return ignoreKey
	case "drift_rules":
		return rulesKey
	}
	return ownerKey(ipam.Kind(kind))
}

// inPool is where a row of a pool belongs.
func inPool(scope int64, scopeName string, pool int64, poolName string) ipam.In {
	return ipam.In{Scope: scopeName, ScopeUID: uid(scopeKey, scope), Pool: ipam.PoolID(scopeName, poolName), PoolUID: uid(poolKey, pool)}
}
