package devnet

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/taoctl/taoctl/tao"
)

// params are a request's parameters. Their errors are those of JSON-RPC.
type params []json.RawMessage

func badParams(format string, args ...any) error {
	return rpcError(-32602, "Invalid params", fmt.Sprintf(format, args...))
}

func (p *params) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return err // by name: no client does it
	}
	*p = list
	return nil
}

// has tells whether a parameter is there and not null.
func (p params) has(i int) bool { return i < len(p) && string(p[i]) != "null" }

func (p params) decode(i int, into any) error {
	if !p.has(i) {
		return badParams("parameter %d is missing", i)
	}
	if err := json.Unmarshal(p[i], into); err != nil {
		return badParams("parameter %d: %v", i, err)
	}
	return nil
}

func (p params) bytes(i int) ([]byte, error) {
	var s string
	if err := p.decode(i, &s); err != nil {
		return nil, err
	}
	b, err := unhex(s)
	if err != nil {
		return nil, badParams("parameter %d: %v", i, err)
	}
	return b, nil
}

func unhex(s string) ([]byte, error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return nil, fmt.Errorf("%.20q is not hex", s)
	}
	return hex.DecodeString(digits)
}

// keys is a list of storage keys.
func (p params) keys(i int) ([]string, error) {
	var texts []string
	if err := p.decode(i, &texts); err != nil {
		return nil, err
	}
	list := make([]string, len(texts))
	for j, text := range texts {
		key, err := unhex(text)
		if err != nil {
			return nil, badParams("parameter %d: %v", i, err)
		}
		list[j] = string(key)
	}
	return list, nil
}

// block is the block that a parameter names by its hash, the best one where it is
// left out, nil where there is none.
func (c *Chain) block(p params, i int) (*block, error) {
	if !p.has(i) {
		return c.head(), nil
	}
	var hash tao.Hash
	if err := p.decode(i, &hash); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[hash], nil
}

// state is the block whose state a parameter names; there must be one.
func (c *Chain) state(p params, i int) (*block, error) {
	b, err := c.block(p, i)
	if err == nil && b == nil {
		err = rpcError(4003, "Client error: UnknownBlock: State not found", "")
	}
	return b, err
}

// first is the first parameter as JSON, null where it is left out.
func (p params) first() json.RawMessage {
	if len(p) > 0 {
		return p[0]
	}
	return json.RawMessage("null")
}
