package tx

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/taoctl/taoctl/tao"
)

// Journal is the file that knows every signed extrinsic before the network
// does: one JSON line for each signing and for each change of status, appended
// and synced, by one process at a time. A line that a crash cut short is
// dropped on reading and cut off before the next append.
type Journal struct {
	path string
	now  func() time.Time
}

// OpenJournal names the journal's file; its folder is made when first written.
func OpenJournal(path string, now func() time.Time) *Journal {
	return &Journal{path: path, now: now}
}

// Path is the file's name.
func (j *Journal) Path() string { return j.path }

// State is where an extrinsic stands.
type State string

// The states of an extrinsic. Those with Final set cannot change any more; of the
// others a fork can still undo Included and Failed.
const (
	Signed    State = "signed"    // written here; it may or may not have been sent
	Unknown   State = "unknown"   // sent, and not seen since
	Submitted State = "submitted" // in a node's pool, and not waited for
	Included  State = "included"  // in a block, and it did what it should
	Finalized State = "finalized" // the same, in a block that cannot be undone
	Failed    State = "failed"    // in a block, and it failed: the fee is paid
	Refused   State = "refused"   // the node refused it; until Final is set that is one node's word
	Expired   State = "expired"   // its last block is final without it: it can never happen
)

// Entry is what the journal knows of one extrinsic.
type Entry struct {
	Time      time.Time   `json:"time"` // when it was signed
	Hash      tao.Hash    `json:"extrinsic"`
	Genesis   tao.Hash    `json:"genesis"`
	Signer    tao.Account `json:"signer"`
	Nonce     uint32      `json:"nonce"`
	Era       Era         `json:"era"`
	SignedAt  uint32      `json:"signed_at"` // newest block when it was signed
	Call      string      `json:"call"`      // "Balances.transfer_keep_alive"
	CallHash  tao.Hash    `json:"call_hash"` // blake2-256 of the call's bytes: equal calls, equal hashes
	Bytes     HexBytes    `json:"bytes"`
	State     State       `json:"state"`
	Final     bool        `json:"final"` // the state can no longer change
	Block     uint32      `json:"block,omitempty"`
	BlockHash *tao.Hash   `json:"block_hash,omitempty"`
	Note      string      `json:"note,omitempty"` // the reason of a refusal or failure
}

// Doubtful reports an extrinsic that a node refused, where nothing but that
// node's word says that it will not happen.
func (e Entry) Doubtful() bool { return e.State == Refused && !e.Final }

// Pending reports an extrinsic that is in no block as far as is known, and may
// still come to be in one.
func (e Entry) Pending() bool {
	return !e.Final && (e.State == Signed || e.State == Unknown || e.State == Submitted)
}

// NotFoundError says that the journal has no such extrinsic.
type NotFoundError struct{ Extrinsic tao.Hash }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("extrinsic %s is not in the journal: it was not signed here", e.Extrinsic)
}

// HexBytes are bytes that JSON carries as 0x and hex digits.
type HexBytes []byte

// MarshalText prints 0x and hex digits.
func (b HexBytes) MarshalText() ([]byte, error) {
	return []byte("0x" + hex.EncodeToString(b)), nil
}

// UnmarshalText reads 0x and hex digits.
func (b *HexBytes) UnmarshalText(text []byte) (err error) {
	digits, ok := bytes.CutPrefix(text, []byte("0x"))
	if !ok {
		return fmt.Errorf("hex %.20q does not begin with 0x", text)
	}
	if *b, err = hex.DecodeString(string(digits)); err != nil {
		return fmt.Errorf("hex %.20q: %w", text, err)
	}
	return nil
}

// line is one line of the file: a whole entry when it is signed, and after that
// the fields that changed.
type line struct {
	Time   time.Time `json:"time"`
	Signed *Entry    `json:"signed,omitempty"`
	Update *update   `json:"update,omitempty"`
}

type update struct {
	Hash      tao.Hash  `json:"extrinsic"`
	State     State     `json:"state"`
	Final     bool      `json:"final"`
	Block     uint32    `json:"block,omitempty"`
	BlockHash *tao.Hash `json:"block_hash,omitempty"`
	Note      string    `json:"note,omitempty"`
}

// Add records a signed extrinsic. It returns once the line is on the disk; an
// extrinsic that could not be recorded must not be sent. An extrinsic that is
// already there (sent again) is left as it is, and fresh is false.
func (j *Journal) Add(ctx context.Context, e Entry) (fresh bool, err error) {
	e.Time, e.State = j.now().UTC().Truncate(time.Millisecond), Signed
	err = j.locked(ctx, func() error {
		known, err := j.Entries()
		if err != nil {
			return err
		}
		for _, k := range known {
			if k.Hash == e.Hash {
				return nil
			}
		}
		fresh = true
		return j.append(line{Time: e.Time, Signed: &e})
	})
	return fresh && err == nil, err
}

// Update records a new state of an extrinsic.
func (j *Journal) Update(ctx context.Context, e Entry) error {
	u := update{Hash: e.Hash, State: e.State, Final: e.Final, Block: e.Block, BlockHash: e.BlockHash, Note: e.Note}
	return j.locked(ctx, func() error {
		return j.append(line{Time: j.now().UTC().Truncate(time.Millisecond), Update: &u})
	})
}

// Entries lists all extrinsics, oldest first, each in its newest state. A
// journal that does not exist yet is empty.
func (j *Journal) Entries() ([]Entry, error) {
	f, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer f.Close()
	entries, _, err := readJournal(f)
	if err != nil {
		return nil, fmt.Errorf("read the journal %s: %w", j.path, err)
	}
	return entries, nil
}

// Entry returns one extrinsic in its newest state. Errors: *NotFoundError.
func (j *Journal) Entry(x tao.Hash) (Entry, error) {
	entries, err := j.Entries()
	if err != nil {
		return Entry{}, err
	}
	for _, e := range entries {
		if e.Hash == x {
			return e, nil
		}
	}
	return Entry{}, &NotFoundError{Extrinsic: x}
}

// readJournal reads all whole lines and tells how many bytes they take. A last
// line without its newline is what a crash left, and does not count.
func readJournal(r io.Reader) (entries []Entry, whole int64, err error) {
	at := map[tao.Hash]int{}
	in := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return entries, whole, nil
		}
		if err != nil {
			return nil, whole, err
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, whole, fmt.Errorf("line %d: %w", number, err)
		}
		whole += int64(len(text))
		switch {
		case l.Signed != nil:
			at[l.Signed.Hash] = len(entries)
			entries = append(entries, *l.Signed)
		case l.Update != nil:
			i, known := at[l.Update.Hash]
			if !known {
				return nil, whole, fmt.Errorf("line %d: a status of %s, which was never signed", number, l.Update.Hash)
			}
			entries[i].apply(*l.Update)
		}
	}
}

func (e *Entry) apply(u update) {
	e.State, e.Final, e.Block, e.BlockHash, e.Note = u.State, u.Final, u.Block, u.BlockHash, u.Note
}

// locked runs f while this process alone may write.
func (j *Journal) locked(ctx context.Context, f func() error) error {
	if err := os.MkdirAll(filepath.Dir(j.path), 0o700); err != nil {
		return fmt.Errorf("make the journal's folder: %w", err)
	}
	lock := flock.New(j.path+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock the journal %s: %w", j.path, err)
	}
	return errors.Join(f(), lock.Unlock())
}

// append writes one line and syncs it. The file is opened for the one line:
// a process that waits for a person holds nothing.
func (j *Journal) append(l line) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the journal %s: %w", j.path, err)
		}
	}()
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, whole, err := readJournal(f)
	if err != nil {
		return err
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if _, err := f.WriteAt(append(text, '\n'), whole); err != nil {
		// A full disk may have taken half the line; the next append cuts it off.
		return err
	}
	return f.Sync()
}
