package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/powsolver"
)

// seeds are lines of a real conversation, and lines that break the protocol.
var requestSeeds = []string{
	`{"id":1,"op":"devices"}`,
	`{"id":2,"op":"open","device":1,"name":"NVIDIA H100"}`,
	`{"id":3,"op":"search","puzzle":{"seal":"v475","byte_order":"little-endian","difficulty":18446744073709551615,"block":"0100000000000000000000000000000000000000000000000000000000000000","hotkey":"0000000000000000000000000000000000000000000000000000000000000000","coldkey":"0000000000000000000000000000000000000000000000000000000000000000","netuid":65535},"from":18446744073709551615,"count":4294967296}`,
	`{"id":4,"op":"stop"}`,
}

var replySeeds = []string{
	`{"id":1,"event":"devices","protocol":1,"devices":[{"index":0,"name":"x","kind":"gpu","units":132,"platform":"CUDA","driver":"550"}]}`,
	`{"id":1,"event":"devices","protocol":1,"message":"the system has no OpenCL library"}`,
	`{"id":2,"event":"ready","protocol":1}`,
	`{"id":3,"event":"progress","tried":16777216}`,
	`{"id":3,"event":"found","tried":18446744073709551615,"nonce":18446744073709551615}`,
	`{"id":3,"event":"failed","message":"out of resources"}`,
}

func FuzzRequest(f *testing.F) {
	for _, s := range append(requestSeeds, replySeeds...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) { roundTrip(t, line, decodeRequest) })
}

func FuzzReply(f *testing.F) {
	for _, s := range append(replySeeds, requestSeeds...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) { roundTrip(t, line, decodeReply) })
}

// roundTrip checks that what was read can be written and read again.
func roundTrip[M any](t *testing.T, line []byte, decode func([]byte) (M, error)) {
	m, err := decode(line)
	if err != nil {
		return
	}
	again, err := json.Marshal(m)
	if err != nil {
		t.Fatalf("%q was read and cannot be written: %v", line, err)
	}
	if len(again) > maxLine {
		return // escapes made it longer
	}
	back, err := decode(again)
	if err != nil {
		t.Fatalf("%q was written and cannot be read: %v", again, err)
	}
	// A list without elements is left out.
	if third, _ := json.Marshal(back); !bytes.Equal(third, again) {
		t.Errorf("%q became %q", again, third)
	}
}

func TestRefusedLines(t *testing.T) {
	for _, line := range []string{
		``, `x`, `null {}`, `[]`, `{"id":-1,"op":"stop"}`, `{"id":1,"op":"stop"} {}`, `{"id":1,"op":"halt"}`, `{"id":1,"op":"search"}`,
		`{"id":1,"op":"stop","password":"x"}`, `{"id":18446744073709551616,"op":"stop"}`,
		strings.Replace(requestSeeds[2], "v475", "v474", 1),
		strings.Replace(requestSeeds[2], "little", "middle", 1),
		strings.Replace(requestSeeds[2], `"01000000`, `"0100000`, 1),
		strings.Replace(requestSeeds[2], `"01000000`, `"0100000x`, 1),
		strings.Replace(requestSeeds[2], "65535", "65536", 1),
		`{"id":1,"op":"open","name":"` + strings.Repeat("x", maxLine) + `"}`,
	} {
		if r, err := decodeRequest([]byte(line)); err == nil {
			t.Errorf("%.100q was read as %+v", line, r)
		}
	}
	for _, line := range []string{
		``, `{"id":1,"event":"ready"}`, `{"id":1,"event":"ready","protocol":2}`, `{"id":1,"event":"sleeping"}`, `{"id":1,"event":"progress","tried":-1}`,
		`{"id":1,"event":"progress","tried":1e3}`, `{"id":1,"event":"devices","protocol":1,"devices":[{"index":1}]}`,
	} {
		r, err := decodeReply([]byte(line))
		if err == nil {
			t.Errorf("%.100q was read as %+v", line, r)
		}
		if broken := new(LineError); !errors.As(err, &broken) || len(broken.Line) > 200 {
			t.Errorf("%.100q: %v", line, err)
		}
	}
}

func TestPuzzleOnTheWire(t *testing.T) {
	p := powsolver.Puzzle{Kind: powsolver.Legacy, Order: powsolver.BigEndian, Difficulty: ^uint64(0), NetUID: 7}
	for i := range p.Block {
		p.Block[i], p.Hotkey[i], p.Coldkey[i] = byte(i), byte(i+100), byte(i+200)
	}
	line, err := json.Marshal(request{ID: 1, Op: opSearch, Puzzle: wirePuzzle(p)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := decodeRequest(line)
	if err != nil || !reflect.DeepEqual(r.Puzzle.plain(), p) {
		t.Errorf("%s became %+v, %v", line, r, err)
	}
}

// TestServeRefuses ends a server with a request that makes no sense, and answers
// one that asks for the impossible.
func TestServeRefuses(t *testing.T) {
	var out bytes.Buffer
	host := Host{Devices: func() ([]Device, error) { return nil, nil }}
	if err := Serve(t.Context(), strings.NewReader("{\"id\":1,\"op\":\"dance\"}\n"), &out, host); err == nil || out.Len() > 0 {
		t.Errorf("got %v, %q", err, out.String())
	}
	if err := Serve(t.Context(), strings.NewReader(strings.Repeat("x", 2*maxLine)), &out, host); err == nil {
		t.Error("an endless line was read")
	}
	ctx, cancel := context.WithCancel(t.Context())
	in, ask := io.Pipe()
	answers, to := io.Pipe()
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, in, to, host) }()
	for _, c := range []struct{ ask, want string }{
		{requestSeeds[2], `{"id":3,"event":"failed","message":"no device is open"}`},
		{requestSeeds[1], `{"id":2,"event":"failed","message":"there is no device 1"}`},
		{requestSeeds[0], `{"id":1,"event":"devices","protocol":1}`},
	} {
		if _, err := io.WriteString(ask, c.ask+"\n"); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(c.want)+1)
		if _, err := io.ReadFull(answers, got); err != nil || string(got) != c.want+"\n" {
			t.Errorf("%s: got %q, %v; want %s", c.ask, got, err, c.want)
		}
	}
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
