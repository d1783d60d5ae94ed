package powsolver

import (
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
)

// hash32 reads 32 bytes of hex.
func hash32(t testing.TB, s string) (h [32]byte) {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatalf("bad 32 bytes of hex %q: %v", s, err)
	}
	return [32]byte(b)
}

// counted returns 32 bytes that count up from first.
func counted(first byte) (h [32]byte) {
	for i := range h {
		h[i] = first + byte(i)
	}
	return h
}

// vector is a seal known from elsewhere.
type vector struct {
	name   string
	puzzle Puzzle
	nonce  uint64
	seal   string
	meets  bool
}

// vectors come from outside this program. "python" is hashlib and pycryptodome;
// "raonet" is a seal that runtime 218 accepted for a registration; "official" is
// a nonce found by pow_mine_cpu of bittensor-core 0.1.5, the solver of the
// official client bittensor 11.3.0.
func vectors(t testing.TB) []vector {
	original := Puzzle{Kind: Original, Order: BigEndian, Block: counted(0), Difficulty: 1 << 20}
	legacy := Puzzle{Kind: Legacy, Block: counted(0), Hotkey: counted(32), Difficulty: 1 << 20}
	v475 := Puzzle{Kind: V475, Block: counted(0), Hotkey: counted(32), Coldkey: counted(64), NetUID: 1, Difficulty: 1 << 20}
	with := func(p Puzzle, change func(*Puzzle)) Puzzle { change(&p); return p }

	raonet := Puzzle{
		Kind: Legacy, Order: BigEndian, Difficulty: 200_000,
		Block:  hash32(t, "821e69709f6e59c91808940597dea70f652c6be10a775b2f6d58bc4c68a6e712"),
		Hotkey: hash32(t, "6cc1081ed1d4a4375ef21505de8405914b2b55b8d2981eb31611fb91cbb6fa1b"),
	}
	alice := Puzzle{
		Kind: Legacy, Order: BigEndian, Difficulty: 1_000_000,
		Block:  hash32(t, "41c38f89f4c131ae5ff3f31321c460c8fc38b1b4791fa76da72d884dcb31f1b1"),
		Hotkey: hash32(t, "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"),
	}
	little := func(p *Puzzle) { p.Order = LittleEndian }
	const last = ^uint64(0)
	return []vector{
		{"python original", original, 0, "7a31b872c2fcdc7295d3f36ab60b5a5d88786536c60b644f542897370f732d91", false},
		{"python original", original, 1, "08e8eea289af4f59567deb0bec32a063715dc4855762dbe098c95e415dcd90ce", false},
		{"python original", original, last, "807bf6208be9c363f0c15fd64a1f097c06bd2dd86e482822528cd27894fb491d", false},
		{"python legacy", legacy, 0, "7fa57701fa690542fbae6145fcaf7b2021e35f398214eca60cd946604961f035", false},
		{"python legacy", legacy, 1, "99b497c90f503438b3bbca814571c195adfd3c3453c2c0ede10d4ce6cb10b9d1", false},
		{"python legacy", legacy, 0x0123456789abcdef, "7121a1457e8e978ba813dab053403eaced74bbffbc65eb2846f07619f71b6cec", false},
		{"python legacy", legacy, last, "180af6fe560863a024ba99c9fd8b883c8a4dbbc4d6c42d40f68f4862514cb516", false},
		{"raonet legacy", raonet, 53168, "00003ae17bf8725c064b584aa46f3d8511db77605ac7bf00e56cea96736194eb", true},
		{"raonet legacy, wrong order", with(raonet, little), 53168, "00003ae17bf8725c064b584aa46f3d8511db77605ac7bf00e56cea96736194eb", false},
		{"python legacy, Alice", alice, 395649, "000001e029917eaa94070214473c2681b06080c9df51093360e7063b979e3dfa", true},
		{"python legacy, Alice, wrong order", with(alice, little), 395649, "000001e029917eaa94070214473c2681b06080c9df51093360e7063b979e3dfa", false},
		{"python v475", v475, 0, "d64c353773e901463dca0b69ad43cd394d87388ca108049c40d4f6793d286356", false},
		{"python v475", v475, 1, "b3519ad6c96059038848ec35c6b34ae9290660f76c1edc034db8ca94fe29a519", false},
		{"python v475", v475, 0x0123456789abcdef, "22beae83e335acca630fe2fc3885963f117f6b0feea3f64be6b6e2df2b552af9", false},
		{"python v475", v475, last, "a8f34a2d066f4056f286a891c70efb4b7d5c1c9dc9e68f3052ffebb9d3850f2e", false},
		{"python v475, high netuid", with(v475, func(p *Puzzle) { p.NetUID = 0xfedc }), 1, "7feaa42d4321ec6c5a131a0eb72cf55c675cd6e5c91a10753d255355c41ebfb5", false},
		{"official v475", with(v475, func(p *Puzzle) { p.Difficulty = 1000 }), 308, "c2bd842076e0c456158b0077b0f84558295d7a3f033308a29af516f03bb83c00", true},
		{"official v475", with(v475, func(p *Puzzle) { p.NetUID, p.Difficulty = 18, 20_000 }), 1099511632895, "902432f58804e7f045f6994f1a86662d5de358da5a973e4654b607c216580200", true},
		{"official v475", with(v475, func(p *Puzzle) { p.NetUID, p.Difficulty = 65535, 300_000 }), 219279, "8a351543fc5a1e97dc231564c0b8f2fc1aafd52236ef7cb98f9c2786f12f0000", true},
	}
}

func TestVerify(t *testing.T) {
	for _, v := range vectors(t) {
		seal, meets := Verify(v.puzzle, v.nonce)
		if hex.EncodeToString(seal[:]) != v.seal || meets != v.meets {
			t.Errorf("%s, nonce %d: seal %x, meets %v; want %s, %v", v.name, v.nonce, seal, meets, v.seal, v.meets)
		}
	}
}

// TestMeets holds the comparison against big numbers, at the edge of each
// difficulty: the largest number that meets it and the next one.
func TestMeets(t *testing.T) {
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	for _, d := range []uint64{0, 1, 2, 3, 10, 1_000_000, 1 << 32, 1<<63 + 12345, ^uint64(0)} {
		edge := new(big.Int).Quo(most, new(big.Int).SetUint64(max(d, 1)))
		for _, order := range []Order{LittleEndian, BigEndian} {
			p := Puzzle{Kind: Legacy, Order: order, Difficulty: d}
			if !p.Meets(sealOf(edge, order)) {
				t.Errorf("difficulty %d, %s: %x does not meet it", d, order, edge)
			}
			if edge.Cmp(most) == 0 {
				continue
			}
			if next := new(big.Int).Add(edge, big.NewInt(1)); p.Meets(sealOf(next, order)) {
				t.Errorf("difficulty %d, %s: %x meets it", d, order, next)
			}
			if got, want := limit(d), new(big.Int).Rsh(edge, 192).Uint64(); got != want {
				t.Errorf("limit(%d) = %x, want %x", d, got, want)
			}
		}
	}
}

// TestMeetsRandom holds the comparison against big numbers on seals about as large
// as the difficulty allows.
func TestMeetsRandom(t *testing.T) {
	most := new(big.Int).Lsh(big.NewInt(1), 256)
	for range 2000 {
		p := Puzzle{Order: Order(rand.Uint32N(2)), Difficulty: rand.Uint64() >> rand.Uint32N(64)}
		n := new(big.Int).SetUint64(rand.Uint64())
		n.Lsh(n, 192).Rsh(n, uint(rand.Uint32N(66)))
		want := new(big.Int).Mul(n, new(big.Int).SetUint64(p.Difficulty)).Cmp(most) < 0
		if got := p.Meets(sealOf(n, p.Order)); got != want {
			t.Fatalf("%x, difficulty %d, %s: meets %v, want %v", n, p.Difficulty, p.Order, got, want)
		}
	}
}

// sealOf is the seal that reads as n.
func sealOf(n *big.Int, order Order) (seal [32]byte) {
	n.FillBytes(seal[:])
	if order == LittleEndian {
		for i := range 16 {
			seal[i], seal[31-i] = seal[31-i], seal[i]
		}
	}
	return seal
}

func TestNonceIsPosition(t *testing.T) {
	for _, kind := range []Kind{Original, Legacy, V475} {
		p := Puzzle{Kind: kind}
		for range 1000 {
			at := rand.Uint64()
			if got := p.Position(p.Nonce(at)); got != at {
				t.Fatalf("%s: position %x gives nonce %x, which gives %x", kind, at, p.Nonce(at), got)
			}
		}
	}
	// The low five bytes of a v475 nonce stay over the whole of a block.
	p := Puzzle{Kind: V475}
	const low5 = 1<<40 - 1
	if a, b := p.Nonce(0x1234_5600_0000), p.Nonce(0x1234_56ff_ffff); a&low5 != b&low5 {
		t.Errorf("nonces %x and %x differ in their low five bytes", a, b)
	}
}

func TestCheckPuzzle(t *testing.T) {
	good := Puzzle{Kind: V475, Block: counted(1), NetUID: 1}
	if err := good.Check(); err != nil {
		t.Errorf("a good puzzle: %v", err)
	}
	for name, change := range map[string]func(*Puzzle){
		"no kind":         func(p *Puzzle) { p.Kind = 0 },
		"unknown kind":    func(p *Puzzle) { p.Kind = 9 },
		"unknown order":   func(p *Puzzle) { p.Order = 2 },
		"v475 big-endian": func(p *Puzzle) { p.Order = BigEndian },
		"root":            func(p *Puzzle) { p.NetUID = 0 },
		"no block":        func(p *Puzzle) { p.Block = [32]byte{} },
	} {
		p := good
		change(&p)
		var refused *PuzzleError
		if err := p.Check(); !errors.As(err, &refused) {
			t.Errorf("%s: error %v, want a *PuzzleError", name, err)
		}
	}
}

func TestParseKind(t *testing.T) {
	for _, k := range []Kind{Original, Legacy, V475} {
		if got, err := ParseKind(k.String()); got != k || err != nil {
			t.Errorf("ParseKind(%q) = %v, %v", k.String(), got, err)
		}
	}
	for _, s := range []string{"", "Legacy", "kind 0", "v476"} {
		if k, err := ParseKind(s); err == nil {
			t.Errorf("ParseKind(%q) = %v, want an error", s, k)
		}
	}
}
