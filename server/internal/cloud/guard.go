package cloud

// MayDelete is nil where what is there is what somebody asks to delete, and ours. Every provider asks it about a fresh look, and asks
// nothing else, so that no cloud is more careless than another.
func MayDelete(there, asked Subnet) error {
	switch {
	case asked.Mark.Instance == "" || asked.Mark.Allocation == "":
		return Errorf(CodeConflict, "subnet %s has no mark to go by, so nothing says that it is ours to delete", asked.ID)
	case there.ID != asked.ID:
		return Errorf(CodeConflict, "%s is there where %s was to be deleted", there.ID, asked.ID)
	case there.Mark.Zero():
		return Errorf(CodeConflict, "subnet %s carries no mark of ours; whoever took it away keeps the subnet", there.ID)
	case !there.Mark.Same(asked.Mark):
		return Errorf(CodeConflict, "subnet %s is marked as allocation %s of CloudPAM %s, not %s of %s", there.ID, there.Mark.Allocation, there.Mark.Instance, asked.Mark.Allocation, asked.Mark.Instance)
	case len(asked.CIDRs) == 0 || !there.Has(asked.CIDRs[0]):
		return Errorf(CodeConflict, "subnet %s is %v, not %v", there.ID, there.CIDRs, asked.CIDRs)
	case there.Network != asked.Network:
		return Errorf(CodeConflict, "subnet %s is in network %s, not %s", there.ID, there.Network, asked.Network)
	}
	return nil
}
