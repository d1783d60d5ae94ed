package tx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"golang.org/x/crypto/blake2b"
)

// Draft is what will be signed, byte for byte: one call for one runtime, one
// nonce and one era. Call is decoded from the bytes, not copied from the plan,
// so what a person is shown is what the key will sign.
type Draft struct {
	Call    chain.Call
	Signer  tao.Account
	Genesis tao.Hash
	Spec    chain.Spec
	Nonce   uint32
	Era     Era
	Tip     tao.Amount

	// Fee is what inclusion costs, tip included, by the chain's own
	// calculation for these bytes. Nil in a draft prepared offline.
	Fee *tao.Amount

	// Head is the newest block that was known when the draft was made.
	Head uint32

	Preview  any // the plan's
	Warnings []Warning

	// Spend is the plan's: what leaves the signer's balance without the fee. Nil
	// where the plan does not know it, and in a draft from a file.
	Spend *tao.Amount

	runtime               *chain.Runtime
	call, extra, implicit []byte
}

// Options are the choices that a draft leaves to its user.
type Options struct {
	Period   uint32     // blocks of validity, a power of two; 0 is DefaultPeriod
	Immortal bool       // no last block: such an extrinsic can be replayed if its account is ever emptied and refilled
	Nonce    *uint32    // nil: the next one, the pool's pending extrinsics counted
	Tip      tao.Amount // paid to be preferred
}

// Prepare turns a plan into a draft for the newest runtime: it encodes the call
// by name and decodes it back, fills in nonce and era, asks the chain for the
// fee and checks that the signer can pay. Errors: *chain.MissingError where the
// runtime lacks the call, *ExtensionError, *InsufficientError.
func Prepare(ctx context.Context, v *chain.View, p Plan, o Options) (*Draft, error) {
	t := terms{spec: v.Runtime().Spec(), genesis: v.Client().Genesis(), tip: o.Tip}
	var funds []Funds
	err := together(
		func() (err error) { t.nonce, err = nextNonce(ctx, v, p.Signer, o.Nonce); return },
		func() (err error) { t.era, err = eraFor(ctx, v, o); return },
		func() (err error) { funds, err = FundsOf(ctx, v, p.Signer); return },
	)
	if err != nil {
		return nil, err
	}
	d, err := newDraft(v.Runtime(), p, t)
	if err != nil {
		return nil, err
	}
	fee, err := d.askFee(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("ask for the fee: %w", err)
	}
	d.Fee, d.Head = &fee, v.Number()
	return d, funds[0].Afford(p, fee)
}

// Offline is what a draft needs to be told where there is no node to ask.
type Offline struct {
	Genesis tao.Hash
	Nonce   uint32
	Era     Era
	Tip     tao.Amount
}

// PrepareOffline is Prepare without a network: runtime comes from a metadata
// file. The fee is unknown and the balance unchecked.
func PrepareOffline(rt *chain.Runtime, p Plan, o Offline) (*Draft, error) {
	return newDraft(rt, p, terms{spec: rt.Spec(), genesis: o.Genesis, nonce: o.Nonce, era: o.Era, tip: o.Tip})
}

func newDraft(rt *chain.Runtime, p Plan, t terms) (*Draft, error) {
	if versions := rt.Metadata().Extrinsic().Versions; !slices.Contains(versions, extrinsicV4) {
		return nil, fmt.Errorf("this runtime takes extrinsics of version %d, taoctl signs version %d", versions, extrinsicV4)
	}
	call, err := rt.Encode(p.Call)
	if err != nil {
		return nil, err
	}
	shown, err := rt.Decode(call)
	if err != nil {
		return nil, fmt.Errorf("read back the encoded call: %w", err)
	}
	extra, implicit, err := encodeExtensions(rt, t)
	if err != nil {
		return nil, err
	}
	return &Draft{
		Call: shown, Signer: p.Signer, Genesis: t.genesis, Spec: t.spec,
		Nonce: t.nonce, Era: t.era, Tip: t.tip,
		Preview: p.Preview, Warnings: p.Warnings, Spend: p.Spend,
		runtime: rt, call: call, extra: extra, implicit: implicit,
	}, nil
}

// nextNonce is the number of the signer's next extrinsic. system_accountNextIndex
// counts those that wait in the node's pool, which storage does not.
func nextNonce(ctx context.Context, v *chain.View, signer tao.Account, given *uint32) (nonce uint32, err error) {
	if given != nil {
		return *given, nil
	}
	if err := v.Client().Transport().Call(ctx, &nonce, "system_accountNextIndex", signer.String()); err != nil {
		return 0, fmt.Errorf("ask for the next nonce of %s: %w", signer, err)
	}
	return nonce, nil
}

// eraFor anchors a mortal era at the finalized head: a block that no fork can
// take back, or the signature would be void on the other branch.
func eraFor(ctx context.Context, v *chain.View, o Options) (Era, error) {
	if o.Immortal {
		return Era{}, nil
	}
	period := o.Period
	if period == 0 {
		period = DefaultPeriod
	}
	head, err := v.Client().At(ctx, chain.Finalized())
	if err != nil {
		return Era{}, fmt.Errorf("find the finalized block: %w", err)
	}
	era := MortalAt(period, head.Number())
	if era.BirthHash = head.Hash(); era.Birth != head.Number() {
		birth, err := v.Client().At(ctx, chain.AtNumber(era.Birth))
		if err != nil {
			return Era{}, fmt.Errorf("find block %d, at which the era begins: %w", era.Birth, err)
		}
		era.BirthHash = birth.Hash()
	}
	return era, nil
}

// CallHash is blake2-256 of the call's bytes: equal calls, equal hashes.
func (d *Draft) CallHash() tao.Hash { return hashOf(d.call) }

// CallBytes is the encoded call, the first of the payload's three parts.
func (d *Draft) CallBytes() []byte { return slices.Clone(d.call) }

// Extra is what the extensions put into the extrinsic.
func (d *Draft) Extra() []byte { return slices.Clone(d.extra) }

// Implicit is what the extensions only sign.
func (d *Draft) Implicit() []byte { return slices.Clone(d.implicit) }

// Payload is call, extra and implicit, in this order.
func (d *Draft) Payload() []byte { return slices.Concat(d.call, d.extra, d.implicit) }

// hashedOver is the payload's length in bytes beyond which its hash is signed
// instead (Substrate, generic/unchecked_extrinsic.rs, SignedPayload::using_encoded).
const hashedOver = 256

// SignedMessage is what the key signs: the payload, or its blake2-256 where the
// payload is longer than 256 bytes.
func (d *Draft) SignedMessage() []byte {
	payload := d.Payload()
	if len(payload) <= hashedOver {
		return payload
	}
	sum := blake2b.Sum256(payload)
	return sum[:]
}

// Runtime is the runtime that the draft is for.
func (d *Draft) Runtime() *chain.Runtime { return d.runtime }

// Signer signs messages for one account.
type Signer interface {
	Account() tao.Account
	Sign(ctx context.Context, message []byte) (tao.Signature, error)
}

// Sign has the draft signed. A signer for another account is refused.
func (d *Draft) Sign(ctx context.Context, s Signer) (*Extrinsic, error) {
	if s.Account() != d.Signer {
		return nil, fmt.Errorf("the draft is for %s, and the key is that of %s", d.Signer, s.Account())
	}
	signature, err := s.Sign(ctx, d.SignedMessage())
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", d.Signer, err)
	}
	return d.assemble(signature)
}

func (d *Draft) assemble(s tao.Signature) (*Extrinsic, error) {
	body, err := encodeBody(d, s)
	if err != nil {
		return nil, err
	}
	return &Extrinsic{
		Bytes: frame(body), Signer: d.Signer, Nonce: d.Nonce, Era: d.Era, Tip: d.Tip,
		Genesis: d.Genesis, Call: d.Call, CallHash: d.CallHash(), Head: d.Head, runtime: d.runtime,
	}, nil
}

// Unsigned is the extrinsic with a signature of zeros: as long as the signed one,
// and good for nothing but to learn what that would cost and do.
func (d *Draft) Unsigned() (*Extrinsic, error) {
	return d.assemble(tao.Signature{Scheme: tao.Sr25519, Bytes: make([]byte, 64)})
}

// askFee asks the runtime what these bytes cost. The fee depends on their length
// alone, and no key is needed yet.
func (d *Draft) askFee(ctx context.Context, v *chain.View) (tao.Amount, error) {
	x, err := d.Unsigned()
	if err != nil {
		return 0, err
	}
	info, err := v.QueryInfo(ctx, x.Bytes)
	if err != nil {
		return 0, err
	}
	fee, ok := info.PartialFee.Add(d.Tip)
	if !ok {
		return 0, errors.New("fee and tip together overflow")
	}
	return fee, nil
}

// together runs the functions at once and joins their errors.
func together(fs ...func() error) error {
	errs := make([]error, len(fs))
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// frame puts the compact length before an extrinsic's body.
func frame(body []byte) []byte {
	return append(scale.EncodeCompact(nil, uint64(len(body))), body...)
}
