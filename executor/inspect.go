package executor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// What code may declare. Subtensor's own declares one table of 1,400 places and
// 140 locals in a function.
const (
	maxTable  = 1 << 20
	maxLocals = 1 << 12
)

var errCut = errors.New("it ends too early")

// inspect looks through code before wazero reads it, and leaves out its custom
// sections, which are names for people. Code comes from a node, and wazero
// makes room for whatever count stands in it: twenty bytes could ask for
// gigabytes. So no count may be larger than the bytes that it counts, and tables
// and locals, which are numbers alone, are bounded.
func inspect(wasm []byte) ([]byte, error) {
	const head = 8 // "\0asm" and the version
	if len(wasm) < head || !bytes.HasPrefix(wasm, []byte("\x00asm")) {
		return nil, errors.New("it does not begin as WebAssembly does")
	}
	kept := bytes.Clone(wasm[:head])
	for r := (reader{b: wasm[head:]}); len(r.b) > 0; {
		id := r.byte()
		body := r.take(r.number())
		if r.err != nil {
			return nil, r.err
		}
		if id == 0 {
			continue
		}
		if err := checkSection(id, body); err != nil {
			return nil, fmt.Errorf("section %d: %w", id, err)
		}
		kept = section(kept, id, body)
	}
	return kept, nil
}

// checkSection checks a section by its number (WebAssembly specification, 5.5.2).
func checkSection(id byte, body []byte) error {
	r := &reader{b: body}
	check, known := map[byte]func(*reader){
		1: functionType, 2: importEntry, 3: entry, 4: table, 5: entry, 6: entry, 7: export,
		8: nil, 9: elements, 10: function, 11: data, 12: nil,
	}[id]
	switch {
	case !known:
		return errors.New("it is of a kind that no runtime has")
	case check == nil:
		return nil // a number, no list
	}
	for range r.count() {
		if check(r); r.err != nil {
			break
		}
	}
	return r.err
}

func entry(*reader) {} // wazero reads these one after the other

func functionType(r *reader) {
	r.byte()
	r.take(r.number())
	r.take(r.number())
}

func importEntry(r *reader) {
	r.take(r.number())
	r.take(r.number())
	switch r.byte() {
	case 0:
		r.number()
	case 1:
		table(r)
	case 2:
		limits(r)
	case 3:
		r.take(2)
	}
}

func export(r *reader) {
	r.take(r.number())
	r.byte()
	r.number()
}

func table(r *reader) {
	r.byte()
	least, most, bounded := limits(r)
	if r.err == nil && (!bounded || least > maxTable || most > maxTable) {
		r.err = fmt.Errorf("a table may have more than %d places", maxTable)
	}
}

func limits(r *reader) (least, most uint32, bounded bool) {
	bounded = r.byte()&1 == 1
	least = r.number()
	if bounded {
		most = r.number()
	}
	return least, most, bounded
}

// elements fill the first table with functions; the other forms are not made by
// compilers of runtimes.
func elements(r *reader) {
	if r.number() != 0 {
		r.fail(errors.New("it fills a table in a form that no runtime has"))
	}
	constant(r)
	for range r.count() {
		r.number()
	}
}

func data(r *reader) {
	switch r.number() {
	case 0:
		constant(r)
	case 2:
		r.number()
		constant(r)
	}
	r.take(r.number())
}

// constant is a place: a number or a global, and the end.
func constant(r *reader) {
	r.byte()
	r.signed()
	if r.byte() != 0x0b {
		r.fail(errors.New("a place is given in a form that no runtime has"))
	}
}

func function(r *reader) {
	body := &reader{b: r.take(r.number())}
	var locals uint64
	for range body.count() {
		locals += uint64(body.number())
		body.byte()
	}
	r.fail(body.err)
	if locals > maxLocals {
		r.fail(fmt.Errorf("a function has more than %d locals", maxLocals))
	}
}

// reader reads WebAssembly; after its first error it gives nothing.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	if r.err != nil {
		r.b = nil
	}
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) {
		r.fail(errCut)
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// number is an unsigned LEB128 number of 32 bits.
func (r *reader) number() uint32 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || size > 5 || n > 1<<32-1 {
		r.fail(errCut)
		return 0
	}
	r.b = r.b[size:]
	return uint32(n)
}

// signed passes over a LEB128 number.
func (r *reader) signed() {
	for r.byte()&0x80 != 0 && r.err == nil {
	}
}

// count is how many items follow, each of a byte at least.
func (r *reader) count() uint32 {
	n := r.number()
	if uint64(n) > uint64(len(r.b)) {
		r.fail(errCut)
		return 0
	}
	return n
}
