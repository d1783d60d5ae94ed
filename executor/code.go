package executor

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// compressed begins code that is compressed with zstd, and MaxCode bounds what
// it may grow to (Substrate, primitives/maybe-compressed-blob/src/lib.rs).
var compressed = []byte{0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05}

// MaxCode is the largest code, in bytes, when it is unpacked.
const MaxCode = 50 << 20

func unpack(code []byte) ([]byte, error) {
	packed, is := bytes.CutPrefix(code, compressed)
	if !is {
		if len(code) > MaxCode {
			return nil, &CodeError{Reason: fmt.Sprintf("the code has more than %d MiB", MaxCode>>20)}
		}
		return code, nil
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxCode), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, &CodeError{"unpack the code", err}
	}
	defer d.Close()
	wasm, err := d.DecodeAll(packed, nil)
	if err != nil {
		return nil, &CodeError{"unpack the code", err}
	}
	return wasm, nil
}
