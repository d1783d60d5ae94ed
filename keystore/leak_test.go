package keystore_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/keystore/keystoretest"
	"github.com/taoctl/taoctl/tao"
)

const (
	leakPhrase = "neither record please project rabbit warfare trouble fiber bless place runway garden"
	leakPass   = "a-passphrase-nobody-may-see"
	leakPanic  = "KEYSTORE_TEST_PANIC"
)

func TestMain(m *testing.M) {
	if os.Getenv(leakPanic) != "" {
		panicWithSecrets()
	}
	os.Exit(m.Run())
}

// holders returns everything that holds a secret, and the secrets' bytes.
func holders() (things map[string]any, secrets [][]byte, err error) {
	m, err := keystore.ParseMnemonic([]byte(leakPhrase))
	if err != nil {
		return nil, nil, err
	}
	k, err := m.Key(tao.Sr25519, keystore.KeyOptions{})
	if err != nil {
		return nil, nil, err
	}
	err = k.Reveal(func(s keystore.Secrets) error {
		secrets = append(secrets, bytes.Clone(s.Phrase), bytes.Clone(s.Seed), bytes.Clone(s.Private))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	u := keystore.NewUnlocker(func(string) ([]byte, error) { return []byte(leakPass), nil })
	o := keystore.SaveOptions{Passphrase: []byte(leakPass)}
	// Saving fills the unlocker's cache with a derived key.
	if _, err := keystore.Encode(context.Background(), k, u, o); err != nil {
		return nil, nil, err
	}
	secrets = append(secrets, []byte(leakPass))
	return map[string]any{
		"key": k, "key value": *k, "mnemonic": m, "mnemonic value": *m, "unlocker": u, "unlocker value": *u, "options": o, "options pointer": &o,
		"in a struct": struct{ K *keystore.Key }{k}, "in a slice": []*keystore.Key{k}, "in a map": map[string]*keystore.Key{"k": k},
	}, secrets, nil
}

// spellings are the ways in which a printer may write bytes.
func spellings(secret []byte) []string {
	numbers := make([]string, len(secret))
	for i, b := range secret {
		numbers[i] = strconv.Itoa(int(b))
	}
	goSyntax := fmt.Sprintf("%#v", secret)
	encoded, _ := json.Marshal(secret) // base64
	part := func(s string) string { return s[:min(len(s), 24)] }
	return []string{
		string(secret), hex.EncodeToString(secret)[:16], strings.ToUpper(hex.EncodeToString(secret))[:16],
		strings.Join(numbers[:8], " "), strings.Join(numbers[:8], ","),
		part(strings.Trim(strconv.Quote(string(secret)), `"`)), part(strings.TrimSuffix(strings.TrimPrefix(goSyntax, "[]byte{"), "}")), part(strings.Trim(string(encoded), `"`)),
	}
}

func noSecret(t *testing.T, where, text string, secrets [][]byte) {
	t.Helper()
	for i, secret := range secrets {
		for j, form := range spellings(secret) {
			if strings.Contains(text, form) {
				t.Errorf("%s shows secret %d in spelling %d", where, i, j) // and not the text
			}
		}
	}
}

// TestSpellingsAreFound proves that the search above finds a secret that does
// leak, in every way of printing used here.
func TestSpellingsAreFound(t *testing.T) {
	secret := bytes.Repeat([]byte{0xab, 'x', 0x07}, 11)
	leak := struct{ Secret []byte }{secret}
	for where, text := range printed(t, leak) {
		found := false
		for _, form := range spellings(secret) {
			found = found || strings.Contains(text, form)
		}
		if !found {
			t.Errorf("%s: a leak goes unseen: %q", where, text)
		}
	}
}

func printed(t *testing.T, v any) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	var text, jsonLog, templ bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&jsonLog, nil)).Info("x", "v", v)
	out["slog text"], out["slog json"] = text.String(), jsonLog.String()
	encoded, err := json.Marshal(v)
	out["json"] = fmt.Sprint(string(encoded), err)
	err = template.Must(template.New("").Parse("{{.}} {{printf \"%+v %#v\" . .}}")).Execute(&templ, v)
	out["template"] = fmt.Sprint(templ.String(), err)
	out["error"] = fmt.Errorf("wrapped: %v", v).Error()
	return out
}

func TestNothingPrintsASecret(t *testing.T) {
	keystoretest.WeakKDF(t)
	things, secrets, err := holders()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range things {
		for where, text := range printed(t, v) {
			noSecret(t, name+" by "+where, text, secrets)
		}
	}
}

// panicWithSecrets runs in a child process: it panics with the secrets' holders
// as value and as arguments on the stack.
func panicWithSecrets() {
	keystoretest.WeakKDFForProcess()
	things, _, err := holders()
	if err != nil {
		os.Exit(3)
	}
	var panicking func(k *keystore.Key, depth int)
	panicking = func(k *keystore.Key, depth int) {
		if depth > 0 {
			panicking(k, depth-1)
			return
		}
		_ = k.Reveal(func(s keystore.Secrets) error { panic(fmt.Sprintf("%+v", things)) })
	}
	panicking(things["key"].(*keystore.Key), 3)
}

func TestPanicShowsNoSecret(t *testing.T) {
	keystoretest.WeakKDF(t)
	_, secrets, err := holders()
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range []string{"single", "all", "system"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), leakPanic+"=1", "GOTRACEBACK="+level)
		out, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic")) {
			t.Fatalf("the child did not panic: %v", err)
		}
		noSecret(t, "panic with GOTRACEBACK="+level, string(out), secrets)
	}
}

// TestErrorsShowNoSecret reads secrets that are nearly right.
func TestErrorsShowNoSecret(t *testing.T) {
	keystoretest.WeakKDF(t)
	_, secrets, err := holders()
	if err != nil {
		t.Fatal(err)
	}
	seed := hex.EncodeToString(secrets[1])
	for _, text := range []string{
		leakPhrase + " extra",
		strings.Replace(leakPhrase, "garden", "gardem", 1),
		strings.Replace(leakPhrase, "garden", "zoo", 1),
		leakPhrase + "/soft//",
		"0x" + seed + "///" + leakPass,
		"0x" + seed + "zz",
		`{"secretSeed":"0x` + seed + `","ss58Address":"` + "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" + `"}`,
		`{"secretPhrase":"` + leakPhrase + `","cryptoType":2}`,
		`{"secretPhrase":"` + leakPhrase + `"`,
		`{"secretPhrase":"` + leakPhrase + `","secretPhrase":"` + leakPhrase + `"}`,
		`{"privateKey":"0x` + seed + `zz"}`,
		`{"secretPhrase":["` + leakPhrase + `"]}`,
	} {
		for _, format := range []keystore.Format{keystore.Detect([]byte(text)), keystore.Keyfile, keystore.SecretURI, keystore.PolkadotJS} {
			_, err := keystore.OpenBytes(t.Context(), "file", []byte(text), format, unlocker(t, leakPass))
			if err != nil {
				noSecret(t, "an error", fmt.Sprintf("%v %+v %#v", err, err, err), secrets)
				for _, word := range strings.Fields(leakPhrase) {
					if strings.Contains(err.Error(), " "+word) && word != "place" {
						t.Errorf("an error names the word %d of the phrase", strings.Index(leakPhrase, word))
					}
				}
			}
		}
	}
}
