package tx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Wait says how long Send stays with an extrinsic.
type Wait int

// Ways to wait.
const (
	WaitIncluded  Wait = iota // until a block holds it; a fork may still undo that
	WaitFinalized             // until that block can no longer be undone
	WaitNone                  // until a node's pool has taken it
)

// Progress is a step of an extrinsic on its way.
type Progress struct {
	Stage string    `json:"stage"` // sent, ready, broadcast, included, retracted, finalized
	Block *tao.Hash `json:"block,omitempty"`
}

// UnknownError says that an extrinsic was sent and that nobody knows, yet, what
// became of it. It must not be made anew: both could happen. Once block Until
// is final the answer is certain, and Settle gives it.
type UnknownError struct {
	Extrinsic tao.Hash
	Until     uint32 // its last possible block; 0 if it has none
	Err       error  // what kept us from seeing
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("extrinsic %s was sent and its outcome is unknown: %v", e.Extrinsic, e.Err)
}

func (e *UnknownError) Unwrap() error { return e.Err }

// ExpiredError says that an extrinsic was sent and can never happen: its last
// block is final without it.
type ExpiredError struct {
	Extrinsic tao.Hash
	Err       error // what was heard of it last
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("extrinsic %s expired: its last block is final without it (%v)", e.Extrinsic, e.Err)
}

func (e *ExpiredError) Unwrap() error { return e.Err }

// RefusedError says that the node did not take the extrinsic. That is the word
// of one node: the journal keeps the extrinsic open until its last block is
// final, because a node that refuses and passes on all the same can make it
// happen.
type RefusedError struct {
	Extrinsic tao.Hash
	Err       error // often *chain.InvalidError
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the node refused the transaction: %v", e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }

// Send records the extrinsic in the journal, submits it and stays with it as
// wait says. The receipt of a failed call is not an error here: its Failure is.
// Errors: *RefusedError, *UnknownError, or whatever came before anything was
// sent.
func Send(ctx context.Context, c *chain.Client, j *Journal, x *Extrinsic, wait Wait, tell func(Progress)) (*Receipt, error) {
	if x.Genesis != c.Genesis() {
		return nil, fmt.Errorf("the extrinsic is for the chain %s, and this is %s: nothing was sent", x.Genesis, c.Genesis())
	}
	s := &sending{client: c, journal: j, x: x, entry: entryOf(x), wait: wait, tell: tell}
	var err error
	if s.fresh, err = j.Add(ctx, s.entry); err != nil {
		return nil, fmt.Errorf("nothing was sent: %w", err)
	}
	if wait == WaitNone {
		return s.submit(ctx)
	}
	return s.watch(ctx)
}

func entryOf(x *Extrinsic) Entry {
	return Entry{
		Hash: x.Hash(), Genesis: x.Genesis, Signer: x.Signer, Nonce: x.Nonce, Era: x.Era, SignedAt: x.Head,
		Call: x.Call.Pallet + "." + x.Call.Name, CallHash: x.CallHash, Bytes: x.Bytes,
	}
}

// sending is one extrinsic on its way.
type sending struct {
	client  *chain.Client
	journal *Journal
	x       *Extrinsic
	entry   Entry
	fresh   bool // it was not in the journal before: nobody can have seen it
	wait    Wait
	tell    func(Progress)
}

// submit hands the extrinsic over and leaves. A node that has it already has it.
func (s *sending) submit(ctx context.Context) (*Receipt, error) {
	var hash tao.Hash
	err := s.client.Transport().Call(ctx, &hash, "author_submitExtrinsic", s.hex())
	if held := s.x.runtime.Refusal(err); err != nil && (held == nil || held.Reason != alreadyImported) {
		return s.broken(ctx, err)
	}
	s.tell(Progress{Stage: "sent"})
	s.note(ctx, Submitted, "")
	return &Receipt{Status: Submitted, Extrinsic: s.x.Hash(), Signer: s.x.Signer, Nonce: s.x.Nonce}, nil
}

func (s *sending) hex() string {
	text, _ := HexBytes(s.x.Bytes).MarshalText()
	return string(text)
}

// watch submits and follows what the node says of the extrinsic.
func (s *sending) watch(ctx context.Context) (*Receipt, error) {
	var seen *Receipt
	line, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	go s.endWith(line, hangUp)
	for message, err := range s.client.Transport().Subscribe(line, "author_submitAndWatchExtrinsic", s.hex()) {
		if errors.Is(err, chain.ErrNoSubscriptions) {
			return s.poll(ctx)
		}
		if err != nil && errors.Is(context.Cause(line), errOver) {
			r, _, err := s.settle(ctx, errOver)
			return r, err
		}
		if err != nil {
			return s.broken(ctx, err)
		}
		status, err := parseStatus(message)
		if err != nil {
			return seen, s.unknown(ctx, err)
		}
		s.tell(Progress{Stage: status.stage, Block: status.block})
		receipt, done, err := s.take(ctx, status, seen)
		if err != nil || done {
			return receipt, err
		}
		seen = receipt
	}
	return seen, s.unknown(ctx, errors.New("the node stopped telling"))
}

// errOver ends the waiting for a node that says nothing more.
var errOver = errors.New("the node fell silent, and the last block that may hold it is final")

// endWith hangs up once the extrinsic's last block is final: from then on blocks
// tell, and a node that fell silent need not be waited for.
func (s *sending) endWith(line context.Context, hangUp context.CancelCauseFunc) {
	last, mortal := s.x.Era.Last()
	if !mortal {
		return // only its caller can bound the wait
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-line.Done():
			return
		case <-tick.C:
		}
		// A node that cannot be asked now is asked again; the subscription
		// itself notices a lost line.
		if final, err := s.client.At(line, chain.Finalized()); err == nil && final.Number() >= last {
			hangUp(errOver)
			return
		}
	}
}

// take acts on one status: what is known now, and whether that is enough.
func (s *sending) take(ctx context.Context, status status, seen *Receipt) (r *Receipt, done bool, err error) {
	switch status.stage {
	case "included":
		r, err := s.read(ctx, *status.block, false)
		return r, r != nil && s.wait == WaitIncluded, err
	case "finalized":
		r, err := s.read(ctx, *status.block, true)
		return r, true, err
	case "retracted":
		s.entry.BlockHash, s.entry.Block = nil, 0
		s.note(ctx, Submitted, "its block was undone; another may hold it")
		return nil, false, nil
	case "invalid", "dropped", "usurped", "finality-timeout":
		// The pool has let go of it. That is no proof: another node may still
		// hold it, or a block already does.
		return s.settle(ctx, fmt.Errorf("the node let it go: %s", status.text))
	}
	return seen, false, nil
}

// read finds the extrinsic in a block, by its hash, and reads its outcome. A
// block that a fork undid meanwhile gives nothing: the node tells of another.
func (s *sending) read(ctx context.Context, block tao.Hash, final bool) (*Receipt, error) {
	r, err := readOutcome(ctx, s.client, s.x, block)
	var gone *chain.NoBlockError
	if errors.As(err, &gone) && !final {
		return nil, nil
	}
	if err != nil {
		return nil, s.unknown(ctx, err)
	}
	s.entry.take(r, final)
	s.record(ctx)
	return r, nil
}

// settle looks the extrinsic up itself, where the node's word is not enough.
func (s *sending) settle(ctx context.Context, why error) (*Receipt, bool, error) {
	r, entry, err := Settle(ctx, s.client, s.entry)
	if err != nil {
		return nil, true, s.unknown(ctx, errors.Join(why, err))
	}
	s.entry = entry
	s.record(ctx)
	switch {
	case r != nil:
		return r, true, nil
	case entry.State == Expired:
		return nil, true, &ExpiredError{Extrinsic: entry.Hash, Err: why}
	}
	return nil, true, s.unknown(ctx, why)
}

// poll follows an extrinsic over a transport that cannot push.
func (s *sending) poll(ctx context.Context) (*Receipt, error) {
	if r, err := s.submit(ctx); err != nil || r.Status != Submitted {
		return r, err
	}
	return s.await(ctx)
}

// await looks for the extrinsic, block after block.
func (s *sending) await(ctx context.Context) (*Receipt, error) {
	r, entry, err := Follow(ctx, s.client, s.entry, s.wait == WaitFinalized)
	if err != nil {
		return nil, s.unknown(ctx, err)
	}
	s.entry = entry
	s.record(ctx)
	if r == nil {
		return nil, &ExpiredError{Extrinsic: entry.Hash, Err: errors.New("no block held it")}
	}
	return r, nil
}

// broken sorts the end of a conversation: the node refused, nothing was sent,
// or nobody knows.
func (s *sending) broken(ctx context.Context, err error) (*Receipt, error) {
	var lost *chain.LostError
	if errors.As(err, &lost) && !lost.Sent && s.fresh {
		s.entry.Final = true // no node has seen it, and none will
		s.note(ctx, Refused, "not sent: "+err.Error())
		return nil, fmt.Errorf("nothing was sent: %w", err)
	}
	invalid := s.x.runtime.Refusal(err)
	switch {
	case invalid == nil:
		return nil, s.unknown(ctx, err)
	case invalid.Reason == alreadyImported:
		return s.await(ctx)
	case s.fresh && invalid.Reason != temporarilyBanned:
		s.note(ctx, Refused, invalid.Error())
		return nil, &RefusedError{Extrinsic: s.x.Hash(), Err: invalid}
	}
	// It was signed and perhaps sent before: what is refused now may be the
	// second copy of what was done then.
	r, _, err := s.settle(ctx, invalid)
	return r, err
}

// Refusals that do not say that the extrinsic cannot happen: the node has it
// already, or had it a moment ago.
const (
	alreadyImported   = "AlreadyImported"
	temporarilyBanned = "TemporarilyBanned"
)

// unknown ends with a doubt. A block that was seen to hold the extrinsic stays
// in the journal: only its finality is in doubt then.
func (s *sending) unknown(ctx context.Context, err error) error {
	if s.entry.BlockHash == nil {
		s.note(ctx, Unknown, err.Error())
	}
	until, _ := s.x.Era.Last()
	return &UnknownError{Extrinsic: s.x.Hash(), Until: until, Err: err}
}

func (s *sending) note(ctx context.Context, state State, note string) {
	s.entry.State, s.entry.Note = state, note
	s.record(ctx)
}

// record keeps the newest state. A failure here loses no money: the signed line
// is on the disk, and settling starts from it. Cancelling, which may be why
// the state changed, must not keep it from being written.
func (s *sending) record(ctx context.Context) {
	if err := s.journal.Update(context.WithoutCancel(ctx), s.entry); err != nil {
		s.tell(Progress{Stage: "journal: " + err.Error()})
	}
}

// status is one notice of author_extrinsicUpdate.
type status struct {
	stage string // our word
	text  string // the node's own
	block *tao.Hash
}

// stages maps the pool's words (Substrate, TransactionStatus) to ours.
var stages = map[string]string{
	"future": "future", "ready": "ready", "broadcast": "broadcast", "inBlock": "included",
	"retracted": "retracted", "finalityTimeout": "finality-timeout", "finalized": "finalized",
	"usurped": "usurped", "dropped": "dropped", "invalid": "invalid",
}

// parseStatus reads a notice: a bare word, or an object with the word as its
// one key. Nodes write "ready", Chopsticks {"ready":null}; both are taken.
func parseStatus(message json.RawMessage) (status, error) {
	var word string
	var value json.RawMessage
	if json.Unmarshal(message, &word) != nil {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(message, &object); err != nil || len(object) != 1 {
			return status{}, fmt.Errorf("the node's status %.80q is not understood", message)
		}
		for word, value = range object {
		}
	}
	stage, known := stages[word]
	if !known {
		return status{}, fmt.Errorf("the node's status %.80q is not understood", message)
	}
	st := status{stage: stage, text: string(message)}
	if stage == "included" || stage == "finalized" {
		st.block = new(tao.Hash)
		if err := json.Unmarshal(value, st.block); err != nil {
			return status{}, fmt.Errorf("the node's status %.80q names no block: %w", message, err)
		}
		if st.block.IsZero() {
			return status{}, fmt.Errorf("the node's status %.80q names no block", message)
		}
	}
	return st, nil
}
