package register

import (
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/testnode"
	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/tao"
)

// A chain that goes back to an earlier head takes the search with it: what is found
// for the block that was undone is of no use.
func TestRenewGoesBack(t *testing.T) {
	n := testnode.New(t, testnode.Config{})
	n.Set("SubtensorModule", "NetworksAdded", true, uint16(1))
	n.Set("SubtensorModule", "NetworkPowRegistrationAllowed", true, uint16(1))
	n.Set("SubtensorModule", "NetworkRegistrationAllowed", true, uint16(1))
	n.Set("SubtensorModule", "MaxAllowedUids", 256, uint16(1))
	n.Set("SubtensorModule", "Difficulty", 50, uint16(1))
	n.Build()
	client, err := chain.NewClient(t.Context(), n.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v, err := client.At(t.Context(), chain.Best())
	if err != nil {
		t.Fatal(err)
	}
	work := Work{Coldkey: tao.Account{1}, Hotkey: tao.Account{2}, NetUID: 1}
	before, err := work.Challenge(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	undone := before
	undone.Puzzle.Block[0] ^= 1
	f := &follower{
		client: client, work: work, tell: func(Challenge) {}, next: make(chan powsolver.Puzzle, 1),
		current: undone.Puzzle, seen: map[powsolver.Puzzle]Challenge{before.Puzzle: before, undone.Puzzle: undone},
	}
	for range 2 { // the second time there is nothing to say
		if err := f.renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.next) != 1 || <-f.next != before.Puzzle {
		t.Error("it stays on the block that was undone")
	}
}
