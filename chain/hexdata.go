package chain

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// hexBytes is bytes as JSON-RPC writes them: "0x" and hex digits.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) {
	return []byte("0x" + hex.EncodeToString(h)), nil
}

func (h *hexBytes) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	if !ok {
		return fmt.Errorf("%q is not hex with 0x", clip(string(b), 40))
	}
	raw, err := hex.DecodeString(digits)
	*h = raw
	return err
}

// blockNumber is a block's number as JSON-RPC writes it: "0x6" from a node,
// "0x00000006" from Chopsticks.
type blockNumber uint32

func (n *blockNumber) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	digits, ok := strings.CutPrefix(s, "0x")
	v, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil {
		return fmt.Errorf("%q is no block number", clip(s, 40))
	}
	*n = blockNumber(v)
	return nil
}
