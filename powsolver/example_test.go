package powsolver_test

import (
	"context"
	"fmt"
	"time"

	"github.com/taoctl/taoctl/powsolver"
)

// Solve a registration's work on all cores while blocks pass.
func ExampleSolver() {
	engine, dropped := powsolver.Select()
	for _, err := range dropped {
		fmt.Println("not used:", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	puzzle := powsolver.Puzzle{
		Kind:       powsolver.V475,
		NetUID:     1,
		Block:      [32]byte{0x2f, 0x05, 0x55}, // the best block's hash
		Hotkey:     [32]byte{1},
		Coldkey:    [32]byte{2},
		Difficulty: 10_000,
	}
	heads := make(chan powsolver.Puzzle) // send the puzzle again for each new block
	solver := powsolver.NewSolver(engine.Workers(powsolver.Cores())...)
	solution, err := solver.Solve(ctx, puzzle, heads)
	if err != nil {
		fmt.Println("no solution:", err)
		return
	}
	_, meets := powsolver.Verify(solution.Puzzle, solution.Nonce)
	fmt.Println("the chain would take it:", meets)
	// Output: the chain would take it: true
}

// Check work that somebody else did.
func ExampleVerify() {
	puzzle := powsolver.Puzzle{Kind: powsolver.Legacy, Difficulty: 1_000_000}
	for i := range puzzle.Block {
		puzzle.Block[i], puzzle.Hotkey[i] = byte(i), byte(32+i)
	}
	seal, meets := powsolver.Verify(puzzle, 0x0123456789abcdef)
	fmt.Printf("%x\n%v\n", seal, meets)
	// Output:
	// 7121a1457e8e978ba813dab053403eaced74bbffbc65eb2846f07619f71b6cec
	// false
}
