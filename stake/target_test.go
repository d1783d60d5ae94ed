package stake

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/subnet"
	"github.com/taoctl/taoctl/tao"
)

var (
	hotA, hotB = tao.Account{1}, tao.Account{2}

	markets = map[tao.NetUID]subnet.Pool{
		0: {NetUID: 0, Price: subnet.Unit},
		1: {NetUID: 1, Dynamic: true, Price: subnet.Unit / 2, TAO: 10_000 * tao.TAO, Alpha: 20_000 * tao.OneAlpha, Exact: true},
		2: {NetUID: 2, Dynamic: true, Price: 2 * subnet.Unit, TAO: 10_000 * tao.TAO, Alpha: 5_000 * tao.OneAlpha, Exact: true},
	}
)

const leastTrade = tao.TAO / 100

func staked(hotkey tao.Account, id tao.NetUID, whole uint64) Position {
	return Position{Hotkey: hotkey, NetUID: id, Stake: tao.Alpha(whole) * tao.OneAlpha}
}

func wants(hotkey tao.Account, id tao.NetUID, whole uint64) Target {
	return Target{Hotkey: hotkey, NetUID: id, Alpha: some(tao.Alpha(whole) * tao.OneAlpha)}
}

func weighs(hotkey tao.Account, id tao.NetUID, percent uint32) Target {
	return Target{Hotkey: hotkey, NetUID: id, Weight: some(tao.Percent(percent) * tao.OnePercent)}
}

// words are deeds in short: "add 1/1 50 TAO".
func words(deeds []Deed) string {
	var list []string
	for _, d := range deeds {
		s := fmt.Sprintf("%s %d/%d", d.Action, d.Hotkey[0], d.NetUID)
		if d.ToHotkey != nil {
			s += fmt.Sprintf(">%d", d.ToHotkey[0])
		}
		if d.ToNetUID != nil {
			s += fmt.Sprintf(">/%d", *d.ToNetUID)
		}
		switch {
		case d.TAO != nil:
			s += " " + d.TAO.String() + " TAO"
		case d.All:
			s += " all"
		default:
			s += " " + d.Alpha.String()
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

func TestDiff(t *testing.T) {
	near := wants(hotA, 1, 100)
	near.Within = 5 * tao.OnePercent
	capped := wants(hotA, 1, 1000)
	capped.Most = some(50 * tao.TAO)
	for want, c := range map[string]struct {
		targets Targets
		held    []Position
	}{
		"add 1/1 50 TAO": {Targets{List: []Target{wants(hotA, 1, 100)}}, nil},
		"remove 1/1 60":  {Targets{List: []Target{wants(hotA, 1, 40)}}, []Position{staked(hotA, 1, 100)}},
		"remove 1/1 all": {Targets{List: []Target{wants(hotA, 1, 0)}}, []Position{staked(hotA, 1, 100)}},
		"":               {Targets{List: []Target{near}}, []Position{staked(hotA, 1, 97), staked(hotB, 2, 9)}},
		"remove 2/2 all": {Targets{List: []Target{near}, Others: true}, []Position{staked(hotA, 1, 97), staked(hotB, 2, 9)}},
		"add 1/1 5 TAO":  {Targets{List: []Target{near}}, []Position{staked(hotA, 1, 90)}},
		"add 1/1 10 TAO": {Targets{List: []Target{capped}}, []Position{staked(hotA, 1, 80)}},
		"remove 1/1 20":  {Targets{List: []Target{capped}}, []Position{staked(hotA, 1, 120)}},
		"move 1/1>2 40":  {Targets{List: []Target{wants(hotA, 1, 60), wants(hotB, 1, 40)}}, []Position{staked(hotA, 1, 100)}},
		"swap 1/1>/2 40": {Targets{List: []Target{wants(hotA, 1, 60), wants(hotA, 2, 10)}}, []Position{staked(hotA, 1, 100)}},
		"remove 1/1 40, add 2/2 20 TAO": {
			Targets{List: []Target{wants(hotA, 1, 60), wants(hotB, 2, 10)}}, []Position{staked(hotA, 1, 100)}},
		"add 1/0 60 TAO, add 1/1 40 TAO": {
			Targets{List: []Target{weighs(hotA, 0, 60), weighs(hotA, 1, 40)}, Free: 100 * tao.TAO}, nil},
		"swap 1/0>/1 25": {
			Targets{List: []Target{weighs(hotA, 0, 50), weighs(hotA, 1, 50)}}, []Position{staked(hotA, 0, 75), staked(hotA, 1, 50)}},
	} {
		deeds, err := c.targets.Diff(c.held, markets, leastTrade)
		if got := words(deeds); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

func TestTargetsCheck(t *testing.T) {
	both := wants(hotA, 1, 1)
	both.Weight = some(tao.OnePercent)
	for what, c := range map[string]struct {
		targets Targets
		at      int
	}{
		"none":          {Targets{}, -1},
		"twice":         {Targets{List: []Target{wants(hotA, 1, 1), wants(hotA, 1, 2)}}, 1},
		"neither":       {Targets{List: []Target{{Hotkey: hotA}}}, 0},
		"both":          {Targets{List: []Target{both}}, 0},
		"over 100%":     {Targets{List: []Target{weighs(hotA, 0, 60), weighs(hotA, 1, 41)}}, 1},
		"no such price": {Targets{List: []Target{wants(hotA, 9, 1)}}, 0},
	} {
		_, err := c.targets.Diff(nil, markets, leastTrade)
		var wrong *TargetError
		if !errors.As(err, &wrong) || wrong.Index != c.at {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever is wanted: carried out at the prices of the moment it is reached, no
// place is changed twice, nothing goes over its ceiling, no more is spent than
// there is, and nothing is left to do.
func TestDiffProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		targets, held := randomPlan(r)
		state := map[place]tao.Alpha{}
		for _, p := range held {
			state[place{p.Hotkey, p.NetUID}] += p.Stake
		}
		free := targets.Free
		for round := 0; ; round++ {
			targets.Free = free
			deeds, err := targets.Diff(positionsOf(state), markets, leastTrade)
			if err != nil {
				t.Fatal(err)
			}
			if len(deeds) == 0 {
				break
			}
			if round > 8 {
				t.Fatalf("no end of %s for %+v", words(deeds), targets)
			}
			if free = carryOut(t, state, free, deeds); t.Failed() {
				t.Fatalf("%s of %+v", words(deeds), targets)
			}
		}
		for _, target := range targets.List {
			at := place{target.Hotkey, target.NetUID}
			if target.Most != nil && markets[target.NetUID].Value(state[at]) > *target.Most+leastTrade {
				t.Fatalf("%v is worth %s, at most %s", at, markets[target.NetUID].Value(state[at]), *target.Most)
			}
		}
	}
}

func randomPlan(r *rand.Rand) (Targets, []Position) {
	var held []Position
	targets := Targets{Free: tao.Amount(r.Uint64N(100)) * tao.TAO, Others: r.IntN(2) == 0}
	left := uint32(100)
	for _, h := range []tao.Account{hotA, hotB} {
		for id := range tao.NetUID(3) {
			if r.IntN(2) == 0 {
				held = append(held, staked(h, id, 1+r.Uint64N(200)))
			}
			var target Target
			switch r.IntN(3) {
			case 0:
				continue
			case 1:
				part := r.Uint32N(left + 1)
				left -= part
				target = weighs(h, id, part)
			default:
				target = weighs(h, id, 0)
				target.Weight, target.Alpha = nil, some(tao.Alpha(r.Uint64N(20))*tao.OneAlpha/10)
			}
			target.Within = tao.Percent(r.Uint32N(3)) * tao.OnePercent
			if r.IntN(4) == 0 {
				target.Most = some(tao.Amount(1+r.Uint64N(100)) * tao.TAO)
			}
			targets.List = append(targets.List, target)
		}
	}
	if len(targets.List) == 0 {
		targets.List = []Target{wants(hotA, 0, 1)}
	}
	return targets, held
}

func positionsOf(state map[place]tao.Alpha) (list []Position) {
	for at, a := range state {
		if a > 0 {
			list = append(list, Position{Hotkey: at.hotkey, NetUID: at.netuid, Stake: a})
		}
	}
	return list
}

// carryOut does deeds at the prices of the moment: sales first, as plan apply
// does, and purchases only if there are none.
func carryOut(t *testing.T, state map[place]tao.Alpha, free tao.Amount, deeds []Deed) tao.Amount {
	seen := map[place]bool{}
	use := func(at place) {
		if seen[at] {
			t.Errorf("%v is changed twice", at)
		}
		seen[at] = true
	}
	sales := false
	for _, d := range deeds {
		sales = sales || d.Action != "add"
	}
	for _, d := range deeds {
		from := place{d.Hotkey, d.NetUID}
		use(from)
		if d.Action == "add" {
			if sales {
				continue
			}
			// Absolute amounts may want more than there is; weights never do.
			free = free.Less(*d.TAO)
			state[from] += worth(*d.TAO, markets[d.NetUID].Price)
			continue
		}
		if *d.Alpha > state[from] {
			t.Errorf("%s of %s", d.Alpha, state[from])
		}
		state[from] -= *d.Alpha
		to := from
		switch {
		case d.ToHotkey != nil:
			to.hotkey = *d.ToHotkey
		case d.ToNetUID != nil:
			to.netuid = *d.ToNetUID
		default:
			free += markets[d.NetUID].Value(*d.Alpha)
			continue
		}
		use(to)
		state[to] += worth(markets[d.NetUID].Value(*d.Alpha), markets[to.netuid].Price)
	}
	return free
}
