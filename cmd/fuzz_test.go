package cmd

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// isUsage reports the kind of error that a command line must lead to: no panic,
// no code of another kind.
func isUsage(err error) bool { return exitCode(err) == exitUsage }

// FuzzCall reads a call from a command line. What is read must be taken by the
// encoder or refused by it, and what it takes must be shown as it was asked for.
func FuzzCall(f *testing.F) {
	for _, seed := range []string{
		"System.remark\x00remark=0x00",
		"Balances.transfer_keep_alive\x00dest=5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty\x00value=1000000000",
		"Utility.batch_all\x00calls=[{\"call\":\"System.remark\",\"args\":{\"remark\":\"0x00\"}}]",
		"Balances.transfer_keep_alive\x00dest=[]\x00value=-1",
		"Balances\x00=\x00a=b\x00a=c",
		"A.b\x00c={\"d\":{\"d\":1,\"d\":2}}",
		"A.b\x00c=[[[[[[[[",
		".\x00\x00",
	} {
		f.Add(seed, "")
	}
	f.Add("Balances.transfer_all", `{"dest":"5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty","keep_alive":true}`)
	f.Add("Sudo.sudo", `{"call":{"call":"System.remark","args":{"remark":"hello"}}}`)
	f.Add("A.b", `[]`)
	meta, err := scale.ParseMetadata(fixture.Metadata(f, "finney-393-v16"))
	if err != nil {
		f.Fatal(err)
	}
	rt := chain.NewRuntime(chain.Spec{Name: "node-subtensor", SpecVersion: 393, TxVersion: 1}, meta)
	f.Fuzz(func(t *testing.T, line, object string) {
		flags := callFlags{args: object}
		call, err := flags.call(strings.Split(line, "\x00"))
		if err != nil {
			if !isUsage(err) {
				t.Errorf("%q is no usage error: %v", line, err)
			}
			return
		}
		encoded, err := rt.Encode(call)
		if err != nil {
			return
		}
		back, err := rt.Decode(encoded)
		if err != nil {
			t.Fatalf("what was encoded from %q cannot be read: %v", line, err)
		}
		again, err := rt.Encode(back)
		if err != nil || !bytes.Equal(again, encoded) {
			t.Fatalf("%q gives %x, and what it shows gives %x (%v)", line, encoded, again, err)
		}
	})
}

// FuzzExtrinsicBytes reads what tx send and tx decode are given on standard
// input.
func FuzzExtrinsicBytes(f *testing.F) {
	for _, seed := range []string{
		"0x00", "0x", "0x0", "0xzz", " 0x00ff \n", `{"bytes":"0x00ff"}`, `{"bytes":""}`, `{"bytes":"00"}`, `{"bytes":[]}`,
		`{"format":"taoctl-draft-1"}`, `{`, ``, `null`, `[]`, `"0x00"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := newApp(&Env{In: strings.NewReader(text), Out: io.Discard, Err: io.Discard})
		b, err := a.extrinsicBytes("-")
		if err != nil {
			return
		}
		if len(b) > len(text) {
			t.Errorf("%d bytes from %d characters", len(b), len(text))
		}
		written, err := tx.HexBytes(b).MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 0 && !strings.Contains(strings.ToLower(text), string(written[2:])) {
			t.Errorf("%q holds no %s", text, written)
		}
	})
}

// FuzzPeriod reads --era: a power of two from 4 to 65,536 that lasts at least as
// long as was asked for, or immortal, or a usage error.
func FuzzPeriod(f *testing.F) {
	for _, seed := range []string{"64", "immortal", "1", "0", "65536", "65537", "-1", "4294967296", "6e1", " 64", "０"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		period, immortal, err := parsePeriod(s)
		switch {
		case err != nil:
			if !isUsage(err) {
				t.Errorf("%q is no usage error: %v", s, err)
			}
		case immortal != (s == "immortal"):
			t.Errorf("%q is immortal: %v", s, immortal)
		case immortal:
		default:
			asked, err := parseUint32(s)
			if err != nil || period < asked || period < tx.MinPeriod || period > tx.MaxPeriod || period&(period-1) != 0 {
				t.Errorf("%q gives a period of %d (%v)", s, period, err)
			}
		}
	})
}

// FuzzBlock reads --at.
func FuzzBlock(f *testing.F) {
	for _, seed := range []string{
		"", "0", "4294967295", "4294967296", "-1", "+1", "0x", "latest", "0x00",
		"0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := parseBlock(s)
		if err != nil && !isUsage(err) {
			t.Errorf("%q is no usage error: %v", s, err)
		}
		if err == nil && (ref == chain.Best()) != (s == "") {
			t.Errorf("%q is %v", s, ref)
		}
	})
}

// keeper is a reader that remembers the buffers it filled.
type keeper struct {
	io.Reader
	filled [][]byte
}

func (k *keeper) Read(b []byte) (int, error) {
	n, err := k.Reader.Read(b)
	k.filled = append(k.filled, b[:n])
	return n, err
}

// FuzzFirstLine reads a password: the first line, and what was read is wiped.
func FuzzFirstLine(f *testing.F) {
	for _, seed := range []string{"correct-horse\n", "\n", "", "a\r\nb", "\r\n", strings.Repeat("x", maxPassword+1), strings.Repeat("y\n", maxPassword)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k := &keeper{Reader: bytes.NewReader(text)}
		line, ended, err := firstLine(k, "password file")
		read := 0
		for _, b := range k.filled {
			read += len(b)
			if !bytes.Equal(b, make([]byte, len(b))) {
				t.Error("what was read is not wiped")
			}
		}
		if read > maxPassword+2 || ended != (len(text) < maxPassword+2) {
			t.Errorf("read %d bytes of %d, ended: %v", read, len(text), ended)
		}
		if err != nil {
			if len(text) > 20 && bytes.Contains([]byte(err.Error()), text[:20]) {
				t.Errorf("the error repeats the password: %v", err)
			}
			return
		}
		if !bytes.HasPrefix(text, line) || len(line) == 0 || bytes.ContainsRune(line, '\n') {
			t.Errorf("%q begins with the line %q", text, line)
		}
	})
}

// FuzzSize reads an amount with a unit: it is an amount that prints as it was
// typed, or a usage error.
func FuzzSize(f *testing.F) {
	for _, seed := range []string{"10", "10 TAO", "0.5 alpha", "all", "all alpha", "10 rao", " 10", "10  TAO", "", "-1", "1e9", "10 TAO alpha"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSize(text)
		if err != nil {
			if !isUsage(err) {
				t.Errorf("%q is no usage error: %v", text, err)
			}
			return
		}
		number, _, _ := strings.Cut(text, " ")
		again, err := tao.ParseAmount(number)
		if s.all != (number == "all") || !s.all && (err != nil || uint64(again) != s.units || s.units == 0) {
			t.Errorf("%q is %+v", text, s)
		}
		if _, err := s.in(inTAO); (err == nil) != (!s.named || s.unit == inTAO) {
			t.Errorf("%q in TAO: %v", text, err)
		}
	})
}

// FuzzProposal reads the name of a proposal from a command line. What is taken
// names one, and means the same when it is written again.
func FuzzProposal(f *testing.F) {
	for _, seed := range []string{"0", "4294967295", "4294967296", "-1", "0x", "0x12", "", "aye", "1e3", "٣", "0x" + strings.Repeat("ab", 32)} {
		f.Add(seed, int64(-1))
		f.Add(seed, int64(7))
	}
	f.Add("7", int64(7))
	f.Add("0x"+strings.Repeat("AB", 32), int64(1)<<32)
	f.Fuzz(func(t *testing.T, name string, index int64) {
		r, err := parseProposal(name, index)
		if err != nil {
			if !isUsage(err) {
				t.Errorf("%q is no usage error: %v", name, err)
			}
			return
		}
		if r.Hash == nil && r.Index == nil {
			t.Fatalf("%q, %d names nothing", name, index)
		}
		if index != -1 && (r.Index == nil || int64(*r.Index) != index) {
			t.Fatalf("%q, %d lost its number: %s", name, index, r)
		}
		if r.Hash != nil {
			again, err := parseProposal(r.Hash.String(), index)
			if err != nil || *again.Hash != *r.Hash {
				t.Fatalf("%q is %s, which is %s, %v", name, r, again, err)
			}
		}
	})
}

// FuzzPlan reads plan files. What is read has been checked, and nothing panics.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		"version: 1\nkeep: 1\npositions:\n  - {hotkey: h, netuid: 1, weight: 60%, within: 2%}\n  - {hotkey: h, netuid: 0, amount: 4, most: 5}\n",
		"version: 1\nkeep: 1\nleast: 0\ntolerance: 1%\nothers: remove\npositions: [{hotkey: h, netuid: 0, weight: 100%}]\n",
		"version: 1\nkeep: 1\npositions: [{hotkey: h, netuid: 0, weight: 60%}, {hotkey: i, netuid: 0, weight: 41%}]\n",
		"version: 1\nkeep: &a 1\npositions: *a\n",
		"positions:\n- - a\n",
		"",
	} {
		f.Add([]byte(seed))
	}
	hotkey := func(s string) (tao.Account, error) { return tao.Account([]byte(fmt.Sprintf("%32.32s", s))), nil }
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePlan(text, hotkey)
		if err != nil {
			return
		}
		if err := p.Check(); err != nil {
			t.Errorf("%q was read as a plan: %v", text, err)
		}
	})
}
