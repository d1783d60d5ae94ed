package policy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"github.com/taoctl/taoctl/tao"
)

// Record is what one signed extrinsic takes.
type Record struct {
	Time      time.Time                 `json:"time"`
	Extrinsic tao.Hash                  `json:"extrinsic"`
	Genesis   tao.Hash                  `json:"genesis"` // the TAO of different chains have nothing to do with each other
	Fee       tao.Amount                `json:"fee"`
	Calls     map[string]tao.Amount     `json:"calls"`   // rao by call
	Subnets   map[tao.NetUID]tao.Amount `json:"subnets"` // of those, by the subnet they go into
}

// CallNames lists the calls, in order.
func (r Record) CallNames() []string { return slices.Sorted(maps.Keys(r.Calls)) }

// Ledger is the file that remembers which policy was accepted and what was
// signed since: lines of JSON, each with the hash of the one before, appended
// and synced by one process at a time. A line that is changed, taken out of the
// middle or put between others breaks the chain. Lines cut off its end do not:
// whoever reads the ledger compares it with the journal.
type Ledger struct {
	path string
	now  func() time.Time
}

// OpenLedger names the ledger's file; its folder is made when first written.
func OpenLedger(path string, now func() time.Time) *Ledger { return &Ledger{path: path, now: now} }

// State is what a ledger says.
type State struct {
	Accepted *tao.Hash // the digest of the policy in force; nil: none was accepted, or it was taken out of force
	Since    time.Time // when that was accepted
	Records  []Record

	last tao.Hash
}

// line is one line of the file; one of its parts is set.
type line struct {
	Prev     tao.Hash   `json:"prev"`
	Time     *time.Time `json:"time,omitempty"`
	Accepted *tao.Hash  `json:"accepted,omitempty"`
	Removed  bool       `json:"removed,omitempty"`
	Spent    *Record    `json:"spent,omitempty"`
}

// TamperedError says that somebody has changed the ledger.
type TamperedError struct {
	Path string
	Line int
}

func (e *TamperedError) Error() string {
	return fmt.Sprintf("the spending ledger %s was changed: line %d does not fit the one before", e.Path, e.Line)
}

// Read reads the ledger. Errors: *TamperedError.
func (l *Ledger) Read() (State, error) {
	text, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return State{}, fmt.Errorf("read the spending ledger: %w", err)
	}
	return l.parse(text)
}

// maxLine bounds a line, in bytes: a batch of a thousand calls has a few kinds.
const maxLine = 1 << 20

func (l *Ledger) parse(text []byte) (State, error) {
	var s State
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(nil, maxLine)
	for n := 1; scanner.Scan(); n++ {
		var row line
		d := json.NewDecoder(bytes.NewReader(scanner.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&row); err != nil || row.Prev != s.last {
			return s, &TamperedError{Path: l.path, Line: n}
		}
		s.last = sha256.Sum256(scanner.Bytes())
		switch {
		case row.Removed:
			s.Accepted = nil
		case row.Accepted != nil && row.Time != nil:
			s.Accepted, s.Since = row.Accepted, *row.Time
		case row.Spent != nil:
			s.Records = append(s.Records, *row.Spent)
		default:
			return s, &TamperedError{Path: l.path, Line: n}
		}
	}
	if err := scanner.Err(); err != nil || len(text) > 0 && text[len(text)-1] != '\n' {
		// A crash may have cut the last line short. What it was about to say
		// is not known, so nothing is signed over it.
		return s, &TamperedError{Path: l.path, Line: bytes.Count(text, []byte("\n")) + 1}
	}
	return s, nil
}

// Accept puts a policy in force.
func (l *Ledger) Accept(ctx context.Context, digest tao.Hash) error {
	now := l.now().UTC()
	return l.locked(ctx, func(State) (line, error) { return line{Time: &now, Accepted: &digest}, nil })
}

// Remove takes the policy out of force.
func (l *Ledger) Remove(ctx context.Context) error {
	now := l.now().UTC()
	return l.locked(ctx, func(State) (line, error) { return line{Time: &now, Removed: true}, nil })
}

// Spend checks what was signed against the policy and writes it down, as one
// step: two processes cannot spend the same allowance. counts tells which of
// the earlier extrinsics still count: one that can never happen does not. An
// extrinsic that stands there already is not counted again.
// Errors: *DeniedError, *TamperedError.
func (l *Ledger) Spend(ctx context.Context, p *Policy, x, genesis tao.Hash, s Spending, counts func(tao.Hash) bool) error {
	return l.locked(ctx, func(state State) (line, error) {
		for _, r := range state.Records {
			if r.Extrinsic == x {
				return line{}, errNothing
			}
		}
		now := l.now().UTC()
		if err := p.Check(s, state.Past(genesis, counts), now); err != nil {
			return line{}, err
		}
		r := s.record()
		r.Time, r.Extrinsic, r.Genesis = now, x, genesis
		return line{Spent: &r}, nil
	})
}

// Past lists what counts of a chain.
func (s State) Past(genesis tao.Hash, counts func(tao.Hash) bool) []Record {
	var past []Record
	for _, r := range s.Records {
		if r.Genesis == genesis && counts(r.Extrinsic) {
			past = append(past, r)
		}
	}
	return past
}

// errNothing says that there is nothing to write.
var errNothing = errors.New("nothing to write")

// locked reads the ledger and appends a line, while this process alone may.
func (l *Ledger) locked(ctx context.Context, next func(State) (line, error)) (err error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the spending ledger: %w", err)
	}
	lock := flock.New(l.path+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock the spending ledger %s: %w", l.path, err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	state, err := l.Read()
	if err != nil {
		return err
	}
	row, err := next(state)
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	row.Prev = state.last
	return l.append(row)
}

func (l *Ledger) append(row line) (err error) {
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("write the spending ledger: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	before, err := f.Seek(0, 2)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(text, '\n')); err != nil {
		// Half a line would look like tampering.
		return errors.Join(fmt.Errorf("write the spending ledger: %w", err), f.Truncate(before))
	}
	return f.Sync()
}
