package opencl

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/taoctl/taoctl/powsolver"
)

// answer is a seal that others computed.
type answer struct {
	puzzle powsolver.Puzzle
	nonce  uint64
	seal   string
}

// answers are known from hashlib and pycryptodome, over bytes that count up. The
// tests of powsolver hold the same ones against the definition.
func answers() []answer {
	p := powsolver.Puzzle{Kind: powsolver.Legacy, NetUID: 1}
	for i := range byte(32) {
		p.Block[i], p.Hotkey[i], p.Coldkey[i] = i, 32+i, 64+i
	}
	big, v475 := p, p
	big.Order, v475.Kind = powsolver.BigEndian, powsolver.V475
	const nonce = 0x0123456789abcdef
	return []answer{
		{p, 0, "7fa57701fa690542fbae6145fcaf7b2021e35f398214eca60cd946604961f035"},
		{p, nonce, "7121a1457e8e978ba813dab053403eaced74bbffbc65eb2846f07619f71b6cec"},
		{big, 0, "7fa57701fa690542fbae6145fcaf7b2021e35f398214eca60cd946604961f035"},
		{big, nonce, "7121a1457e8e978ba813dab053403eaced74bbffbc65eb2846f07619f71b6cec"},
		{v475, 0, "d64c353773e901463dca0b69ad43cd394d87388ca108049c40d4f6793d286356"},
		{v475, nonce, "22beae83e335acca630fe2fc3885963f117f6b0feea3f64be6b6e2df2b552af9"},
	}
}

// lane is the part of the seal that decides, read in the puzzle's order.
func (a answer) lane() (uint64, error) {
	seal, err := hex.DecodeString(a.seal)
	if err != nil || len(seal) != 32 {
		return 0, fmt.Errorf("the known seal %q is not 32 bytes of hex", a.seal)
	}
	if a.puzzle.Order == powsolver.BigEndian {
		return binary.BigEndian.Uint64(seal), nil
	}
	return binary.LittleEndian.Uint64(seal[24:]), nil
}

// check holds the device against known answers, bit for bit, and against the
// definition of the seals on a few thousand nonces of each. It tells what the
// device computes wrongly; the error wraps powsolver.ErrDisagrees unless the driver
// failed.
func (w *Worker) check() error {
	for _, a := range answers() {
		if err := w.checkAnswer(a); err != nil {
			return err
		}
		if err := w.checkMany(a.puzzle, a.puzzle.Position(a.nonce)); err != nil {
			return err
		}
	}
	return nil
}

// checkAnswer finds the exact value of the lane that decides: the nonce qualifies
// if the limit is that value, and does not if it is one lower.
func (w *Worker) checkAnswer(a answer) error {
	lane, err := a.lane()
	if err != nil {
		return err
	}
	at := a.puzzle.Position(a.nonce)
	if err := w.load(a.puzzle.Prepare(at)); err != nil {
		return err
	}
	for limit, want := range map[uint64]int{lane: 1, lane - 1: 0} {
		found, err := w.launch(a.puzzle, limit, at, 1)
		if err != nil {
			return err
		}
		if len(found) != want {
			return wrong(a.puzzle, a.nonce)
		}
	}
	return nil
}

func wrong(p powsolver.Puzzle, nonce uint64) error {
	return fmt.Errorf("%s seal of nonce %#x, compared %s: %w", p.Kind, nonce, p.Order, powsolver.ErrDisagrees)
}

// checkMany compares candidates with the definition, at a difficulty that about
// every eighth seal meets. The number of nonces is none that groups divide.
func (w *Worker) checkMany(p powsolver.Puzzle, at uint64) error {
	const nonces = 3001
	p.Difficulty = 8
	at -= min(at&(1<<p.Span()-1), nonces/2)
	prepared := p.Prepare(at)
	if err := w.load(prepared); err != nil {
		return err
	}
	list, err := w.launch(p, prepared.Limit, at, nonces)
	if err != nil {
		return err
	}
	found := make(map[uint64]bool, len(list))
	for _, position := range list {
		found[position] = true
	}
	for position := at; position < at+nonces; position++ {
		nonce := p.Nonce(position)
		if found[position] != (deciding(p, nonce) <= prepared.Limit) {
			return wrong(p, nonce)
		}
	}
	return nil
}

// deciding is the deciding lane by the definition.
func deciding(p powsolver.Puzzle, nonce uint64) uint64 {
	seal := p.Seal(nonce)
	if p.Order == powsolver.BigEndian {
		return binary.BigEndian.Uint64(seal[:])
	}
	return bits.ReverseBytes64(binary.BigEndian.Uint64(seal[24:]))
}
