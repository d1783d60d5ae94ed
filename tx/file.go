package tx

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// fileFormat names the form of a draft file, so that a later one can be told.
const fileFormat = "taoctl-draft-1"

// DraftFile is a draft as JSON: what a machine without a network needs in order
// to show a transaction and sign it. The three parts of the payload are there
// for other tools and for comparison; ReadDraft makes them anew and refuses a
// file whose parts disagree.
type DraftFile struct {
	Format        string      `json:"format"`
	Decoded       chain.Call  `json:"decoded"`
	Signer        tao.Account `json:"signer"`
	Genesis       tao.Hash    `json:"genesis"`
	SpecName      string      `json:"spec_name"`
	SpecVersion   uint32      `json:"spec_version"`
	TxVersion     uint32      `json:"tx_version"`
	Nonce         uint32      `json:"nonce"`
	Era           Era         `json:"era"`
	Tip           tao.Amount  `json:"tip" view:"tip (TAO)"`
	Fee           *tao.Amount `json:"fee,omitempty" view:"fee about (TAO)"`
	Head          uint32      `json:"head,omitempty"`
	ValidUntil    *uint32     `json:"valid_until,omitempty" view:"valid until block"` // the last block that may include it
	Call          HexBytes    `json:"call"`
	Extra         HexBytes    `json:"extra"`
	Additional    HexBytes    `json:"additional"`
	Payload       HexBytes    `json:"payload"`            // call, extra, additional
	SignedMessage HexBytes    `json:"signed_message"`     // payload, or its blake2-256 if it is over 256 bytes
	Metadata      []byte      `json:"metadata,omitempty"` // gzipped, so that the signer can decode the call
}

// File is the draft as JSON shows it. withMetadata adds the runtime's metadata,
// about 90 kB, for a signer that has none.
func (d *Draft) File(withMetadata bool) (DraftFile, error) {
	f := DraftFile{
		Format: fileFormat, Decoded: d.Call, Signer: d.Signer, Genesis: d.Genesis,
		SpecName: d.Spec.Name, SpecVersion: d.Spec.SpecVersion, TxVersion: d.Spec.TxVersion,
		Nonce: d.Nonce, Era: d.Era, Tip: d.Tip, Fee: d.Fee, Head: d.Head,
		Call: d.call, Extra: d.extra, Additional: d.implicit,
		Payload: d.Payload(), SignedMessage: d.SignedMessage(),
	}
	if last, mortal := d.Era.Last(); mortal {
		f.ValidUntil = &last
	}
	if !withMetadata {
		return f, nil
	}
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return f, err
	}
	if _, err := z.Write(d.runtime.Metadata().Blob()); err != nil {
		return f, err
	}
	if err := z.Close(); err != nil {
		return f, err
	}
	f.Metadata = zipped.Bytes()
	return f, nil
}

// maxMetadata bounds what a draft file may unpack to, in bytes; mainnet's
// metadata has 0.4 MB.
const maxMetadata = 16 << 20

// ReadDraft reads a draft file. The call is decoded by the given runtime, or by
// the metadata in the file where rt is nil, and every part of the payload is
// made anew from the named fields: a file that shows one thing and would have
// another signed is refused.
func ReadDraft(text []byte, rt *chain.Runtime) (*Draft, error) {
	var f DraftFile
	in := json.NewDecoder(bytes.NewReader(text))
	if err := in.Decode(&f); err != nil {
		return nil, fmt.Errorf("read the draft: %w", err)
	}
	if f.Format != fileFormat {
		return nil, fmt.Errorf("read the draft: its format is %.40q, not %q", f.Format, fileFormat)
	}
	rt, err := f.runtime(rt)
	if err != nil {
		return nil, err
	}
	call, err := rt.Decode(f.Call)
	if err != nil {
		return nil, fmt.Errorf("decode the draft's call: %w", err)
	}
	o := Offline{Genesis: f.Genesis, Nonce: f.Nonce, Era: f.Era, Tip: f.Tip}
	d, err := PrepareOffline(rt, Plan{Call: call, Signer: f.Signer}, o)
	if err != nil {
		return nil, err
	}
	d.Fee, d.Head = f.Fee, f.Head
	if f.Fee != nil {
		d.Warnings = append(d.Warnings, Warning{Code: "claimed-fee", Text: "the fee is what the draft says: nothing that is signed holds the chain to it"})
	}
	if err := d.agrees(f); err != nil {
		return nil, err
	}
	return d, d.agreesDecoded(text)
}

// agreesDecoded compares what the file says the call is with what its bytes
// say. The words are for people and other programs, who may have read them.
func (d *Draft) agreesDecoded(text []byte) error {
	var file struct {
		Decoded json.RawMessage `json:"decoded"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("read the draft: %w", err)
	}
	ours, err := json.Marshal(d.Call)
	if err != nil {
		return err
	}
	var a, b any
	if json.Unmarshal(ours, &a) != nil || json.Unmarshal(file.Decoded, &b) != nil || !reflect.DeepEqual(a, b) {
		return errors.New("the draft contradicts itself: \"decoded\" is not what its call says")
	}
	return nil
}

// agrees compares the bytes made anew with those in the file.
func (d *Draft) agrees(f DraftFile) error {
	parts := []struct {
		name       string
		ours, file []byte
	}{
		{"call", d.call, f.Call},
		{"extra", d.extra, f.Extra},
		{"additional", d.implicit, f.Additional},
		{"payload", d.Payload(), f.Payload},
		{"signed_message", d.SignedMessage(), f.SignedMessage},
	}
	for _, p := range parts {
		if !bytes.Equal(p.ours, p.file) {
			return fmt.Errorf("the draft contradicts itself: %q does not follow from its other fields", p.name)
		}
	}
	return nil
}

// runtime is the given one or that of the file's metadata, and of the version
// that the draft names.
func (f DraftFile) runtime(rt *chain.Runtime) (*chain.Runtime, error) {
	if rt == nil {
		meta, err := f.metadata()
		if err != nil {
			return nil, err
		}
		spec, err := chain.SpecOf(meta)
		if err != nil {
			return nil, fmt.Errorf("the draft's metadata: %w", err)
		}
		rt = chain.NewRuntime(spec, meta)
	}
	if s := rt.Spec(); s.Name != f.SpecName || s.SpecVersion != f.SpecVersion || s.TxVersion != f.TxVersion {
		return nil, fmt.Errorf("the draft is for %s %d (transactions %d), and the metadata are of %s (transactions %d)",
			f.SpecName, f.SpecVersion, f.TxVersion, s, s.TxVersion)
	}
	return rt, nil
}

func (f DraftFile) metadata() (*scale.Metadata, error) {
	if f.Metadata == nil {
		return nil, errors.New("the draft carries no metadata: name a metadata file of its runtime")
	}
	z, err := gzip.NewReader(bytes.NewReader(f.Metadata))
	if err != nil {
		return nil, fmt.Errorf("unpack the draft's metadata: %w", err)
	}
	blob, err := io.ReadAll(io.LimitReader(z, maxMetadata+1))
	if err != nil {
		return nil, fmt.Errorf("unpack the draft's metadata: %w", err)
	}
	if len(blob) > maxMetadata {
		return nil, fmt.Errorf("the draft's metadata has more than %d bytes", maxMetadata)
	}
	return scale.ParseMetadata(blob)
}
