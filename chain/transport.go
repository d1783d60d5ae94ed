package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Transport carries JSON-RPC to one node: a request with its answer, or a
// subscription with its notices. Everything that this package knows of a node
// goes through it, and it is the one place where a test puts a fake.
type Transport interface {
	// Call asks method with params and stores the answer in result, as
	// json.Unmarshal does; a nil result drops it. Errors are *RPCError,
	// *LostError or *ReplyError, or wrap ctx's where nothing was sent.
	Call(ctx context.Context, result any, method string, params ...any) error

	// Subscribe asks for a subscription when the loop begins, yields its
	// notices in order, and unsubscribes when the loop is left or ctx ends.
	// The last pair of a subscription that breaks holds an error and no notice.
	Subscribe(ctx context.Context, method string, params ...any) iter.Seq2[json.RawMessage, error]

	Close() error
}

// RPCError is an error that the node answered. Nodes differ in how they word
// one refusal: a node written on Substrate puts the reason in Data, Chopsticks
// puts it in Message, and over HTTP Chopsticks leaves Code at 0. So all three
// parts are kept as they came; [Runtime.Refusal] reads them.
type RPCError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

func (e *RPCError) Error() string {
	text := clip(e.Message, maxQuoted)
	if data := e.text(); data != "" {
		text += ": " + data
	}
	return fmt.Sprintf("node answered error %d: %s", e.Code, text)
}

// text is Data as a person reads it: a JSON string without its quotes.
func (e *RPCError) text() string {
	var s string
	if json.Unmarshal(e.Data, &s) == nil {
		return clip(s, maxQuoted)
	}
	return clip(string(e.Data), maxQuoted)
}

// noMethod is JSON-RPC 2.0's code for a method that the node does not serve.
const noMethod = -32601

func isNoMethod(err error) bool {
	var rpc *RPCError
	return errors.As(err, &rpc) && (rpc.Code == noMethod || strings.Contains(strings.ToLower(rpc.Message), "method not found"))
}

// LostError says that the line to a node could not be opened, or broke, or
// stayed silent until the caller's patience ended.
type LostError struct {
	Endpoint string // scheme and host: paths and queries may hold a secret
	// Sent says that the request may have reached the node: its effect is
	// unknown. Where it is false the node has not seen the request.
	Sent bool
	Err  error
}

func (e *LostError) Error() string {
	if e.Sent {
		return fmt.Sprintf("no answer from %s: %v", e.Endpoint, e.Err)
	}
	return fmt.Sprintf("cannot reach %s: %v", e.Endpoint, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// ReplyError says that the node answered with something that is not what the
// method promises, or not JSON-RPC at all.
type ReplyError struct {
	Method string // "" where the answer names no request
	Reason string
	Text   string // how the answer begins
}

func (e *ReplyError) Error() string {
	what := "node sent a malformed message"
	if e.Method != "" {
		what = "node's answer to " + e.Method + " is malformed"
	}
	if e.Text == "" {
		return fmt.Sprintf("%s: %s", what, e.Reason)
	}
	return fmt.Sprintf("%s: %s: %q", what, e.Reason, e.Text)
}

// maxQuoted is how much of a node's text an error repeats.
const maxQuoted = 200

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// request is one JSON-RPC 2.0 request.
type request struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

func encodeRequest(id uint64, method string, params []any) ([]byte, error) {
	if params == nil {
		params = []any{}
	}
	b, err := json.Marshal(request{"2.0", id, method, params})
	if err != nil {
		return nil, fmt.Errorf("encode request %s: %w", method, err)
	}
	return b, nil
}

// message is what a node sends: the reply to a request, or a notice of a
// subscription.
type message struct {
	ID     *uint64
	Result json.RawMessage
	Error  *RPCError

	Subscription string // the JSON text of the subscription's id
	Notice       json.RawMessage
}

// parseMessage reads one message and refuses what is neither reply nor notice.
func parseMessage(b []byte) (message, error) {
	fail := func(reason string) (message, error) {
		return message{}, &ReplyError{Reason: reason, Text: clip(string(b), maxQuoted)}
	}
	var raw struct {
		ID     json.RawMessage `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *RPCError       `json:"error"`
		Method string          `json:"method"`
		Params struct {
			Subscription json.RawMessage `json:"subscription"`
			Result       json.RawMessage `json:"result"`
		} `json:"params"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return fail(err.Error())
	}
	if raw.Method != "" && len(raw.Params.Subscription) > 0 {
		return message{Subscription: string(raw.Params.Subscription), Notice: raw.Params.Result}, nil
	}
	if raw.Error == nil && raw.Result == nil {
		return fail("it holds neither a result nor an error")
	}
	m := message{Result: raw.Result, Error: raw.Error}
	if len(raw.ID) == 0 || string(raw.ID) == "null" {
		if raw.Error != nil { // the node could not read a request and says so to nobody
			return m, nil //nolint:nilerr // the error is in the message, for whoever it concerns
		}
		return fail("it names no request")
	}
	if json.Unmarshal(raw.ID, &m.ID) != nil {
		return fail("its id is not a number we gave")
	}
	return m, nil
}

// store puts an answer into the caller's result.
func store(m message, method string, result any) error {
	if m.Error != nil {
		return m.Error
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(m.Result, result); err != nil {
		return &ReplyError{Method: method, Reason: err.Error(), Text: clip(string(m.Result), maxQuoted)}
	}
	return nil
}

// unsubscribeMethod names the inverse of a subscription method (Substrate,
// client/rpc-api: state/mod.rs, chain/mod.rs, author/mod.rs).
func unsubscribeMethod(method string) string {
	if method == "author_submitAndWatchExtrinsic" {
		return "author_unwatchExtrinsic"
	}
	return strings.Replace(method, "_subscribe", "_unsubscribe", 1)
}
