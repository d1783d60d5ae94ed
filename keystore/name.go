package keystore

import (
	"path/filepath"
	"strings"
)

// Ref names a key of a store: a wallet's coldkey, or with Hotkey set, one of
// its hotkeys.
type Ref struct {
	Wallet string `json:"wallet"`
	Hotkey string `json:"hotkey,omitempty"`
}

// ParseRef reads "wallet" or "wallet/hotkey". Errors are *NameError.
func ParseRef(s string) (Ref, error) {
	wallet, hotkey, slash := strings.Cut(s, "/")
	r := Ref{Wallet: wallet, Hotkey: hotkey}
	if slash && hotkey == "" {
		return Ref{}, &NameError{Name: s, Reason: "ends in a slash: write WALLET/HOTKEY"}
	}
	return r, r.check()
}

// String prints "wallet" or "wallet/hotkey".
func (r Ref) String() string {
	if r.Hotkey == "" {
		return r.Wallet
	}
	return r.Wallet + "/" + r.Hotkey
}

// Kind is "coldkey" or "hotkey".
func (r Ref) Kind() string {
	if r.Hotkey == "" {
		return "coldkey"
	}
	return "hotkey"
}

func (r Ref) what() string { return r.Kind() + " " + r.String() }

const (
	coldkeyFile = "coldkey"
	hotkeysDir  = "hotkeys"
	pubSuffix   = "pub.txt"
	backupsDir  = "backups"
)

// secretFile and pubFile are paths inside the store, with the system's own
// separators.
func (r Ref) secretFile() string {
	if r.Hotkey == "" {
		return filepath.Join(r.Wallet, coldkeyFile)
	}
	return filepath.Join(r.Wallet, hotkeysDir, r.Hotkey)
}

func (r Ref) pubFile() string { return r.secretFile() + pubSuffix }

// check refuses what cannot be a path element. Old tools wrote names that
// CheckName would not allow; those are still read.
func (r Ref) check() error {
	if err := checkElement(r.Wallet); err != nil {
		return err
	}
	if r.Hotkey == "" {
		return nil
	}
	return checkElement(r.Hotkey)
}

func checkElement(name string) error {
	switch {
	case name == "":
		return &NameError{Name: name, Reason: "is empty"}
	case name == "." || name == "..":
		return &NameError{Name: name, Reason: "names a folder, not a key"}
	case strings.ContainsAny(name, "/\\\x00"):
		return &NameError{Name: name, Reason: "holds a path separator"}
	case len(name) > 255:
		return &NameError{Name: name, Reason: "is longer than 255 bytes"}
	case !filepath.IsLocal(name):
		return &NameError{Name: name, Reason: "is reserved by the system"}
	}
	return nil
}

// CheckName says whether a wallet or hotkey may be made under a name: 1 to 64
// of A-Z a-z 0-9 . _ -, without a dot or dash in front, and not ending like
// the files that tools put beside keys (pub.txt, .lock, .tmp), which would be
// taken for those. Errors are *NameError.
func CheckName(name string) error {
	if err := checkElement(name); err != nil {
		return err
	}
	fail := func(reason string) error { return &NameError{Name: name, Reason: reason} }
	if len(name) > 64 {
		return fail("is longer than 64 characters")
	}
	if strings.ContainsFunc(name, notNameRune) {
		return fail("has a character other than A-Z a-z 0-9 . _ -")
	}
	if name[0] == '.' || name[0] == '-' {
		return fail("begins with a dot or a dash")
	}
	for _, suffix := range []string{pubSuffix, ".lock", ".tmp"} {
		if strings.HasSuffix(strings.ToLower(name), suffix) {
			return fail("ends in " + suffix + ", as files beside keys do")
		}
	}
	return nil
}

func notNameRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return r != '.' && r != '_' && r != '-'
}

// checkNew is check for a key that is to be made.
func (r Ref) checkNew() error {
	if err := CheckName(r.Wallet); err != nil {
		return err
	}
	if r.Hotkey == "" {
		return nil
	}
	return CheckName(r.Hotkey)
}
