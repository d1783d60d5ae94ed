package remote

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/taoctl/taoctl/powsolver"
)

// Protocol is the version of what is spoken. Two sides of different versions do
// not try to understand each other.
const Protocol = 1

// maxLine is the longest line in bytes, without its end.
const maxLine = 64 << 10

// Requests and replies, by name.
const (
	opDevices = "devices"
	opOpen    = "open"
	opSearch  = "search"
	opStop    = "stop"

	eventDevices  = "devices"
	eventReady    = "ready"
	eventProgress = "progress"
	eventFound    = "found"
	eventDone     = "done"
	eventStopped  = "stopped"
	eventFailed   = "failed"
)

// request is a line to the program.
type request struct {
	ID     uint64  `json:"id"`
	Op     string  `json:"op"`
	Device int     `json:"device,omitempty"` // open: its index
	Name   string  `json:"name,omitempty"`   // open: the name that must stand there
	Puzzle *puzzle `json:"puzzle,omitempty"` // search
	From   uint64  `json:"from,omitempty"`   // search: the first position
	Count  uint64  `json:"count,omitempty"`  // search: how many
}

// reply is a line from the program.
type reply struct {
	ID       uint64   `json:"id"`
	Event    string   `json:"event"`
	Protocol int      `json:"protocol,omitempty"` // devices, ready
	Devices  []Device `json:"devices,omitempty"`  // devices
	Message  string   `json:"message,omitempty"`  // devices, failed: what went wrong
	Tried    uint64   `json:"tried,omitempty"`    // of a search, so far or in all: seals computed
	Nonce    uint64   `json:"nonce,omitempty"`    // found
}

// Device is what the program found to compute with. Names and versions are the
// driver's words: text of strangers.
type Device struct {
	Index    int    `json:"index"`
	Name     string `json:"name"`
	Kind     string `json:"kind"` // "gpu", "cpu", "accelerator" or "other"
	Units    uint32 `json:"units"`
	Platform string `json:"platform"`
	Driver   string `json:"driver"`
}

// Label is how people tell devices apart: two may have the same name.
func (d Device) Label() string { return fmt.Sprintf("opencl %d (%s)", d.Index, d.Name) }

// puzzle is powsolver.Puzzle as JSON.
type puzzle struct {
	Kind       powsolver.Kind  `json:"seal"`
	Order      powsolver.Order `json:"byte_order"`
	Difficulty uint64          `json:"difficulty"`
	Block      bytes32         `json:"block"`
	Hotkey     bytes32         `json:"hotkey"`
	Coldkey    bytes32         `json:"coldkey"`
	NetUID     uint16          `json:"netuid"`
}

func (p puzzle) plain() powsolver.Puzzle {
	return powsolver.Puzzle{
		Kind: p.Kind, Order: p.Order, Difficulty: p.Difficulty, Block: p.Block, Hotkey: p.Hotkey, Coldkey: p.Coldkey, NetUID: p.NetUID,
	}
}

func wirePuzzle(p powsolver.Puzzle) *puzzle {
	return &puzzle{
		Kind: p.Kind, Order: p.Order, Difficulty: p.Difficulty, Block: p.Block, Hotkey: p.Hotkey, Coldkey: p.Coldkey, NetUID: p.NetUID,
	}
}

// bytes32 is 64 digits of hex in JSON.
type bytes32 [32]byte

func (b bytes32) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b[:]), nil }

func (b *bytes32) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(b) || len(text)%2 == 1 {
		return fmt.Errorf("%d digits of hex are not 32 bytes", len(text))
	}
	_, err := hex.Decode(b[:], text)
	return err
}

// LineError is a line that breaks the protocol.
type LineError struct {
	Line   string // the beginning of it
	Reason string
}

func (e *LineError) Error() string { return fmt.Sprintf("%s: %q", e.Reason, e.Line) }

func lineError(line []byte, format string, args ...any) error {
	const shown = 120
	return &LineError{Line: string(line[:min(len(line), shown)]), Reason: fmt.Sprintf(format, args...)}
}

// decode reads one line: a single JSON object of known fields.
func decode(line []byte, into any) error {
	if len(line) > maxLine {
		return lineError(line, "a line of more than %d bytes", maxLine)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return lineError(line, "no line of the protocol: %v", err)
	}
	if rest := bytes.TrimSpace(line[d.InputOffset():]); len(rest) > 0 {
		return lineError(line, "a line that goes on after its end")
	}
	return nil
}

func decodeRequest(line []byte) (r request, err error) {
	if err := decode(line, &r); err != nil {
		return request{}, err
	}
	switch {
	case r.Op == opSearch && r.Puzzle == nil:
		return request{}, lineError(line, "a search without a puzzle")
	case r.Op != opDevices && r.Op != opOpen && r.Op != opSearch && r.Op != opStop:
		return request{}, lineError(line, "an unknown request")
	}
	return r, nil
}

func decodeReply(line []byte) (r reply, err error) {
	if err := decode(line, &r); err != nil {
		return reply{}, err
	}
	switch r.Event {
	case eventDevices, eventReady:
		if r.Protocol != Protocol {
			return reply{}, lineError(line, "protocol %d is spoken, %d is understood", r.Protocol, Protocol)
		}
	case eventProgress, eventFound, eventDone, eventStopped, eventFailed:
	default:
		return reply{}, lineError(line, "an unknown reply")
	}
	for i, d := range r.Devices {
		if d.Index != i {
			return reply{}, lineError(line, "device %d stands at place %d", d.Index, i)
		}
	}
	return r, nil
}

// last reports whether a reply ends its search.
func (r reply) last() bool { return r.Event != eventProgress }
