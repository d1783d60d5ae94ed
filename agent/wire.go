package agent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/taoctl/taoctl/tao"
)

// A connection carries one request and one answer. Each is a frame:
//
//	version   1 byte
//	head size 2 bytes, big-endian
//	body size 4 bytes, big-endian
//	head      JSON
//	body      bytes: a message to sign, a key to hold, a signature
//
// Bytes stay out of the JSON because encoding/json keeps its buffers, and keys
// must be wiped.
const (
	version   = 1
	frameSize = 7
	maxHead   = 1<<16 - 1

	// MaxMessage is the most bytes that an agent signs at once. What a chain
	// has signed is far shorter: payloads above 256 bytes are hashed first.
	MaxMessage = 1 << 20

	maxKey       = 64 // sr25519's scalar and nonce; ed25519's seed is shorter
	maxSignature = 64
)

// op is what a request asks for. There is none that gives a key out.
type op string

const (
	opAdd  op = "add"  // hold the key in the body
	opSign op = "sign" // sign the body
	opList op = "list"
	opLock op = "lock" // forget all keys
	opStop op = "stop" // forget all keys, and end
)

// maxBody is the most bytes that a request's body has; ok says whether there is
// such a request.
func (o op) maxBody() (size uint32, ok bool) {
	switch o {
	case opAdd:
		return maxKey, true
	case opSign:
		return MaxMessage, true
	case opList, opLock, opStop:
		return 0, true
	}
	return 0, false
}

type request struct {
	Op      op          `json:"op"`
	Account tao.Account `json:"account,omitzero"`
	Scheme  tao.Scheme  `json:"scheme,omitzero"` // of the key to add
	Seconds int64       `json:"seconds,omitempty"`
}

type answer struct {
	Refused refusal    `json:"refused,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	Scheme  tao.Scheme `json:"scheme,omitzero"` // of the signature in the body
	Keys    []Held     `json:"keys,omitempty"`
}

// refusal says why a request was not done.
type refusal string

const (
	refusedNotHeld refusal = "not held"
	refusedOther   refusal = "other" // Reason says more
)

// Held is a key that an agent holds.
type Held struct {
	Account tao.Account `json:"account"`
	Scheme  tao.Scheme  `json:"scheme"`
	Left    int64       `json:"left" view:"left (s)"` // seconds until it is forgotten, rounded up
	Until   time.Time   `json:"until"`
}

// writeFrame writes a frame. Body is written as it is, and not copied.
func writeFrame(w io.Writer, head any, body []byte) error {
	h, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if len(h) > maxHead || len(body) > MaxMessage {
		return fmt.Errorf("a frame of %d and %d bytes is too long", len(h), len(body))
	}
	start := make([]byte, frameSize, frameSize+len(h))
	start[0] = version
	binary.BigEndian.PutUint16(start[1:], uint16(len(h)))
	binary.BigEndian.PutUint32(start[3:], uint32(len(body)))
	if _, err := w.Write(append(start, h...)); err != nil {
		return err
	}
	if len(body) == 0 {
		return nil
	}
	_, err = w.Write(body)
	return err
}

// readHead reads a frame up to its body, whose size it returns.
func readHead(r io.Reader, head any) (body uint32, err error) {
	var start [frameSize]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return 0, err
	}
	if start[0] != version {
		return 0, fmt.Errorf("version %d of the agent's protocol; this program speaks %d", start[0], version)
	}
	text := make([]byte, binary.BigEndian.Uint16(start[1:]))
	if _, err := io.ReadFull(r, text); err != nil {
		return 0, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(head); err != nil {
		return 0, fmt.Errorf("head of a frame: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return 0, errors.New("head of a frame: something follows its end")
	}
	return binary.BigEndian.Uint32(start[3:]), nil
}

// readBody reads the rest of a frame. The sender's word on its size is not
// believed beyond most.
func readBody(r io.Reader, size, most uint32) ([]byte, error) {
	if size > most {
		return nil, fmt.Errorf("a body of %d bytes is longer than the %d there can be", size, most)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		clear(body)
		return nil, err
	}
	return body, nil
}

// readRequest reads a request. The caller wipes the body.
func readRequest(r io.Reader) (q request, body []byte, err error) {
	size, err := readHead(r, &q)
	if err != nil {
		return request{}, nil, err
	}
	most, ok := q.Op.maxBody()
	if !ok {
		return request{}, nil, fmt.Errorf("%q is no request to an agent", clip(string(q.Op)))
	}
	body, err = readBody(r, size, most)
	return q, body, err
}

// readAnswer reads an answer, whose body can only be a signature.
func readAnswer(r io.Reader) (a answer, body []byte, err error) {
	size, err := readHead(r, &a)
	if err != nil {
		return answer{}, nil, err
	}
	body, err = readBody(r, size, maxSignature)
	return a, body, err
}

// clip keeps a stranger's text from flooding an error.
func clip(s string) string { return s[:min(len(s), 40)] }
