package cloudpam

import (
	"net/http"
	"strconv"
)

// etagOf is the ETag of an object by what it says of itself. The header of the answer may have been weakened on its way, or
// dropped, by a proxy that compresses; it stands in for what has no version.
func etagOf(object any, header http.Header) string {
	key, version := "", int64(0)
	switch o := object.(type) {
	case Scope:
		key, version = o.UID, o.Version
	case Pool:
		key, version = o.UID, o.Version
	case Account:
		key, version = o.UID, o.Version
	case Allocation:
		key, version = o.ID, o.Version
	case AllocationSet:
		key, version = o.ID, o.Version
	case Reservation:
		key, version = o.ID, o.Version
	}
	if key == "" {
		return header.Get("ETag")
	}
	return `"` + key + "." + strconv.FormatInt(version, 10) + `"`
}
