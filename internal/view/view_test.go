package view

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"
)

// coin is a number that prints itself, as amounts do.
type coin uint64

func (c coin) MarshalText() ([]byte, error) {
	s := fmt.Sprintf("%d.%03d", c/1000, c%1000)
	return []byte(strings.TrimSuffix(strings.TrimRight(s, "0"), ".")), nil
}

// key is bytes that print themselves, as accounts do.
type key [4]byte

func (k key) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "5Key%x", k[:]), nil }

type era struct{ period int }

func (e era) String() string { return "era of " + strconv.Itoa(e.period) }

type balance struct {
	Free   coin `json:"free"`
	Staked coin `json:"staked,omitempty"`
}

type wallet struct {
	Name    string   `json:"name"`
	Coldkey key      `json:"coldkey"`
	NetUID  uint16   `json:"netuid"`
	Balance *balance `json:"balance,omitempty"`
	Tags    []string `json:"tags"`
	Locked  bool     `json:"locked"`
	Secret  string   `json:"-"`
	Raw     string   `json:"raw" view:"-"`
}

var wallets = []wallet{
	{Name: "savings", Coldkey: key{1}, NetUID: 1, Balance: &balance{Free: 1_234_500}, Tags: []string{"cold", "old"}, Locked: true, Raw: "aa"},
	{Name: "日本", Coldkey: key{0xff}, NetUID: 64, Balance: &balance{Free: 7, Staked: 20_000}, Raw: "bb"},
	{Name: "evil\x1b[2J\u202e", Coldkey: key{}, Raw: "cc"},
}

type block struct {
	Number   uint32          `json:"block"`
	BlockRef key             `json:"block_hash" view:"hash"`
	At       time.Time       `json:"at"`
	Note     string          `json:"note,omitempty"`
	Era      era             `json:"era"`
	Fee      *coin           `json:"fee"`
	Supply   *big.Int        `json:"supply"`
	Spec     spec            `json:"spec"`
	Wallets  []balance       `json:"wallets"`
	Lines    []string        `json:"lines"`
	Args     json.RawMessage `json:"args"`
	Any      any             `json:"any"`
	tally
}

type spec struct {
	Name    string `json:"name"`
	Version uint32 `json:"version"`
}

type tally struct {
	Count int `json:"count"`
}

func sample() block {
	fee := coin(135)
	return block{
		Number: 4_000_001, BlockRef: key{0xab}, At: time.Date(2026, 11, 25, 3, 4, 5, 6, time.FixedZone("", 3600)),
		Era: era{64}, Fee: &fee, Supply: new(big.Int).Lsh(big.NewInt(1), 70), Spec: spec{"node-subtensor", 293},
		Wallets: []balance{{Free: 1000}, {Free: 12_500, Staked: 7}}, Lines: []string{"a", "b"},
		Args: json.RawMessage(`{"dest":"5Key","value":"12","inner":{"z":1,"a":[1,2]}}`), Any: []coin{1, 2}, tally: tally{9},
	}
}

func show(t *testing.T, v any, o Options) string {
	t.Helper()
	var b strings.Builder
	if err := Render(&b, v, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRender(t *testing.T) {
	var none []wallet
	for _, tt := range []struct {
		name string
		v    any
		o    Options
		want string
	}{
		{"table of structs", wallets, Options{}, `
name               coldkey       netuid  balance free  balance staked  tags       locked
savings            5Key01000000       1      1234.5                 -  cold, old  yes
日本               5Keyff000000      64         0.007              20  -          no
evil\x1b[2J\u202e  5Key00000000       0         -                   -  -          no
`},
		{"empty table has its header", none, Options{}, `
name  coldkey  netuid  tags  locked
`},
		{"narrow terminal: one after the other, nothing cut", wallets[:2], Options{Width: 40}, `
name     savings
coldkey  5Key01000000
netuid   1
balance
  free  1234.5
tags     cold, old
locked   yes

name     日本
coldkey  5Keyff000000
netuid   64
balance
  free    0.007
  staked  20
tags     -
locked   no
`},
		{"struct", sample(), Options{}, `
block   4000001
hash    5Keyab000000
at      2026-11-25T02:04:05Z
era     era of 64
fee     0.135
supply  1180591620717411303424
spec
  name     node-subtensor
  version  293
wallets
  free  staked
   1     -
  12.5   0.007
lines   a, b
args
  dest   5Key
  value  12
  inner
    z  1
    a  1, 2
any     0.001, 0.002
count   9
`},
		{"labels in bold", spec{"x", 1}, Options{Colour: true}, "\n\x1b[1mname   \x1b[0m  x\n\x1b[1mversion\x1b[0m  1\n"},
		{"long text wraps between words", spec{Name: "one two three four five six seven"}, Options{Width: 32}, `
name     one two three four five
         six seven
version  0
`},
		{"scalar", coin(1500), Options{}, "\n1.5\n"},
		{"scalars", []coin{1, 2}, Options{}, "\n0.001\n0.002\n"},
		{"nil", nil, Options{}, "\n"},
		{"nil pointer", (*spec)(nil), Options{}, "\n"},
		{"JSON objects", json.RawMessage(`[{"b":1,"a":"x"},{"b":22,"c":{"d":null}}]`), Options{}, `
 b  a  c
 1  x  -
22  -  d -
`},
		{"map, by its JSON", map[string]int{"b": 1, "a": 2}, Options{}, "\na  2\nb  1\n"},
		{"lists within rows: one after the other", []any{sample().Wallets, spec{"x", 1}}, Options{}, `
free  staked
 1     -
12.5   0.007

name     x
version  1
`},
		{"JSON", []spec{{"<&>", 1}}, Options{Format: JSON}, `
[
  {
    "name": "<&>",
    "version": 1
  }
]
`},
		{"JSON omits", balance{Free: 1}, Options{Format: JSON}, "\n{\n  \"free\": \"0.001\"\n}\n"},
		{"CSV", wallets, Options{Format: CSV}, `
name,coldkey,netuid,balance.free,balance.staked,tags,locked,raw
savings,5Key01000000,1,1234.5,,"cold, old",true,aa
日本,5Keyff000000,64,0.007,20,,false,bb
evil\x1b[2J\u202e,5Key00000000,0,,,,false,cc
`},
		{"CSV of nothing has its header", none, Options{Format: CSV}, `
name,coldkey,netuid,balance.free,balance.staked,tags,locked,raw
`},
		{"CSV of a struct", spec{"x,\"y\"", 1}, Options{Format: CSV}, "\nname,version\n\"x,\"\"y\"\"\",1\n"},
		{"CSV of a struct around a list", struct {
			Block uint32    `json:"block"`
			Rows  []balance `json:"rows"`
		}{7, []balance{{Free: 1}, {Free: 2}}}, Options{Format: CSV}, `
block,rows.free,rows.staked
7,0.001,
7,0.002,
`},
		{"CSV formulas", []spec{{Name: "=1+1"}, {Name: "@x"}, {Name: "-2+3"}, {Name: "+1"}, {Name: "a=1"}, {Name: "\t=1"}}, Options{Format: CSV}, `
name,version
'=1+1,0
'@x,0
'-2+3,0
'+1,0
a=1,0
\x09=1,0
`},
		{"CSV negative numbers", []int{-5, 5}, Options{Format: CSV}, "\nvalue\n-5\n5\n"},
		{"lines", steps, Options{}, `
name    wide
steps
  first, second
  third
voices  one, two

name    narrow
steps   alone
voices  -
`},
		{"lines in CSV", steps[1:], Options{Format: CSV}, "\nname,steps,voices\nnarrow,alone,\n"},
		{"one line of JSON", steps[1:], Options{Format: JSONLine}, `
[{"name":"narrow","steps":["alone"],"voices":null}]
`},
		{"template", wallets, Options{Format: Template, Template: `{{range .}}{{.name}}|{{.balance}}|{{if gt .netuid 5}}big{{end}}|{{join "+" .tags}}{{"\n"}}{{end}}`}, `
savings|map[free:1234.5 staked:<nil>]||cold+old
日本|map[free:0.007 staked:20]|big|
evil\x1b[2J\u202e|<no value>||
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := show(t, tt.v, tt.o), tt.want[1:]; got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// plan has a list whose items have lines of their own.
type plan struct {
	Name   string   `json:"name"`
	Steps  []string `json:"steps" view:",lines"`
	Voices []string `json:"voices"`
}

var steps = []plan{{Name: "wide", Steps: []string{"first, second", "third"}, Voices: []string{"one", "two"}}, {Name: "narrow", Steps: []string{"alone"}}}

type broken struct{}

func (broken) MarshalText() ([]byte, error) { return nil, errors.New("no text today") }

func TestRenderErrors(t *testing.T) {
	type loop struct {
		Next *loop `json:"next"`
	}
	around := &loop{}
	around.Next = around
	for _, tt := range []struct {
		name, want string
		v          any
		o          Options
	}{
		{"text", "no text today", []broken{{}}, Options{}},
		{"field names the culprit", "f: no text today", struct {
			F broken `json:"f"`
		}{}, Options{}},
		{"channel", "unsupported type", make(chan int), Options{}},
		{"cycle", "nested deeper", around, Options{}},
		{"bad template", "unclosed action", spec{}, Options{Format: Template, Template: "{{"}},
		{"unknown name in a template", "nmae", spec{}, Options{Format: Template, Template: "{{.nmae}}"}},
		{"CSV of two lists", "use JSON", struct {
			A []balance `json:"a"`
			B []balance `json:"b"`
		}{[]balance{{}}, []balance{{}}}, Options{Format: CSV}},
		{"unknown format", "format 9", spec{}, Options{Format: 9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			err := Render(&b, tt.v, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if b.Len() > 0 {
				t.Errorf("half a result was written: %q", b.String())
			}
		})
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestRenderWriteError(t *testing.T) {
	for _, f := range []Format{Table, JSON, CSV} {
		if err := Render(full{}, spec{}, Options{Format: f}); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("format %d: error %v, want the disk's", f, err)
		}
	}
}

// TestRecursiveType guards the search for columns against types that contain
// themselves.
func TestRecursiveType(t *testing.T) {
	type tree struct {
		Name string  `json:"name"`
		Left *tree   `json:"left,omitempty"`
		Kids []*tree `json:"kids,omitempty"`
	}
	got := show(t, []tree{{Name: "root", Kids: []*tree{{Name: "leaf"}}}}, Options{})
	if !strings.Contains(got, "root") || !strings.Contains(got, "leaf") {
		t.Errorf("got %q", got)
	}
}

type faults struct{ found []string }

func (f *faults) Helper() {}
func (f *faults) Errorf(format string, args ...any) {
	f.found = append(f.found, fmt.Sprintf(format, args...))
}

func TestCheck(t *testing.T) {
	type inner struct{ Bare string }
	for _, tt := range []struct {
		name string
		v    any
		want string // "" is no fault
	}{
		{"good", sample(), ""},
		{"good list", wallets, ""},
		{"pointer", &spec{}, ""},
		{"nil", nil, ""},
		{"no name", inner{}, "Bare has no json name"},
		{"no name, nested in a list", struct {
			L []inner `json:"l"`
		}{}, "L[].Bare has no json name"},
		{"options without a name", struct {
			A int `json:",omitempty"`
		}{}, "A has no json name"},
		{"twice by embedding", struct {
			tally
			Other int `json:"count"`
		}{}, `Other has the json name "count"`},
		{"map", struct {
			M map[string]int `json:"m"`
		}{}, "M is a map"},
		{"bytes", struct {
			B []byte `json:"b"`
		}{}, "B is bytes"},
		{"array of bytes", struct {
			B [32]byte `json:"b"`
		}{}, "B is bytes"},
		{"func", struct {
			F func() `json:"f"`
		}{}, "F cannot be printed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f faults
			Check(&f, tt.v)
			got := strings.Join(f.found, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("faults %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzRender checks that no name, however hostile, moves the cursor in a table
// or a CSV file, and that CSV keeps one line for each record.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"", "x", "\x1b[2J", "=1", "\u202e", "a,b\"c\nd", "  "} {
		f.Add(s, 30)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		v := []wallet{{Name: s, Tags: []string{s}}, {Raw: s}}
		table := show(t, v, Options{Width: width % 200})
		if strings.ContainsFunc(table, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' }) {
			t.Fatalf("table %q lets a control character through", table)
		}
		if lines := strings.Count(show(t, v, Options{Format: CSV}), "\n"); lines != 3 {
			t.Fatalf("CSV has %d lines, want 3", lines)
		}
	})
}

func BenchmarkTable(b *testing.B) {
	many := make([]wallet, 1000)
	for i := range many {
		many[i] = wallets[i%2]
	}
	for b.Loop() {
		if err := Render(&strings.Builder{}, many, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCheckTemplate(t *testing.T) {
	if err := CheckTemplate(`{{range .}}{{join "," .tags}}{{end}}`); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"{{", "{{nope .}}", "{{end}}"} {
		if err := CheckTemplate(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
