package main

import (
	"context"
	"crypto/sha256"
	"database/sql" //nolint:depguard // the loop is what the store is compared with
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" //nolint:depguard // as above

	"github.com/cloudpam/cloudpam/server/internal/alloc"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/store/query"
)

// prepared runs the store's generated SQL on one connection, each text prepared once.
type prepared struct {
	*sql.Conn
	known map[string]*sql.Stmt
}

func (p *prepared) stmt(ctx context.Context, text string) *sql.Stmt {
	st := p.known[text]
	if st == nil {
		var err error
		if st, err = p.PrepareContext(ctx, text); err != nil {
			panic(err) // the store prepares the same text
		}
		p.known[text] = st
	}
	return st
}

func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return p.stmt(ctx, text).ExecContext(ctx, args...)
}

func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return p.stmt(ctx, text).QueryContext(ctx, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	return p.stmt(ctx, text).QueryRowContext(ctx, args...)
}

// bareLoop allocates in one goroutine, in transactions of a fixed number, and returns its rate. It writes every row that
// the server writes and looks for space as the server does. It leaves out what serving is made of: HTTP, tokens,
// validation, the queue, and the looks for a name or a key that is there already.
func bareLoop(ctx context.Context, path string, batch int, length time.Duration) (r result, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"+
		"&_pragma=cache_size(-65536)&_pragma=temp_store(memory)")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return r, err
	}
	w := &bareWriter{conn: &prepared{Conn: conn, known: map[string]*sql.Stmt{}}, run: uuid.NewString()}
	defer func() {
		for _, st := range w.conn.known {
			err = errors.Join(err, st.Close())
		}
		err = errors.Join(err, conn.Close())
	}()
	w.rows = query.New(w.conn)
	if w.pool, err = w.rows.PoolNamed(ctx, query.PoolNamedParams{ScopeName: ipam.DefaultScope, Name: poolID}); err != nil {
		return r, err
	}
	head, err := w.rows.Chain(ctx, w.pool.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return r, err
	}
	w.seq, w.hash = head.Length, head.Hash
	begin, cpu := time.Now(), processor()
	for time.Since(begin) < length {
		if err := w.commit(ctx, batch); err != nil {
			return r, err
		}
	}
	made := float64(w.made)
	return result{rate: made / time.Since(begin).Seconds(), perCommit: float64(batch), cpu: (processor() - cpu).Seconds() / made * 1e6}, nil
}

// processor is the time that this process has had of the processors.
func processor() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // only for a wrong argument
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

type bareWriter struct {
	conn *prepared
	rows *query.Queries
	run  string // keeps the names of two runs on one file apart
	pool query.NamedPool
	made int
	seq  int64
	hash []byte
}

func (w *bareWriter) commit(ctx context.Context, batch int) error {
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for range batch {
		if err := w.allocate(ctx); err != nil {
			return err
		}
	}
	_, err := w.conn.ExecContext(ctx, "COMMIT")
	return err
}

func (w *bareWriter) allocate(ctx context.Context) error {
	w.made++
	at := time.Now().UTC().Truncate(time.Microsecond)
	micros := at.UnixMicro()
	id, name, key := ipam.NewUID("alloc"), fmt.Sprintf("bare-%s-%d", w.run, w.made), uuid.NewString()
	_, err := w.rows.LastBlock(ctx, query.LastBlockParams{SpaceID: w.pool.ID, Kind: "allocation", Name: name, Length: blockLength})
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for the last block: %w", err)
	}
	p, err := w.take(ctx)
	if err != nil {
		return err
	}
	first, last := p.Addr().As16(), ipam.LastIP(p).As16()
	if err := w.rows.InsertPrefix(ctx, query.InsertPrefixParams{
		ID: id.Key(), ScopeID: w.pool.ScopeID, SpaceID: w.pool.ID, Kind: "allocation", Status: "allocated", Name: name, Cidr: p.String(), Family: 4,
		FirstIp: first[:], LastIp: last[:], Length: blockLength, CreatedAt: micros,
	}); err != nil {
		return err
	}
	if err := w.rows.InsertAllocation(ctx, query.InsertAllocationParams{
		ID: id.Key(), ScopeID: w.pool.ScopeID, PoolID: w.pool.ID, Name: name, Family: 4, FirstIp: first[:], Length: blockLength, Labels: "{}", CreatedAt: micros,
	}); err != nil {
		return err
	}
	in := ipam.In{Scope: ipam.DefaultScope, ScopeUID: ipam.KeyUID("scope", w.pool.ScopeID), Pool: poolID, PoolUID: ipam.KeyUID("pool", w.pool.ID)}
	after, err := json.Marshal(ipam.Allocation{
		ID: string(id), In: in, Name: name, CIDR: p, Details: ipam.Details{Labels: ipam.Labels{}}, Version: 1, CreatedAt: at, UpdatedAt: at,
	})
	if err != nil {
		return err
	}
	w.seq++
	e := ipam.Event{
		ID: string(ipam.NewUID("event")), Chain: ipam.ChainOf(in.PoolUID), Seq: w.seq, ScopeUID: in.ScopeUID, At: at, Principal: ipam.SystemPrincipalUID,
		Actor: "token:bootstrap", Action: "allocation.created", ObjectKind: "allocation", ObjectID: string(id), RequestID: key, After: after,
	}
	w.hash = e.Link(w.hash)
	if err := w.rows.InsertEvent(ctx, query.InsertEventParams{
		ID: ipam.UID(e.ID).Key(), ChainID: w.pool.ID, Seq: e.Seq, ScopeID: w.pool.ScopeID, Scope: in.Scope, At: micros, PrincipalID: 1, Actor: e.Actor,
		Action: e.Action, ObjectKind: e.ObjectKind, ObjectID: id.Key(), RequestID: e.RequestID, After: string(after), Hash: w.hash,
	}); err != nil {
		return err
	}
	if err := w.rows.SetChain(ctx, query.SetChainParams{ID: w.pool.ID, ScopeID: w.pool.ScopeID, Length: w.seq, Hash: w.hash}); err != nil {
		return err
	}
	digest, event := sha256.Sum256([]byte(key)), ipam.UID(e.ID).Key()
	return w.rows.InsertIdempotentAnswer(ctx, query.InsertIdempotentAnswerParams{
		ID: ipam.NewUID("answer").Key(), Digest: digest[:16], Fingerprint: w.hash, EventID: &event, CreatedAt: micros,
	})
}

// take splits the best free block.
func (w *bareWriter) take(ctx context.Context) (netip.Prefix, error) {
	var first []byte
	var length int64
	if err := w.conn.QueryRowContext(ctx, query.SmallestFreeBlock, w.pool.ID, blockLength).Scan(&first, &length); err != nil {
		return netip.Prefix{}, err
	}
	if _, err := w.rows.DeleteFreeBlock(ctx, query.DeleteFreeBlockParams{PoolID: w.pool.ID, FirstIp: first, Length: length}); err != nil {
		return netip.Prefix{}, err
	}
	leaf := netip.PrefixFrom(netip.AddrFrom16([16]byte(first)).Unmap(), int(length))
	p := netip.PrefixFrom(leaf.Addr(), blockLength)
	for _, b := range alloc.Buddies(leaf, p) {
		first := b.Addr().As16()
		if err := w.rows.InsertFreeBlock(ctx, query.InsertFreeBlockParams{PoolID: w.pool.ID, FirstIp: first[:], Length: int64(b.Bits())}); err != nil {
			return netip.Prefix{}, err
		}
	}
	return p, nil
}
