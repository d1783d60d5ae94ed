package executor

import (
	"errors"
	"math/bits"

	"github.com/tetratelabs/wazero/api"
)

const pageSize = 64 << 10

var errMemory = errors.New("memory")

// heap gives out the runtime's memory behind its static data, in blocks of
// powers of two; what is freed is given out again to those of the same size
// (as Substrate's freeing-bump allocator does).
type heap struct {
	memory api.Memory
	next   uint32
	sizes  map[uint32]int // of what is taken, as a power of two
	free   [32][]uint32   // by power of two
}

func newHeap(m api.Memory, base uint32) *heap {
	return &heap{memory: m, next: (base + 7) &^ 7, sizes: map[uint32]int{}}
}

func (h *heap) take(n uint32) (uint32, error) {
	order := bits.Len32(max(n, 8) - 1)
	if order > 28 {
		return 0, errMemory
	}
	if list := h.free[order]; len(list) > 0 {
		at := list[len(list)-1]
		h.free[order] = list[:len(list)-1]
		h.sizes[at] = order
		return at, nil
	}
	at, end := h.next, uint64(h.next)+1<<order
	if have := uint64(h.memory.Size()); end > have {
		if _, ok := h.memory.Grow(uint32((end-have)/pageSize) + 1); !ok {
			return 0, errMemory
		}
	}
	h.next = uint32(end)
	h.sizes[at] = order
	return at, nil
}

// give takes a block back; one that was not given out is a runtime's fault.
func (h *heap) give(at uint32) bool {
	order, ok := h.sizes[at]
	if ok {
		delete(h.sizes, at)
		h.free[order] = append(h.free[order], at)
	}
	return ok
}

// imported is a host function that code imports.
type imported struct {
	name            string
	params, results []api.ValueType
}

// memoryModule is a module that imports host functions from "host", and exports
// them beside a memory of its own. Runtimes import functions and memory from one
// module, and wazero's host modules cannot export a memory
// (https://github.com/tetratelabs/wazero/issues/1059).
func memoryModule(functions []imported, pages uint32) []byte {
	n := uint32(len(functions))
	types, imports, exports := uleb(nil, n), uleb(nil, n), uleb(nil, n+1)
	for i, f := range functions {
		types = append(uleb(append(types, 0x60), uint32(len(f.params))), f.params...)
		types = append(uleb(types, uint32(len(f.results))), f.results...)
		imports = uleb(append(name(name(imports, "host"), f.name), 0), uint32(i))
		exports = uleb(append(name(exports, f.name), 0), uint32(i))
	}
	exports = append(name(exports, "memory"), 2, 0)
	m := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	m = section(m, 1, types)
	m = section(m, 2, imports)
	m = section(m, 5, uleb([]byte{1, 0}, pages))
	return section(m, 7, exports)
}

func section(m []byte, id byte, body []byte) []byte {
	return append(uleb(append(m, id), uint32(len(body))), body...)
}

func name(b []byte, s string) []byte { return append(uleb(b, uint32(len(s))), s...) }

// uleb appends an unsigned LEB128 number (WebAssembly specification, 5.2.2).
func uleb(b []byte, n uint32) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
