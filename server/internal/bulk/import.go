// Package bulk makes and changes many objects by one file, as single requests would: all rows in one transaction, or none. It knows no
// format; whoever reads the file says what each row asks for.
package bulk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"

	"github.com/cloudpam/cloudpam/server/internal/account"
	"github.com/cloudpam/cloudpam/server/internal/change"
	"github.com/cloudpam/cloudpam/server/internal/ipam"
	"github.com/cloudpam/cloudpam/server/internal/registry"
	"github.com/cloudpam/cloudpam/server/internal/store"
)

// Most is how many rows one file has at most: its transaction keeps others from writing for so long.
const Most = 10_000

// Importer imports files. It is safe for concurrent use.
type Importer struct {
	k        *change.Kernel
	registry *registry.Registry
	accounts *account.Book
}

// New makes an Importer.
func New(k *change.Kernel, r *registry.Registry, b *account.Book) *Importer {
	return &Importer{k, r, b}
}

// File is what a file asks for.
type File struct {
	Kind   ipam.ImportKind
	Sum    [sha256.Size]byte // of the file as it came, and of how its columns are read
	Rows   []Row
	Digest string // that was shown by a dry run of it
}

// Row is one row of a file.
type Row struct {
	Number  int
	Key     string // of the object, as its export has it; "": it is known by its name
	Version int64  // of that, as its export has it; 0: whichever
	Ask     Ask
	Problem *ipam.Error // why it asks for nothing that there is; Ask is nil then
}

// Ask is what a row asks for: a Pool, an Allocation, a Reservation or an Account, as a new one and as a change of the one that is
// there. Each goes through the doors of single requests.
type Ask interface {
	// copied is the same for one run of the transaction, which notes in it what it finds.
	copied() Ask
	// around is the pool whose lock it takes, as far as it is known; "" and the scope of a root pool or an account.
	around(w *work) (scope, pool string, err error)
	// find looks for the object, as far as the caller sees it.
	find(w *work, key string) (object, bool, error)
	// would is the object after the change.
	would(w *work, now any) (any, error)
	create(w *work) (object, error)
	update(w *work, now object) (object, error)
}

// object is an object of any kind.
type object struct {
	what    string // it is
	key     ipam.UID
	id      string // as people say it
	name    string
	pool    string
	cidr    string
	version int64
	etag    string
	state   any
}

// Verdict is what becomes of a row.
type Verdict string

// The verdicts.
const (
	Created   Verdict = "created"
	Updated   Verdict = "updated"
	Unchanged Verdict = "unchanged"
	Refused   Verdict = "refused"
)

// Item is a row with its verdict.
type Item struct {
	Number  int         `json:"number"`
	Verdict Verdict     `json:"verdict"`
	Object  string      `json:"object,omitempty"` // its id; "" where it would only be made
	Name    string      `json:"name,omitempty"`
	Pool    string      `json:"pool,omitempty"`
	CIDR    string      `json:"cidr,omitempty"`
	Changed []string    `json:"changed,omitempty"` // of what is updated: its properties that are others
	Problem *ipam.Error `json:"-"`                 // of what is refused, which no answer that is stored has
}

// Outcome is an import with its rows.
type Outcome struct {
	ipam.Import

	Refused int    `json:"-"`
	Needs   int    `json:"-"` // approval, for so many blocks
	Items   []Item `json:"items"`
}

// roles are what rows of a kind take, as single requests do.
var roles = map[ipam.ImportKind]ipam.Role{
	ipam.ImportPools: ipam.Admin, ipam.ImportAllocations: ipam.Operator, ipam.ImportReservations: ipam.Operator, ipam.ImportAccounts: ipam.Admin,
}

// lane is one of its own: an import locks many spaces, in the whole order.
const lane = "import"

// errTryEach ends a transaction in which a row was refused: another lets each row fail alone, to say what becomes of all.
var errTryEach = errors.New("a row was refused")

// Import does what the rows of a file ask for, in one transaction with an event for each, or says in a dry run what it would. Errors:
// CodePreconditionRequired where no dry run was shown, CodePreconditionFailed where that had other verdicts; and that of the first row
// that is refused, with one field for each.
func (im *Importer) Import(ctx context.Context, by ipam.Caller, f File) (Outcome, error) {
	if !by.DryRun && f.Digest == "" {
		return Outcome{}, ipam.Errorf(ipam.CodePreconditionRequired, "say what was shown: send the same with Cloudpam-Dry-Run: true, look at the verdicts, and send it again with the digest of that answer")
	}
	run := func(by ipam.Caller, each bool) (Outcome, error) {
		return change.Together(ctx, im.k, by, lane, func(ctx context.Context, c change.Change) (Outcome, error) {
			return (&work{Change: c, Importer: im, ctx: ctx, file: f, each: each, pools: map[string][]ipam.Pool{}, seen: map[ipam.UID]int{}}).all()
		})
	}
	out, err := Outcome{}, errTryEach
	if !f.broken() {
		out, err = run(by, false)
	}
	if errors.Is(err, errTryEach) {
		try := by
		try.DryRun, try.Retry = true, nil
		if out, err = run(try, true); err == nil && !by.DryRun {
			err = out.refusal()
		}
	}
	if err != nil {
		return Outcome{}, err
	}
	if !by.DryRun {
		out.Needs = 0 // it had them all
	}
	return out, nil
}

// broken reports whether a row is refused before it is tried.
func (f File) broken() bool {
	for _, r := range f.Rows {
		if r.Problem != nil {
			return true
		}
	}
	return false
}

// refusal is the error of an import in which rows are refused: that of the first one, which says of all others, too.
func (o Outcome) refusal() error {
	var e *ipam.Error
	for _, i := range o.Items {
		if i.Problem == nil {
			continue
		}
		if e == nil {
			e = new(*i.Problem)
			e.Detail = fmt.Sprintf("nothing was imported, since %d of %d rows are refused; row %d: %s", o.Refused, len(o.Items), i.Number, i.Problem.Detail)
			e.Fields = nil
		}
		if len(e.Fields) < 100 {
			e.Fields = append(e.Fields, ipam.FieldError{Pointer: "/csv", Detail: fmt.Sprintf("row %d: %s", i.Number, i.Problem.Detail)})
		}
	}
	if e == nil { // it was refused a moment ago, and is not any more
		return ipam.Errorf(ipam.CodePreconditionFailed, "what the rows are about changed while they were imported; nothing was imported, try it again")
	}
	return e
}

// work is an import under way.
type work struct {
	change.Change
	*Importer

	ctx   context.Context //nolint:containedctx // of the whole transaction, which every door in it takes
	file  File
	each  bool // a row that is refused is undone alone
	out   Outcome
	pools map[string][]ipam.Pool // of scopes, as far as they are visible
	seen  map[ipam.UID]int       // which row an object was about
	rows  []made
}

// made is a row that has an event.
type made struct {
	number int
	event  string
}

func (w *work) all() (Outcome, error) {
	w.out = Outcome{Import: ipam.Import{ID: ipam.NewUID("import"), Kind: w.file.Kind, Principal: w.By.Principal, Actor: w.By.String(), Reason: w.By.Reason, CreatedAt: w.At}}
	w.By.Need, w.By.Retry, w.By.DryRun, w.By.Source = roles[w.file.Kind], nil, false, ipam.SourceImport
	if w.By.Reason == "" {
		w.By.Reason = "imports " + string(w.out.ID)
	}
	if err := w.lock(); err != nil {
		return w.out, err
	}
	items := make([]Item, len(w.file.Rows))
	for _, n := range order(w.file.Rows) {
		item, err := w.judge(w.file.Rows[n])
		if err != nil {
			return w.out, err
		}
		items[n] = item
	}
	w.out.Items = items
	w.count()
	w.out.Needs = w.Needed()
	w.out.Digest = w.digest()
	if w.file.Digest != "" && w.out.Refused == 0 && w.file.Digest != w.out.Digest {
		return w.out, ipam.Errorf(ipam.CodePreconditionFailed, "this is not what was shown: the file or a verdict is another by now; nothing was imported. Try it again with Cloudpam-Dry-Run: true, and send the digest of that")
	}
	return w.out, w.note()
}

func (w *work) count() {
	for _, i := range w.out.Items {
		switch i.Verdict {
		case Created:
			w.out.Created++
		case Updated:
			w.out.Updated++
		case Unchanged:
			w.out.Unchanged++
		case Refused:
			w.out.Refused++
		}
	}
}

// digest is that of the file and of what becomes of its rows: a change of either makes it another.
func (w *work) digest() string {
	h := sha256.New()
	write(h, w.file.Kind, w.file.Sum, w.out.Items)
	for n, i := range w.out.Items {
		if i.Problem != nil {
			write(h, n, i.Problem.Code)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func write(h hash.Hash, parts ...any) {
	if err := json.NewEncoder(h).Encode(parts); err != nil {
		panic(err) // they are text and numbers
	}
}

// note writes that there was an import, and which events are those of its rows.
func (w *work) note() error {
	if err := w.Tx.LockSystem(); err != nil {
		return err
	}
	if err := w.Tx.InsertImport(w.out.Import); err != nil {
		return err
	}
	for _, r := range w.rows {
		if err := w.Tx.InsertImportRow(w.out.ID, r.number, r.event); err != nil {
			return err
		}
	}
	return w.Record(importObject(w.out.Import), "created", nil, w.out.Import)
}

func importObject(i ipam.Import) change.Object {
	return change.Object{Kind: "import", ID: string(i.ID)}
}

// Imports lists a page of imports by age: the caller's own, and all to who sees everything.
func (im *Importer) Imports(ctx context.Context, by ipam.Caller, p ipam.Page) ([]ipam.Import, error) {
	return change.Get(ctx, im.k, func(tx *store.Tx) ([]ipam.Import, error) { return tx.Imports(by.Sees(), by.UID, "", p) })
}
