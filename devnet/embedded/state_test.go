package embedded_test

import (
	"context"
	"maps"
	"slices"
)

// state is a state to read.
type state map[string][]byte

func (s state) Get(_ context.Context, key []byte) ([]byte, bool, error) {
	v, ok := s[string(key)]
	return v, ok, nil
}

func (s state) Next(_ context.Context, key []byte) ([]byte, bool, error) {
	for _, k := range slices.Sorted(maps.Keys(s)) {
		if k > string(key) {
			return []byte(k), true, nil
		}
	}
	return nil, false, nil
}
