package keystore

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/taoctl/taoctl/keystore/internal/kdf"
	"github.com/taoctl/taoctl/tao"
)

// The vectors in testdata were made with other implementations: PyNaCl, Python's
// cryptography, @polkadot. Every key in them is public.

func load[T any](t testing.TB, name string) T {
	t.Helper()
	var v T
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(name, err)
	}
	return v
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type hexText struct{ b []byte }

func (h *hexText) UnmarshalText(t []byte) (err error) {
	h.b, err = hex.DecodeString(string(t))
	return err
}

type naclRow struct {
	Name     string
	File     string
	Password string
	Key      hexText
	Nonce    hexText
	Plain    hexText     `json:"plaintext_hex"`
	FileHex  hexText     `json:"file_hex"`
	Address  tao.Account `json:"expected_address"`
	Error    string
}

// TestNaClVectors opens every $NACL vector with the key that another
// implementation derived; TestNaClDerivation derives.
func TestNaClVectors(t *testing.T) {
	rows := load[struct{ Valid, Negative []naclRow }](t, "nacl.json")
	for _, row := range rows.Valid {
		plain, err := openNaCl(row.FileHex.b, row.Key.b)
		if err != nil || !bytes.Equal(plain, row.Plain.b) {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		m, err := parseSecret(plain)
		if err != nil || m.account != row.Address {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
	key := rows.Valid[0].Key.b
	for _, row := range rows.Negative {
		if _, err := openNaCl(row.FileHex.b, key); err == nil && row.Name != "wrong password" {
			t.Errorf("%s: opened", row.Name)
		}
	}
}

// TestNaClDerivation takes 512 MiB and seconds for each password, so it derives
// for two of the vectors' six: ASCII, and beyond ASCII.
func TestNaClDerivation(t *testing.T) {
	if testing.Short() {
		t.Skip("each derivation takes seconds")
	}
	done := map[string]bool{}
	for _, row := range load[struct{ Valid []naclRow }](t, "nacl.json").Valid {
		if row.Password != "testing123!" && row.Name != "unicode password" || done[row.Password] {
			continue
		}
		done[row.Password] = true
		key, err := kdf.NaCl([]byte(row.Password))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(key, row.Key.b) {
			t.Errorf("%s: another key", row.Name)
		}
	}
	if len(done) != 2 {
		t.Errorf("derived %d keys, want 2", len(done))
	}
}

type keyfileRow struct {
	Name    string
	Data    *string     `json:"data_utf8"`
	Base64  string      `json:"data_b64"`
	Address tao.Account `json:"expected_address"`
	Type    tao.Scheme  `json:"expected_type"`
	Public  bool        `json:"public_only"`
	Reject  bool        `json:"must_reject"`
}

func (r keyfileRow) data(t *testing.T) []byte {
	if r.Data != nil {
		return []byte(*r.Data)
	}
	b, err := base64.StdEncoding.DecodeString(r.Base64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeyfileVectors(t *testing.T) {
	rows := load[struct{ Valid, Negative []keyfileRow }](t, "keyfile_json.json")
	for _, row := range rows.Valid {
		if row.Public {
			account, err := parsePublic(row.data(t))
			if err != nil || account != row.Address {
				t.Errorf("%s: %v %v", row.Name, account, err)
			}
			continue
		}
		m, err := parseSecret(row.data(t))
		if err != nil {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		if m.account != row.Address || m.scheme != row.Type {
			t.Errorf("%s: %v %v", row.Name, m.scheme, m.account)
		}
	}
	for _, row := range rows.Negative {
		if _, err := parseSecret(row.data(t)); (err != nil) != row.Reject {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
}

type deriveRow struct {
	URI       string
	Type      tao.Scheme
	Error     string
	Public    hexText
	GoPublic  hexText `json:"go_subkey_public"`
	Scalar    hexText `json:"secret_scalar_canonical"`
	Canonical hexText `json:"secret_canonical64"`
	PJS       hexText `json:"secret_polkadotjs64"`
	Seed      hexText
}

// TestDeriveVectors follows Substrate where Polkadot-JS differs from it: those
// rows carry both answers.
func TestDeriveVectors(t *testing.T) {
	for _, row := range load[[]deriveRow](t, "derive.json") {
		m, err := uriMaterial([]byte(row.URI), row.Type)
		if row.Error != "" {
			if err == nil {
				t.Errorf("%s: derived", row.URI)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.URI, err)
			continue
		}
		if row.GoPublic.b != nil {
			if !bytes.Equal(m.account[:], row.GoPublic.b) {
				t.Errorf("%s: not Substrate's key", row.URI)
			}
			continue
		}
		if !bytes.Equal(m.account[:], row.Public.b) {
			t.Errorf("%s %s: another key", row.Type, row.URI)
		}
		if !bytes.HasPrefix(m.private, row.Scalar.b) || row.Canonical.b != nil && !bytes.Equal(m.private, row.Canonical.b) {
			t.Errorf("%s: another private key", row.URI)
		}
		if row.Seed.b != nil && !bytes.Equal(m.private, row.Seed.b) {
			t.Errorf("%s: another ed25519 seed", row.URI)
		}
		if row.PJS.b != nil && !bytes.Equal(m.pkcs()[len(pkcsHead):len(pkcsHead)+64], row.PJS.b) {
			t.Errorf("%s: another Polkadot-JS secret", row.URI)
		}
	}
}

func TestMnemonicVectors(t *testing.T) {
	type row struct {
		Mnemonic, Why, What string
		Entropy             hexText
		Passphrase          hexText     `json:"passphrase_utf8_hex"`
		Mini                hexText     `json:"mini_secret"`
		Sr                  tao.Account `json:"sr25519_address"`
		Ed                  tao.Account `json:"ed25519_address"`
	}
	rows := load[struct{ Valid, Invalid, Normalisation []row }](t, "bip39.json")
	for _, r := range rows.Valid {
		m, err := ParseMnemonic([]byte(r.Mnemonic))
		if err != nil {
			t.Errorf("%s: %v", r.Mnemonic, err)
			continue
		}
		if got := join(wordsOf(r.Entropy.b)); string(got) != r.Mnemonic {
			t.Errorf("entropy gives %s", got)
		}
		for scheme, want := range map[tao.Scheme]tao.Account{tao.Sr25519: r.Sr, tao.Ed25519: r.Ed} {
			k, err := m.Key(scheme, KeyOptions{Passphrase: r.Passphrase.b})
			if err != nil || k.Account() != want {
				t.Errorf("%s %s: %v %v", scheme, r.Mnemonic, k, err)
			}
		}
		seed, err := miniSecret([]byte(r.Mnemonic), r.Passphrase.b)
		if err != nil || !bytes.Equal(seed, r.Mini.b) {
			t.Errorf("%s: another mini-secret, %v", r.Mnemonic, err)
		}
	}
	for _, r := range rows.Invalid {
		var bad *MnemonicError
		if _, err := ParseMnemonic([]byte(r.Mnemonic)); !errors.As(err, &bad) {
			t.Errorf("%s: %v", r.Why, err)
		}
	}
	for _, r := range rows.Normalisation {
		if _, err := ParseMnemonic([]byte(r.Mnemonic)); err != nil {
			t.Errorf("%s: %v", r.What, err)
		}
	}
}

func TestPolkadotVectors(t *testing.T) {
	type row struct {
		Label    string
		Password string
		Type     tao.Scheme
		Address  tao.Account     `json:"expected_address"`
		JSON     json.RawMessage `json:"json"`
	}
	for _, r := range load[[]row](t, "polkadotjs.json") {
		ask := func(string) ([]byte, error) { return []byte(r.Password), nil }
		k, err := OpenBytes(t.Context(), r.Label, r.JSON, Detect(r.JSON), NewUnlocker(ask))
		if err != nil {
			t.Errorf("%s: %v", r.Label, err)
			continue
		}
		if k.Account() != r.Address || k.Scheme() != r.Type {
			t.Errorf("%s: %v", r.Label, k)
		}
	}
}

func TestSignVectors(t *testing.T) {
	type row struct {
		Name, Public string
		Message      hexText
		Signature    hexText
		Valid        bool
	}
	rows := load[struct{ Sr25519, Ed25519 []row }](t, "sign.json")
	for scheme, list := range map[tao.Scheme][]row{tao.Sr25519: rows.Sr25519, tao.Ed25519: rows.Ed25519} {
		for _, r := range list {
			err := Verify(tao.Account(unhex(t, r.Public)), r.Message.b, tao.Signature{Scheme: scheme, Bytes: r.Signature.b})
			if (err == nil) != r.Valid {
				t.Errorf("%s %s: %v, want valid=%v", scheme, r.Name, err, r.Valid)
			}
		}
	}
}

func TestOldFormatVectors(t *testing.T) {
	type row struct {
		Name, File, Password string
		Text                 string       `json:"file_text"`
		Token                string       `json:"token"`
		Address              *tao.Account `json:"expected_address"`
	}
	for name, format := range map[string]Format{"ansible.json": Ansible, "fernet.json": Fernet, "agcli.json": Agcli} {
		rows := load[struct{ Valid, Negative []row }](t, name)
		u := map[string]*Unlocker{}
		open := func(r row, data []byte) (*Key, error) {
			if u[r.Password] == nil {
				u[r.Password] = NewUnlocker(func(string) ([]byte, error) { return []byte(r.Password), nil })
			}
			return OpenBytes(t.Context(), r.Name, data, format, u[r.Password])
		}
		for _, r := range rows.Valid {
			data := file(t, r.File)
			if got := Detect(data); got != format {
				t.Errorf("%s is taken for %s", r.File, got)
			}
			k, err := open(r, data)
			if r.Address == nil {
				var bad *MalformedError
				if !errors.As(err, &bad) {
					t.Errorf("%s holds no key, and yet: %v", r.File, err)
				}
				continue
			}
			if err != nil || k.Account() != *r.Address {
				t.Errorf("%s: %v %v", r.File, k, err)
			}
		}
		for _, r := range rows.Negative {
			if k, err := open(r, []byte(r.Text+r.Token)); err == nil {
				t.Errorf("%s %s: opened as %v", format, r.Name, k)
			}
		}
	}
}
