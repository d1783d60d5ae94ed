//go:build unix

package cmd_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/internal/term/termtest"
)

// secrets are what a script's passwords and mnemonics are, and where they must
// not be. Passwords are the files *.password; mnemonics and seeds the files
// *.words. Persons add what they type.
type secrets struct {
	work  string
	typed []string
}

// hide types a line that must not be drawn, printed or stored.
func (s *secrets) hide(tb testing.TB, p *termtest.Person, text string) {
	s.typed = append(s.typed, text)
	p.Type(text + "\r")
	if strings.Contains(p.Drawn(), text) {
		tb.Errorf("%q was drawn on the terminal", text)
	}
}

var (
	asksWord   = regexp.MustCompile(`Word (\d+) of the (\w+)'s mnemonic: $`)
	numberWord = regexp.MustCompile(`(\d+)\. ([a-z]+)`)
)

// recall answers the question for a word of a mnemonic from what was shown
// before.
func (s *secrets) recall(tb testing.TB, p *termtest.Person, _ string) {
	tb.Helper()
	p.Expect("'s mnemonic: ")
	drawn := p.Drawn()
	question := asksWord.FindStringSubmatch(drawn)
	if question == nil {
		tb.Fatalf("no word is asked for: %q", drawn)
	}
	_, shown, _ := strings.Cut(drawn, question[2]+" ")
	for _, m := range numberWord.FindAllStringSubmatch(shown, -1) {
		if m[1] == question[1] {
			p.Type(m[2] + "\r")
			return
		}
	}
	tb.Fatalf("word %s of the %s was not shown: %q", question[1], question[2], drawn)
}

// check looks for every secret in everything that was printed and stored.
func (s *secrets) check(t *testing.T) {
	t.Helper()
	all := s.typed
	texts := map[string][]byte{}
	err := filepath.WalkDir(s.work, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch name := filepath.Base(path); {
		case strings.HasSuffix(name, ".password"), strings.HasSuffix(name, ".words"):
			all = append(all, secretLines(string(text))...)
		case bytes.HasPrefix(text, []byte("{")) && strings.Contains(path, "/wallets/"):
			// a key that was asked to be kept unencrypted
		case name == ".record", name == "screen", strings.Contains(path, "/home/"):
			texts[path] = text
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range leaks(all, texts) {
		t.Error(leak)
	}
}

// secretLines are the lines of a file that are a password, a mnemonic or a seed,
// rather than a name or an address beside them.
func secretLines(text string) (list []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if len(line) >= 8 && !strings.HasPrefix(line, "5") && !strings.HasPrefix(line, "//") && !strings.Contains(line, "key ") {
			list = append(list, line)
		}
	}
	return list
}

// leaks names the texts in which a secret stands, as it is or without its 0x.
func leaks(secrets []string, texts map[string][]byte) (list []string) {
	for path, text := range texts {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(strings.TrimPrefix(secret, "0x"))) {
				list = append(list, "a secret stands in "+path)
			}
		}
	}
	return list
}

func TestLeaksAreFound(t *testing.T) {
	secrets := secretLines("coldkey alice\n5GrwvaEF\nabandon ability able\n0x1234567890abcdef\n")
	if len(secrets) != 2 {
		t.Fatalf("%q are the secrets, want the mnemonic and the seed", secrets)
	}
	texts := map[string][]byte{
		"log":  []byte("taoctl: the mnemonic abandon ability able is wrong"),
		"seed": []byte("1234567890ABCDEF 1234567890abcdef"),
		"fine": []byte("abandon ability"),
	}
	if got := leaks(secrets, texts); len(got) != 2 {
		t.Errorf("leaks: %q, want one in log and one in seed", got)
	}
}
