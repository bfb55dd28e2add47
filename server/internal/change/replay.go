package change

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// answered fills in the stored answer of a request that was carried out before, and reports whether it was. What the answer
// held before is overwritten whole: a failed attempt may have left something in it that the stored JSON omits.
func answered[T any](tx *store.Tx, by ipam.Caller, answer *T) (bool, error) {
	if by.Retry == nil {
		return false, nil
	}
	by.Retry.Replayed = false
	known, found, err := tx.Answer(by.UID, by.Retry.Key)
	if err != nil || !found {
		return false, err
	}
	if string(known.Fingerprint) != string(by.Retry.Fingerprint[:]) {
		return true, ipam.Errorf(ipam.CodeIdempotencyMismatch, "the Idempotency-Key %q was used for another request; use a new key for a new request", by.Retry.Key)
	}
	by.Retry.Replayed = true
	if known.Refused {
		var refusal ipam.Error
		if err := json.Unmarshal([]byte(known.Body), &refusal); err != nil {
			return true, fmt.Errorf("decode a stored refusal: %w", err)
		}
		return true, &refusal
	}
	var fresh T
	if err := json.Unmarshal([]byte(known.Body), &fresh); err != nil {
		return true, fmt.Errorf("decode a stored answer: %w", err)
	}
	*answer = fresh
	return true, nil
}

// Refuse stores a refusal that must be told again to who repeats the request: the state that it was about is gone with it.
func Refuse(tx *store.Tx, by ipam.Caller, failure error, at time.Time) error {
	refusal, ok := errors.AsType[*ipam.Error](failure)
	if !ok || by.Retry == nil {
		return nil
	}
	text, err := json.Marshal(refusal)
	if err != nil {
		return fmt.Errorf("encode a refusal: %w", err)
	}
	return tx.InsertAnswer(by.UID, by.Retry.Key, store.Answer{Fingerprint: by.Retry.Fingerprint[:], Body: string(text), Refused: true}, at)
}

// WriteRefused runs a body in one transaction and stores the refusal that its caller is told all the same, which it returns: the error
// of a request that has an effect. Errors besides: those of the body.
func WriteRefused(ctx context.Context, k *Kernel, by ipam.Caller, lane string, refusal error, body func(Change) error) error {
	if _, part := partOf(ctx, by); part || by.DryRun {
		return refusal // with no effect: it is told again
	}
	err := k.DB.Write(ctx, lane, func(tx *store.Tx) error {
		c := k.change(tx, by)
		if err := body(c); err != nil {
			return err
		}
		return Refuse(tx, by, refusal, c.At)
	})
	if err != nil {
		return err
	}
	return refusal
}

// OrReplay returns the stored answer if this very request has succeeded before, and failure otherwise.
func OrReplay[T any](ctx context.Context, k *Kernel, by ipam.Caller, failure error) (T, error) {
	var answer T
	if by.Retry == nil || ipam.CodeOf(failure) == ipam.CodeIdempotencyMismatch {
		return answer, failure
	}
	looked := false
	err := k.DB.Read(ctx, func(tx *store.Tx) error {
		looked = true
		if found, err := answered(tx, by, &answer); found {
			return err
		}
		return failure // which says more than an error of this second look
	})
	if !looked {
		return answer, failure
	}
	return answer, err
}

// OrReplayMissing is OrReplay for a request that ends something: it is not there, perhaps because this very request ended it.
func OrReplayMissing(ctx context.Context, k *Kernel, by ipam.Caller, missing error) error {
	if ipam.CodeOf(missing) != ipam.CodeNotFound {
		return missing
	}
	_, err := OrReplay[struct{}](ctx, k, by, missing)
	return err
}

// answerMemory is how long an answer is kept: after that, a retry is a new request.
const answerMemory = 7 * 24 * time.Hour

// ForgetAnswers drops the stored answers of requests that are older than a week, in small writes, and reports how many.
func (k *Kernel) ForgetAnswers(ctx context.Context) (dropped int64, err error) {
	const some = 500
	for more := true; more; {
		err := k.Work(ctx, "answers", func(tx *store.Tx) error {
			n, err := tx.ForgetAnswers(k.Due().Add(-answerMemory), some)
			dropped, more = dropped+n, n == some
			return err
		})
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}
