package webhook

import "context"

// Once does one round of what Deliver does again and again.
func (b *Book) Once(ctx context.Context) (int64, error) { return b.once(ctx) }
