package keystore

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/taoctl/taoctl/keystore/internal/kdf"
	"github.com/taoctl/taoctl/tao"
)

// seedFiles feeds the vectors' files to a fuzz target.
func seedFiles(f *testing.F) {
	f.Helper()
	paths, err := filepath.Glob("testdata/files/*.keyfile")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

func seedJSON(f *testing.F) {
	f.Helper()
	for _, row := range load[struct{ Valid []keyfileRow }](f, "keyfile_json.json").Valid {
		f.Add([]byte(*row.Data))
	}
	for _, row := range load[[]struct{ JSON json.RawMessage }](f, "polkadotjs.json") {
		f.Add([]byte(row.JSON))
	}
}

// FuzzParseSecret: whatever is read, writes and reads as the same key.
func FuzzParseSecret(f *testing.F) {
	seedFiles(f)
	seedJSON(f)
	f.Add([]byte("//Alice"))
	f.Add([]byte(devPhrase + "//a/b///c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		m, err := parseSecret(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		if err := prove(m.encode(true), m); err != nil {
			t.Fatal(err)
		}
		if err := prove(m.encode(false), m); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzOpen opens hostile files of every format under a cheap derivation.
func FuzzOpen(f *testing.F) {
	seedFiles(f)
	seedJSON(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		defer kdf.Weaken(kdf.Weaken(true))
		format := Detect(data)
		if format == PolkadotJS {
			return // its derivation has no weak form; FuzzPolkadot covers it
		}
		u := NewUnlocker(func(string) ([]byte, error) { return []byte("x"), nil })
		defer u.Wipe()
		if k, err := OpenBytes(context.Background(), "file", data, format, u); err == nil {
			k.Wipe()
		}
		_, _ = parsePublic(data)
	})
}

// FuzzPolkadot covers the parsing around the encryption.
func FuzzPolkadot(f *testing.F) {
	seedJSON(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePolkadot(data)
		if err != nil || p.encrypted() {
			return
		}
		body, err := p.open(nil)
		if err != nil {
			return
		}
		if m, err := p.material(body); err == nil && !bytes.Equal(m.pkcs(), body) {
			t.Fatal("a body reads and does not write back")
		}
	})
}

func FuzzVault(f *testing.F) {
	seedFiles(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parseVault(data)
		if err != nil {
			return
		}
		if _, err := v.open([]byte("x")); err == nil {
			t.Log("a vault opened")
		}
	})
}

func FuzzMnemonic(f *testing.F) {
	f.Add([]byte(devPhrase))
	f.Add([]byte("12-walk 1-bottom 2-drive 3-obey 4-lake 5-curtain 6-smoke 7-basket 8-hold 9-race 10-lonely 11-fit"))
	f.Add([]byte("1. Bottom\n2. drive, 3) obey"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMnemonic(text)
		if err != nil {
			return
		}
		err = m.Reveal(func(phrase []byte) error {
			again, err := ParseMnemonic(phrase)
			if err != nil {
				return err
			}
			return again.Reveal(func(p []byte) error {
				if !bytes.Equal(p, phrase) {
					t.Error("a phrase in its plain form reads as another")
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzURI(f *testing.F) {
	for _, row := range load[[]deriveRow](f, "derive.json") {
		f.Add([]byte(row.URI))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, scheme := range []tao.Scheme{tao.Sr25519, tao.Ed25519} {
			m, err := uriMaterial(text, scheme)
			if err == nil && prove(m.encode(true), m) != nil {
				t.Errorf("%s: a key does not survive writing", scheme)
			}
		}
	})
}

func FuzzEnvPassword(f *testing.F) {
	f.Add("BT_PW__HOME_ALICE__BITTENSOR_WALLETS_DEFAULT_COLDKEY", "NjEsJD4xOHl9fmQ=")
	f.Fuzz(func(t *testing.T, name, value string) {
		if p, err := RevealPassword(name, value); err == nil && len(p) > len(value) {
			t.Error("longer than its own encoding:", hex.EncodeToString(p))
		}
	})
}
