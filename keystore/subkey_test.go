package keystore_test

import (
	"fmt"
	"testing"

	"github.com/vedhavyas/go-subkey/v2"
	"github.com/vedhavyas/go-subkey/v2/ed25519"
	"github.com/vedhavyas/go-subkey/v2/sr25519"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// go-subkey is a second opinion on derivation, written by others: both must find
// the same account for every secret URI. It is not used outside tests, because
// it cannot wipe what it derives.
func TestAgreesWithGoSubkey(t *testing.T) {
	const phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	schemes := map[tao.Scheme]subkey.Scheme{tao.Sr25519: sr25519.Scheme{}, tao.Ed25519: ed25519.Scheme{}}
	paths := []string{
		"", "//Alice", "//0", "//1//2", "//18446744073709551615", "//18446744073709551616", "//007",
		"//a-part-that-is-longer-than-the-thirty-two-bytes-of-a-chain-code", "//Alice//stash///secret", "///password",
	}
	soft := []string{"/soft", "//hard/soft//0/1", "/Alice/1"}
	for scheme, theirs := range schemes {
		all := paths
		if scheme == tao.Sr25519 {
			all = append(soft, paths...)
		}
		for _, path := range all {
			t.Run(fmt.Sprintf("%s%s", scheme, path), func(t *testing.T) {
				want, err := subkey.DeriveKeyPair(theirs, phrase+path)
				if err != nil {
					t.Fatal(err)
				}
				key, err := keystore.FromURI([]byte(phrase+path), scheme)
				if err != nil {
					t.Fatal(err)
				}
				defer key.Wipe()
				if got := key.Account(); string(got[:]) != string(want.AccountID()) {
					t.Errorf("ours is %s, theirs %s", got, want.SS58Address(42))
				}
				message := []byte("a message")
				sig, err := key.Sign(t.Context(), message)
				if err != nil || !want.Verify(message, sig.Bytes) {
					t.Errorf("their key does not verify our signature: %v", err)
				}
				other, err := want.Sign(message)
				if err != nil || keystore.Verify(key.Account(), message, tao.Signature{Scheme: scheme, Bytes: other}) != nil {
					t.Errorf("we do not verify their signature: %v", err)
				}
			})
		}
	}
}
