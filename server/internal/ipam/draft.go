package ipam

// RealPool hides a draft, which only a plan knows: to everybody else there is no such pool.
func RealPool(p Pool, err error) (Pool, error) {
	if err == nil && p.DraftUntil != nil {
		return Pool{}, Errorf(CodeNotFound, "there is no pool %q", p.ID)
	}
	return p, err
}

// RealScope hides a draft, as RealPool does.
func RealScope(s Scope, err error) (Scope, error) {
	if err == nil && s.DraftUntil != nil {
		return Scope{}, Errorf(CodeNotFound, "there is no scope %q", s.ID)
	}
	return s, err
}
