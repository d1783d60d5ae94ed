package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/keystore/internal/kdf"
	"github.com/taoctl/taoctl/tao"
)

func TestEnvPasswordVectors(t *testing.T) {
	rows := load[struct {
		Valid []struct {
			Path     string `json:"keyfile_path"`
			Name     string `json:"env_name"`
			Password string
			Value    string `json:"env_value"`
		}
		Negative []struct {
			Value string `json:"env_value"`
		}
		Legacy []struct {
			Wallet string `json:"wallet_name"`
			Name   string `json:"env_name"`
		} `json:"legacy_plaintext_names"`
	}](t, "env_password.json")
	for _, r := range rows.Valid {
		if got := PasswordVariable(filepath.FromSlash(r.Path)); got != r.Name {
			t.Errorf("%s: %s, want %s", r.Path, got, r.Name)
		}
		if got, err := RevealPassword(r.Name, r.Value); err != nil || string(got) != r.Password {
			t.Errorf("%s: another password, %v", r.Name, err)
		}
	}
	for _, r := range rows.Negative {
		if _, err := RevealPassword("BT_PW_X", r.Value); err == nil {
			t.Errorf("%q was read", r.Value)
		}
	}
	for _, r := range rows.Legacy {
		if got := LegacyPasswordVariable(r.Wallet); got != r.Name {
			t.Errorf("%s: %s", r.Wallet, got)
		}
	}
	if _, err := RevealPassword("", "AA=="); err == nil {
		t.Error("a variable without name")
	}
	if _, err := RevealPassword("BT_PW_X", "/////w=="); err == nil {
		t.Error("bytes that are no text")
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"default": true, "my-wallet_2.x": true, "A": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, ".hidden": false, "-flag": false, "a/b": false, `a\b`: false,
		"a b": false, "ä": false, "..": false, ".": false, "x\x00": false, "a:b": false,
		"coldkeypub.txt": false, "xPUB.TXT": false, "x.lock": false, "x.tmp": false, "lock": true,
	} {
		var bad *NameError
		if err := CheckName(name); (err == nil) != ok || err != nil && !errors.As(err, &bad) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for text, want := range map[string]Ref{"a": {Wallet: "a"}, "a/b": {"a", "b"}} {
		if got, err := ParseRef(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "/", "a/", "/b", "a/b/c", "../b"} {
		if got, err := ParseRef(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestCheckPassphrase(t *testing.T) {
	for p, ok := range map[string]bool{"x": true, "two words": true, "pässwörd": true, "": false, " x": false, "x\n": false, "\xff": false} {
		var bad *PassphraseError
		if err := CheckPassphrase([]byte(p)); (err == nil) != ok || err != nil && !errors.As(err, &bad) {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestNewMnemonic(t *testing.T) {
	seen := map[string]bool{}
	for _, words := range []int{12, 15, 18, 21, 24} {
		for range 20 {
			m, err := NewMnemonic(words)
			if err != nil {
				t.Fatal(err)
			}
			err = m.Reveal(func(p []byte) error {
				seen[string(p)] = true
				if n := len(bytes.Fields(p)); n != words {
					t.Errorf("%d words, want %d", n, words)
				}
				_, err := ParseMnemonic(p)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			m.Wipe()
			if err := m.Reveal(func([]byte) error { return nil }); !errors.Is(err, ErrWiped) {
				t.Errorf("after Wipe: %v", err)
			}
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d different mnemonics of 100", len(seen))
	}
	for _, words := range []int{-3, 0, 11, 13, 27} {
		if _, err := NewMnemonic(words); err == nil {
			t.Errorf("%d words were made", words)
		}
	}
}

const vectorPhrase = "neither record please project rabbit warfare trouble fiber bless place runway garden"

func TestParseMnemonicAsWritten(t *testing.T) {
	for name, text := range map[string]string{
		"plain":         vectorPhrase,
		"capitals":      strings.ToUpper(vectorPhrase),
		"white space":   "  " + strings.ReplaceAll(vectorPhrase, " ", "\r\n\t\u00a0 "),
		"commas":        strings.ReplaceAll(vectorPhrase, " ", ", "),
		"btcli numbers": "1-neither 2-record 3-please 4-project 5-rabbit 6-warfare 7-trouble 8-fiber 9-bless 10-place 11-runway 12-garden",
		"any order":     "12-garden 2-record 1-neither 4-project 3-please 5-rabbit 6-warfare 8-fiber 7-trouble 9-bless 11-runway 10-place",
		"list":          "1. neither\n2. record\n3. please\n4. project\n5. rabbit\n6. warfare\n7. trouble\n8. fiber\n9. bless\n10. place\n11. runway\n12. garden\n",
		"two columns":   "1 neither 7 trouble\n2 record 8 fiber\n3 please 9 bless\n4 project 10 place\n5 rabbit 11 runway\n6 warfare 12 garden",
		"brackets":      "1) neither 2) record 3) please 4) project 5) rabbit 6) warfare 7) trouble 8) fiber 9) bless 10) place 11) runway 12) garden",
	} {
		m, err := ParseMnemonic([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := m.Reveal(func(p []byte) error {
			if string(p) != vectorPhrase {
				t.Errorf("%s: read as another phrase", name)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	for name, text := range map[string]string{
		"empty":              "",
		"a number twice":     strings.Replace("1-neither 2-record 3-please 4-project 5-rabbit 6-warfare 7-trouble 8-fiber 9-bless 10-place 11-runway 12-garden", "2-", "1-", 1),
		"a number too large": "1-neither 2-record 3-please 4-project 5-rabbit 6-warfare 7-trouble 8-fiber 9-bless 10-place 11-runway 13-garden",
		"half numbered":      "1-neither record please project rabbit warfare trouble fiber bless place runway garden",
		"huge number":        "99999999999999999999999-neither record please project rabbit warfare trouble fiber bless place runway garden",
	} {
		var bad *MnemonicError
		if _, err := ParseMnemonic([]byte(text)); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCorrections(t *testing.T) {
	account, err := tao.ParseAccount("5FujPuivWdaLeiLPy5F14GcaTaFCdBjW7hGfED5qYEwXAPuS")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		position   int
		word       string
		distance   int
	}{
		{"unknown word", strings.Replace(vectorPhrase, "please", "plaese", 1), 3, "please", 1},
		{"other word", strings.Replace(vectorPhrase, "bless", "dress", 1), 9, "bless", 2},
		{"swapped", strings.Replace(vectorPhrase, "rabbit warfare", "warfare rabbit", 1), 5, "", 0},
	} {
		for _, want := range []*tao.Account{nil, &account} {
			found, err := Corrections([]byte(c.text), want)
			if err != nil {
				t.Fatal(err)
			}
			hit := false
			for _, f := range found {
				hit = hit || f == Correction{c.position, c.word, c.distance}
			}
			if !hit {
				t.Errorf("%s: not among %d corrections", c.name, len(found))
			}
			if want != nil && len(found) != 1 {
				t.Errorf("%s: with the account known, %d corrections", c.name, len(found))
			}
		}
	}
	if found, err := Corrections([]byte(vectorPhrase), nil); err != nil || found != nil {
		t.Errorf("a right phrase: %d corrections, %v", len(found), err)
	}
	// With "palace" for "place" the checksum fits by chance: only the account tells.
	lucky := strings.Replace(vectorPhrase, "place", "palace", 1)
	if found, err := Corrections([]byte(lucky), &account); err != nil || len(found) != 1 || found[0] != (Correction{10, "place", 1}) {
		t.Errorf("a wrong phrase that checks: %d corrections, %v", len(found), err)
	}
	two := strings.NewReplacer("please", "plaese", "place", "plaec").Replace(vectorPhrase)
	var bad *MnemonicError
	if _, err := Corrections([]byte(two), nil); !errors.As(err, &bad) || fmt.Sprint(bad.At) != "[3 10]" {
		t.Errorf("two unknown words: %v", err)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"place", "place", 0}, {"palce", "place", 1}, {"place", "palace", 1}, {"gardem", "garden", 1}, {"abc", "xyz", 3}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestDevKeyMustBeAskedFor(t *testing.T) {
	k, err := DevKey("//Alice", tao.Sr25519)
	if err != nil || k.Account().String() != "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" {
		t.Errorf("%v %v", k, err)
	}
	for _, text := range []string{"//Alice", "", "///password", " //0"} {
		var bad *MalformedError
		if _, err := FromURI([]byte(text), tao.Sr25519); !errors.As(err, &bad) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKeyErrors(t *testing.T) {
	for name, make := range map[string]func() (*Key, error){
		"seed of 31 bytes":   func() (*Key, error) { return FromSeed(bytes.Repeat([]byte{1}, 31), tao.Sr25519, "") },
		"seed of 64 bytes":   func() (*Key, error) { return FromSeed(bytes.Repeat([]byte{1}, 64), tao.Ed25519, "") },
		"ecdsa seed":         func() (*Key, error) { return FromSeed(bytes.Repeat([]byte{1}, 32), tao.Ecdsa, "") },
		"zero private":       func() (*Key, error) { return FromPrivate(make64(0), tao.Sr25519) },
		"scalar too large":   func() (*Key, error) { return FromPrivate(make64(0xff), tao.Sr25519) },
		"private of 63":      func() (*Key, error) { return FromPrivate(make64(1)[:63], tao.Sr25519) },
		"private empty":      func() (*Key, error) { return FromPrivate(nil, tao.Ed25519) },
		"ed25519 halves":     func() (*Key, error) { return FromPrivate(make64(1), tao.Ed25519) },
		"soft ed25519":       func() (*Key, error) { return DevKey("/soft", tao.Ed25519) },
		"path without slash": func() (*Key, error) { return DevKey("Alice", tao.Sr25519) },
		"path with a hole":   func() (*Key, error) { return DevKey("//Alice//", tao.Sr25519) },
		"hex and passphrase": func() (*Key, error) { return FromURI([]byte("0x"+strings.Repeat("01", 32)+"///x"), tao.Sr25519) },
		"short hex":          func() (*Key, error) { return FromURI([]byte("0x0102"), tao.Sr25519) },
		"not UTF-8":          func() (*Key, error) { return FromURI([]byte(vectorPhrase+"//\xff"), tao.Sr25519) },
		"endless":            func() (*Key, error) { return FromURI([]byte(strings.Repeat("word ", 2000)), tao.Sr25519) },
	} {
		if k, err := make(); err == nil {
			t.Errorf("%s: made %v", name, k)
		}
	}
}

func make64(b byte) []byte { return bytes.Repeat([]byte{b}, 64) }

func TestVerifyRefuses(t *testing.T) {
	k := crashKey(t, 1)
	sig, err := k.Sign(t.Context(), []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	long := append(bytes.Clone(sig.Bytes), 0)
	for name, c := range map[string]tao.Signature{
		"65 bytes":     {Scheme: tao.Sr25519, Bytes: long},
		"63 bytes":     {Scheme: tao.Sr25519, Bytes: sig.Bytes[:63]},
		"empty":        {Scheme: tao.Sr25519},
		"other scheme": {Scheme: tao.Ed25519, Bytes: sig.Bytes},
	} {
		if err := Verify(k.Account(), []byte("message"), c); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Verify(k.Account(), []byte("other"), sig); !errors.Is(err, ErrSignature) {
		t.Errorf("other message: %v", err)
	}
	var unsupported *UnsupportedError
	if err := Verify(k.Account(), nil, tao.Signature{Scheme: tao.Ecdsa, Bytes: make([]byte, 65)}); !errors.As(err, &unsupported) {
		t.Errorf("ecdsa: %v", err)
	}
	k.Wipe()
	if _, err := k.Sign(t.Context(), nil); !errors.Is(err, ErrWiped) {
		t.Errorf("after Wipe: %v", err)
	}
}

func TestWrapBytes(t *testing.T) {
	for in, want := range map[string]string{"x": "<Bytes>x</Bytes>", "": "<Bytes></Bytes>", "<Bytes>x</Bytes>": "<Bytes>x</Bytes>", "<Bytes>x": "<Bytes><Bytes>x</Bytes>"} {
		if got := string(WrapBytes([]byte(in))); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestUnlockerDerivesOnce counts derivations and questions over many files.
func TestUnlockerDerivesOnce(t *testing.T) {
	defer kdf.Weaken(kdf.Weaken(true))
	s := Open(filepath.Join(t.TempDir(), "wallets"))
	asked, worked, ended := 0, 0, 0
	u := NewUnlocker(func(string) ([]byte, error) { asked++; return []byte("pass"), nil }).
		OnWork(func(Format) func() { worked++; return func() { ended++ } })
	defer u.Wipe()
	refs := []Ref{{Wallet: "a"}, {"a", "1"}, {"a", "2"}, {"a", "3"}}
	for i, ref := range refs {
		if _, err := s.Save(t.Context(), ref, crashKey(t, byte(i+1)), u, SaveOptions{Passphrase: []byte("pass")}); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 0 || worked != 1 {
		t.Errorf("saving: asked %d times, derived %d times", asked, worked)
	}
	for _, ref := range refs {
		if _, err := s.Unlock(t.Context(), ref, u); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 0 || worked != 1 || ended != 1 {
		t.Errorf("unlocking: asked %d times, derived %d times, ended %d times", asked, worked, ended)
	}
	if _, err := s.Save(t.Context(), Ref{"a", "4"}, crashKey(t, 9), u, SaveOptions{Passphrase: []byte("other")}); err != nil || worked != 2 {
		t.Errorf("another passphrase: derived %d times, %v", worked, err)
	}
	u.Wipe()
	if _, err := s.Unlock(t.Context(), refs[0], u); !errors.Is(err, ErrWiped) {
		t.Errorf("after Wipe: %v", err)
	}
}

func TestPolkadotExport(t *testing.T) {
	for _, scheme := range []tao.Scheme{tao.Sr25519, tao.Ed25519} {
		k, err := FromURI([]byte(vectorPhrase+"//path"), scheme)
		if err != nil {
			t.Fatal(err)
		}
		data, err := ExportPolkadotJS(t.Context(), k, "name", time.UnixMilli(1700000000000), []byte("pass"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := OpenBytes(t.Context(), "export", data, Detect(data), crashUnlocker("pass"))
		if err != nil || again.Account() != k.Account() || again.Scheme() != scheme {
			t.Errorf("%v %v", again, err)
		}
		var wrong *WrongPassphraseError
		if _, err := OpenBytes(t.Context(), "export", data, PolkadotJS, crashUnlocker("wrong")); !errors.As(err, &wrong) {
			t.Errorf("wrong passphrase: %v", err)
		}
		other := bytes.Replace(data, []byte(k.Account().String()), []byte("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"), 1)
		var mismatch *MismatchError
		if _, err := OpenBytes(t.Context(), "export", other, PolkadotJS, crashUnlocker("pass")); !errors.As(err, &mismatch) {
			t.Errorf("another address: %v", err)
		}
		foreign := bytes.Replace(data, []byte(`"`+k.Account().String()+`"`), []byte(`""`), 1)
		if _, err := OpenBytes(t.Context(), "export", foreign, PolkadotJS, crashUnlocker("pass")); err != nil {
			t.Errorf("no address: %v", err)
		}
	}
	if _, err := ExportPolkadotJS(t.Context(), crashKey(t, 1), "n", time.Time{}, nil); err == nil {
		t.Error("exported without passphrase")
	}
}

func TestForeignKeysAreNamed(t *testing.T) {
	export := `{"encoded":"AA==","encoding":{"content":["pkcs8",%q],"type":["scrypt","xsalsa20-poly1305"],"version":%q},"address":"x","meta":{}}`
	for name, data := range map[string]string{
		"ecdsa":    fmt.Sprintf(export, "ecdsa", "3"),
		"ethereum": fmt.Sprintf(export, "ethereum", "3"),
		"version":  fmt.Sprintf(export, "sr25519", "2"),
		"hashed":   `{"secretSeed":"0x01","cryptoType":4}`,
		"ML-DSA":   `{"secretSeed":"0x01","cryptoType":"5"}`,
		"an ecdsa": `{"secretSeed":"0x01","cryptoType":2}`,
		"type 99":  `{"secretSeed":"0x01","cryptoType":99}`,
	} {
		var unsupported *UnsupportedError
		_, err := OpenBytes(t.Context(), "file", []byte(data), Detect([]byte(data)), nil)
		if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), name) || !strings.HasPrefix(err.Error(), "file: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddressOfAnyNetwork(t *testing.T) {
	want, err := tao.ParseAccount("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		"15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
		"cEaNSpz4PxFcZ7nT1VEKrKewH67rfx6MfcM6yKojyyPz7qaqp",
		"jAtW53781ZL18rTbRPuMcq3EcxYSHF3AJAnnMwgoxs5UAaELH",
	} {
		if got, err := anyAddress(text); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "4jS", "NZoQ", "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp6", strings.Repeat("1", 100), "0x00", "5Grwva EF5"} {
		if got, err := anyAddress(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
