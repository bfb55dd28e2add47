// Package insight answers what is there: objects and lists of them, as far as their reader sees them, and what no single row answers,
// trees, maps, how full a pool is. It only reads.
package insight

import "github.com/cloudpam/cloudpam/server/internal/change"

// Viewer answers questions. It is safe for concurrent use.
type Viewer struct{ k *change.Kernel }

// New makes a Viewer.
func New(k *change.Kernel) *Viewer { return &Viewer{k: k} }
