package store_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

// Writes of many requests that share a transaction share its span: it is a step of one of them, and linked with the others to and fro,
// so that each trace leads to it.
func TestWritesThatShareATransactionShareItsSpan(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		seen := tracetest.NewSpanRecorder()
		tracer := sdk.NewTracerProvider(sdk.WithSpanProcessor(seen)).Tracer("test")
		const others = 5
		first, busy, free := make(chan struct{}), sync.WaitGroup{}, make(chan struct{})
		busy.Go(func() {
			err := db.Write(t.Context(), "a", func(*store.Tx) error {
				select {
				case <-first:
				default:
					close(first)
				}
				<-free
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-first
		for i := range others {
			busy.Go(func() {
				ctx, root := tracer.Start(context.Background(), "request")
				defer root.End()
				if err := db.Write(ctx, "a", insert(fmt.Sprint("s", i))); err != nil {
					t.Error(err)
				}
			})
		}
		for db.Stats().Waiting < others+1 {
			runtime.Gosched()
		}
		close(free)
		busy.Wait()

		var write sdk.ReadOnlySpan
		links := 0
		for _, s := range seen.Ended() {
			if s.Name() == "write" {
				if write != nil {
					t.Fatal("the writes did not share a transaction")
				}
				write = s
			}
		}
		if write == nil || len(write.Links()) != others-1 {
			t.Fatalf("the transaction's span is %v", write)
		}
		for _, s := range seen.Ended() {
			trace, own := s.SpanContext().TraceID(), write.SpanContext().SpanID()
			if s.Name() != "request" {
				continue
			}
			if len(s.Links()) == 1 && s.Links()[0].SpanContext.SpanID() == own {
				links++
			} else if trace != write.SpanContext().TraceID() {
				t.Error("a request does not lead to its transaction")
			}
		}
		if links != others-1 {
			t.Errorf("%d requests are linked with it", links)
		}
	})
}
