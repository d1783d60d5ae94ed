package keystore

import (
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// PasswordVariable names the environment variable in which the official wallet
// looks for a keyfile's password: BT_PW_ and the absolute path of the file, in
// capitals, with path separators and dots as underscores (bittensor-wallet,
// src/keyfile.rs, env_var_name). Nothing else is replaced, so that the name of
// a path with a dash or a space cannot be set by a shell.
func PasswordVariable(keyfile string) string {
	name := strings.NewReplacer(string(filepath.Separator), "_", "/", "_", ".", "_").Replace(keyfile)
	return "BT_PW_" + upper(name)
}

// upper writes in capitals as Python and Rust do. Go maps a letter to one
// letter; those whose capital form is several are mapped here.
func upper(s string) string {
	return strings.ToUpper(strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌",
		"ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST").Replace(s))
}

// RevealPassword reads the value of such a variable. It is base64 of the
// password XORed with the variable's own name, which hides it from a glance and
// from nobody else: whoever can read a process' environment has the password.
// An error does not quote the value.
func RevealPassword(name, value string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(value))
	if err != nil {
		return nil, fmt.Errorf("reading the password in %s: it is not base64", name)
	}
	if name == "" {
		return nil, errors.New("reading a password: the variable has no name")
	}
	for i := range b {
		b[i] ^= name[i%len(name)]
	}
	if !utf8.Valid(b) {
		wipe(b)
		return nil, fmt.Errorf("reading the password in %s: it was made for another file: the variable's name is part of it", name)
	}
	return b, nil
}

// LegacyPasswordVariable names the variable in which wallets before
// bittensor-wallet 2.0.2 looked for a coldkey's password, in the clear.
func LegacyPasswordVariable(wallet string) string {
	return "BT_COLD_PW_" + upper(strings.ReplaceAll(wallet, "-", "_"))
}
