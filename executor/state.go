package executor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/tetratelabs/wazero/api"
)

// callKey is where the call stands in the context of host functions.
type callKey struct{}

// call is one call into a runtime: its memory, what it wrote, what it said.
type call struct {
	ctx      context.Context
	clock    *clock
	storage  Storage
	memory   api.Memory
	heap     *heap
	layers   []layer // the last is the innermost transaction
	written  int
	err      error // why a host function ended the call
	errors   []string
	trusting bool
	nested   bool
}

// layer holds what was written in a transaction; nil is deleted.
type layer map[string][]byte

var errState = errors.New("state")

// stop ends the call from within a host function.
func (c *call) stop(err error) {
	c.err = err
	panic(err) // wazero ends the call; call.explain tells why
}

func (c *call) get(key string) ([]byte, bool) {
	for _, l := range slices.Backward(c.layers) {
		if v, ok := l[key]; ok {
			return v, v != nil
		}
	}
	c.clock.pause()
	v, ok, err := c.storage.Get(c.ctx, []byte(key))
	c.clock.resume()
	if err != nil {
		c.stop(err)
	}
	return v, ok
}

func (c *call) set(key string, value []byte) {
	c.charge(len(key) + len(value))
	c.store(key, value)
}

// charge counts bytes that are written against the limit.
func (c *call) charge(n int) {
	if c.written += n; c.written > MaxState {
		c.stop(errState)
	}
}

func (c *call) store(key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	c.layers[len(c.layers)-1][key] = value
}

func (c *call) remove(key string) { c.layers[len(c.layers)-1][key] = nil }

// next is the first key after one, in what was there and what was written.
func (c *call) next(key string) (string, bool) {
	found, any := "", false
	for at := key; ; {
		c.clock.pause()
		k, ok, err := c.storage.Next(c.ctx, []byte(at))
		c.clock.resume()
		if err != nil {
			c.stop(err)
		}
		if !ok {
			break
		}
		at = string(k)
		if _, live := c.get(at); live {
			found, any = at, true
			break
		}
	}
	for _, l := range c.layers {
		for k := range l {
			if k > key && (!any || k < found) {
				if _, live := c.get(k); live {
					found, any = k, true
				}
			}
		}
	}
	return found, any
}

// clear removes keys with a prefix, limit of them at most; left reports more.
func (c *call) clear(prefix string, limit uint32) (removed uint32, left bool) {
	key := prefix
	_, live := c.get(prefix)
	for {
		if !live {
			var ok bool
			if key, ok = c.next(key); !ok || !bytes.HasPrefix([]byte(key), []byte(prefix)) {
				return removed, false
			}
		}
		if removed == limit {
			return removed, true
		}
		c.remove(key)
		removed++
		live = false
	}
}

// append adds an encoded item to an encoded list; a value that is no list is
// replaced, as Substrate does.
func (c *call) append(key string, item []byte) {
	list, _ := c.get(key)
	n, size := compact(list)
	if size == 0 {
		n, list = 0, nil
	}
	c.charge(len(key) + len(item)) // what was there has been counted
	grown := make([]byte, 0, len(list)+len(item)+4)
	grown = append(appendCompact(grown, n+1), list[size:]...)
	c.store(key, append(grown, item...))
}

func (c *call) begin() { c.layers = append(c.layers, layer{}) }

func (c *call) end(keep bool) {
	if len(c.layers) == 1 {
		c.stop(errors.New("a storage transaction was ended that was not begun"))
	}
	inner := c.layers[len(c.layers)-1]
	c.layers = c.layers[:len(c.layers)-1]
	if keep {
		maps.Copy(c.layers[len(c.layers)-1], inner)
	}
}

// changes are all that was written, sorted by key.
func (c *call) changes() []Change {
	merged := layer{}
	for _, l := range c.layers {
		maps.Copy(merged, l)
	}
	list := make([]Change, 0, len(merged))
	for k, v := range merged {
		list = append(list, Change{Key: []byte(k), Value: v, Deleted: v == nil})
	}
	slices.SortFunc(list, func(a, b Change) int { return cmp.Compare(string(a.Key), string(b.Key)) })
	return list
}

// compact reads the length of a list, which has 32 bits; size 0: there is none.
func compact(b []byte) (n uint32, size int) {
	switch {
	case len(b) >= 1 && b[0]&3 == 0:
		return uint32(b[0] >> 2), 1
	case len(b) >= 2 && b[0]&3 == 1:
		return uint32(binary.LittleEndian.Uint16(b) >> 2), 2
	case len(b) >= 4 && b[0]&3 == 2:
		return binary.LittleEndian.Uint32(b) >> 2, 4
	}
	return 0, 0
}

func appendCompact(b []byte, n uint32) []byte {
	switch {
	case n < 1<<6:
		return append(b, byte(n<<2))
	case n < 1<<14:
		return binary.LittleEndian.AppendUint16(b, uint16(n<<2|1))
	case n < 1<<30:
		return binary.LittleEndian.AppendUint32(b, n<<2|2)
	}
	return binary.LittleEndian.AppendUint32(append(b, 3), n)
}
