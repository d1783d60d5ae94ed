package testnode

import (
	"context"

	"github.com/ChainSafe/go-schnorrkel"
	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Key is an sr25519 key for tests. It signs as a key of package keystore does.
type Key struct {
	secret  *schnorrkel.SecretKey
	account tao.Account
}

// NewKey makes the key that belongs to a name; it is no secret.
func NewKey(name string) Key {
	mini, err := schnorrkel.NewMiniSecretKeyFromRaw(blake2b.Sum256([]byte("testnode " + name)))
	if err != nil {
		fail("%v", err)
	}
	return Key{mini.ExpandEd25519(), mini.Public().Encode()}
}

// Account is the key's public name.
func (k Key) Account() tao.Account { return k.account }

// Sign signs a message in Substrate's context.
func (k Key) Sign(_ context.Context, message []byte) (tao.Signature, error) {
	s, err := k.secret.Sign(schnorrkel.NewSigningContext([]byte("substrate"), message))
	if err != nil {
		return tao.Signature{}, err
	}
	b := s.Encode()
	return tao.Signature{Scheme: tao.Sr25519, Bytes: b[:]}, nil
}

// Extrinsic builds a signed, immortal extrinsic without a tip, for tests of
// what comes after it. Package tx is what builds them in earnest.
func (n *Node) Extrinsic(k Key, c chain.Call, nonce uint32) []byte {
	n.tb.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	callBytes, err := n.runtime.Encode(c)
	if err != nil {
		n.tb.Fatal(err)
	}
	x := &extrinsic{callBytes: callBytes, era: []byte{0}}
	for _, e := range n.runtime.Metadata().Extrinsic().Extensions {
		switch e.Name {
		case "CheckMortality", "CheckEra", "ChargeTransactionPayment":
			x.extras = append(x.extras, 0)
		case "CheckNonce":
			x.extras = scale.EncodeCompact(x.extras, uint64(nonce))
		case "CheckMetadataHash":
			x.extras = append(x.extras, 0)
		}
	}
	payload, bad := n.payload(x)
	if bad != nil {
		n.tb.Fatal(bad)
	}
	s, err := k.Sign(n.tb.Context(), payload)
	if err != nil {
		n.tb.Fatal(err)
	}
	return assemble(k.account, s, x.extras, callBytes)
}

// assemble puts the parts of an extrinsic of version 4 together.
func assemble(a tao.Account, s tao.Signature, extras, call []byte) []byte {
	body := append([]byte{signedV4, 0}, a[:]...) // MultiAddress::Id
	body = append(append(body, byte(s.Scheme)), s.Bytes...)
	body = append(append(body, extras...), call...)
	return append(scale.EncodeCompact(nil, uint64(len(body))), body...)
}

// Submit sends an extrinsic to the node, without a client.
func (n *Node) Submit(b []byte) error {
	n.tb.Helper()
	return n.Transport().Call(n.tb.Context(), nil, "author_submitExtrinsic", hexOf(b))
}
