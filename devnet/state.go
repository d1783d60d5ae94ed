package devnet

import (
	"context"

	"github.com/tidwall/btree"

	"github.com/taoctl/taoctl/executor"
)

// state is what a chain stores after a block. It never changes; the next one
// shares with it all that stays.
type state struct {
	values *btree.Map[string, []byte]
}

func newState(values map[string][]byte) *state {
	s := &state{new(btree.Map[string, []byte])}
	for k, v := range values {
		s.values.Set(k, v)
	}
	return s
}

// with is the state after changes. It must not run twice at once for one state.
func (s *state) with(changes []executor.Change) *state {
	next := &state{s.values.Copy()}
	for _, c := range changes {
		if c.Deleted {
			next.values.Delete(string(c.Key))
		} else {
			next.values.Set(string(c.Key), c.Value)
		}
	}
	return next
}

// value is what is stored under a key, or nil.
func (s *state) value(key string) []byte {
	v, ok := s.values.Get(key)
	if ok && v == nil {
		return []byte{}
	}
	return v
}

// keys lists up to limit keys with a prefix that come after one.
func (s *state) keys(prefix, after string, limit int) []string {
	list := []string{}
	s.values.Ascend(max(prefix, after), func(key string, _ []byte) bool {
		if len(list) == limit || len(key) < len(prefix) || key[:len(prefix)] != prefix {
			return false
		}
		if key != after || after == "" {
			list = append(list, key)
		}
		return true
	})
	return list
}

// Get and Next make it an [executor.Storage].
func (s *state) Get(_ context.Context, key []byte) ([]byte, bool, error) {
	v, ok := s.values.Get(string(key))
	return v, ok, nil
}

func (s *state) Next(_ context.Context, key []byte) (next []byte, found bool, _ error) {
	s.values.Ascend(string(key)+"\x00", func(k string, _ []byte) bool {
		next, found = []byte(k), true
		return false
	})
	return next, found, nil
}
