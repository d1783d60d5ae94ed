package keystore

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"

	"github.com/taoctl/taoctl/tao"
)

// Report says what a file or text is. It holds no secret.
type Report struct {
	Format    Format       `json:"format"`
	Encrypted bool         `json:"encrypted"`
	Scheme    string       `json:"scheme,omitempty"`  // "sr25519", where the content tells
	Account   *tao.Account `json:"address,omitempty"` // where the content tells, or the public file beside it
	Holds     []string     `json:"holds,omitempty"`   // "mnemonic", "seed", "private key", "address"
	Opens     *bool        `json:"opens,omitempty"`   // whether the passphrase opened it; absent if none was tried
	Notes     []string     `json:"notes,omitempty"`   // what its owner should know
	Problem   error        `json:"-"`                 // why it cannot be used
}

// Inspect says what data is, and with an Unlocker whether it opens. What names
// it in questions. Nothing is changed. An empty format is found out.
func Inspect(ctx context.Context, what string, data []byte, format Format, u *Unlocker) Report {
	if format == "" {
		format = Detect(data)
	}
	r := Report{Format: format, Encrypted: format.Encrypted()}
	r.Notes = append(r.Notes, formatNotes[format]...)
	switch format {
	case Unknown:
		_, err := parseSecret(data)
		r.Problem = located(err, what)
		return r
	case PublicHex:
		return r.public(data, what)
	case PolkadotJS:
		r.describePolkadot(data, what)
	case Keyfile:
		if r.describeKeyfile(data); r.isPublic() {
			return r.public(data, what)
		}
	}
	if r.Problem != nil || r.Encrypted && u == nil {
		return r
	}
	r.open(ctx, what, data, u)
	return r
}

var formatNotes = map[Format][]string{
	Ansible:    {"its key derivation is weak: a stolen file is guessed some 350 times faster than the current format"},
	Fernet:     {"the current official wallet cannot open this format"},
	Agcli:      {"no official wallet reads this format", "the format has no mark: it was guessed"},
	Keyfile:    {"whoever reads this file has what is in it"},
	HexSecret:  {"nothing says whether bare hex is a secret or a public key"},
	PolkadotJS: {"an export holds the private key alone, neither mnemonic nor seed"},
}

func (r *Report) isPublic() bool { return len(r.Holds) == 1 && r.Holds[0] == "address" }

func (r Report) public(data []byte, what string) Report {
	account, err := parsePublic(data)
	if err != nil {
		r.Problem = located(err, what)
		return r
	}
	r.Account, r.Holds, r.Notes = &account, []string{"address"}, nil
	return r
}

func (r *Report) describePolkadot(data []byte, what string) {
	f, err := parsePolkadot(data)
	if err != nil {
		r.Problem = located(err, what)
		return
	}
	r.Encrypted, r.Holds = f.encrypted(), []string{"private key"}
	if scheme, err := f.scheme(); err == nil {
		r.Scheme = scheme.String()
	}
	if account, err := anyAddress(f.Address); err == nil {
		r.Account = &account
	}
	if r.Encrypted && !f.withScrypt() {
		r.Notes = append(r.Notes, "it is encrypted without key derivation: a stolen file is guessed at once")
	}
}

// describeKeyfile reads what plain JSON tells without deriving a key.
func (r *Report) describeKeyfile(data []byte) {
	k, err := parseKeyfile(bytes.TrimSpace(data))
	if err != nil {
		return // opening it says why
	}
	defer k.wipe()
	for _, part := range []struct {
		name    string
		present bool
	}{
		{"mnemonic", k.phrase != nil}, {"seed", k.seed != nil && !k.badSeed},
		{"private key", k.private != nil}, {"address", len(k.public) > 0},
	} {
		if part.present {
			r.Holds = append(r.Holds, part.name)
		}
	}
	if k.numeric {
		r.Notes = append(r.Notes, "its cryptoType is a number: bittensor-wallet up to 4.0 cannot read such a file")
	}
	if k.badSeed {
		r.Notes = append(r.Notes, "its secretSeed is damaged, as bittensor-wallet 2.0 to 4.0 wrote some; the private key is good")
	}
}

func (r *Report) open(ctx context.Context, what string, data []byte, u *Unlocker) {
	m, err := openMaterial(ctx, what, what, r.Format, data, u)
	if r.Encrypted {
		opens := err == nil
		r.Opens = &opens
	}
	if err != nil {
		r.Problem = err
		return
	}
	defer m.wipe()
	r.Scheme, r.Account = m.scheme.String(), &m.account
	if r.Holds == nil {
		r.Holds = m.holds()
	}
}

func (m *material) holds() []string {
	var holds []string
	if m.phrase != nil {
		holds = append(holds, "mnemonic")
	}
	if m.seed != nil {
		holds = append(holds, "seed")
	}
	return append(holds, "private key")
}

// InspectFile inspects a file, whose name tells its role: bare hex in a file
// named ...pub.txt is a public key. An encrypted key's address comes from the
// public file beside it. The error is one of reading the file.
func InspectFile(ctx context.Context, path string, u *Unlocker) (Report, error) {
	data, err := ReadFile(path)
	if err != nil {
		return Report{}, err
	}
	defer wipe(data)
	format := Detect(data)
	if strings.HasSuffix(path, pubSuffix) && format == HexSecret {
		format = PublicHex
	}
	r := Inspect(ctx, filepath.Base(path), data, format, u)
	if r.Account == nil {
		r.accountBeside(path)
	}
	return r, nil
}

func (r *Report) accountBeside(path string) {
	data, err := ReadFile(path + pubSuffix)
	if err != nil {
		return
	}
	if account, err := parsePublic(data); err == nil {
		r.Account = &account
		r.Notes = append(r.Notes, "the address is that of "+filepath.Base(path)+pubSuffix+"; only unlocking proves it")
	}
}
