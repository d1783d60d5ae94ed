package cmd

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

func (a *app) txCommand() *cobra.Command {
	return group("tx", "Prepare, sign, send, decode and look up transactions",
		a.txStatusCommand(), a.txListCommand(), a.txDecodeCommand(), a.txSimulateCommand(),
		a.txPrepareCommand(), a.txSignCommand(), a.txSendCommand())
}

// entry is a transaction of the journal.
type entry struct {
	Extrinsic tao.Hash    `json:"extrinsic"`
	Time      time.Time   `json:"time"`
	Status    tx.State    `json:"status"`
	Final     bool        `json:"final"`
	Call      string      `json:"call"`
	Signer    tao.Account `json:"signer"`
	Nonce     uint32      `json:"nonce"`
	Block     uint32      `json:"block,omitempty"`
	Until     uint32      `json:"valid_until,omitempty" view:"valid until block"` // the last block that may include it
	Note      string      `json:"note,omitempty"`
}

func entryOf(e tx.Entry) entry {
	until, _ := e.Era.Last()
	return entry{
		Extrinsic: e.Hash, Time: e.Time, Status: e.State, Final: e.Final, Call: e.Call,
		Signer: e.Signer, Nonce: e.Nonce, Block: e.Block, Until: until, Note: e.Note,
	}
}

func (a *app) txListCommand() *cobra.Command {
	open := false
	c := &cobra.Command{
		Use:   "list",
		Short: "List the transactions that were signed here",
		Long: `List the journal: every transaction that was signed on this machine, oldest
first, as last seen. It asks no node; "taoctl tx status" does.`,
		Args: arguments(cobra.NoArgs),
	}
	c.Flags().BoolVar(&open, "open", false, "only those whose outcome can still change")
	return a.query(c, func(*cobra.Command, []string) (any, error) {
		journal, err := a.journal()
		if err != nil {
			return nil, err
		}
		entries, err := journal.Entries()
		list := []entry{}
		for _, e := range entries {
			if !open || !e.Final {
				list = append(list, entryOf(e))
			}
		}
		return list, err
	})
}

func (a *app) txStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status [HASH]",
		Short: "Find out what became of transactions",
		Long: `Look up a transaction of the journal, or all that are still open on this
network, in the blocks that may hold them. The answer is certain: in which block
with what outcome, or that it can never happen, or that it still can.

The exit code is 0 if it was done, 5 if it failed or can never happen, and 6 if
it may still happen; of several the worst, 6 before 5.`,
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	a.networkFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		client, err := a.dial(c)
		if err != nil {
			return nil, err
		}
		journal, err := a.journal()
		if err != nil {
			return nil, err
		}
		if len(args) == 1 {
			return a.statusOf(c, client, journal, args[0])
		}
		return a.statusOfAll(c, client, journal)
	})
}

func (a *app) statusOf(c *cobra.Command, client *chain.Client, j *tx.Journal, text string) (any, error) {
	hash, err := parseHash("extrinsic", text)
	if err != nil {
		return nil, err
	}
	receipt, e, err := tx.Find(c.Context(), client, j, hash)
	if err != nil {
		return nil, err
	}
	if receipt != nil {
		return receipt, verdictOf(outcome(receipt, e))
	}
	return entryOf(e), verdictOf(outcome(nil, e))
}

// outcome returns what failed, or is in no block, as an error, so that the exit
// code says how it stands.
func outcome(r *tx.Receipt, e tx.Entry) error {
	switch {
	case r != nil && r.Failure != nil:
		return r.Failure
	case r != nil:
		return nil
	case e.Doubtful():
		return &tx.RefusedError{Extrinsic: e.Hash, Err: errors.New(e.Note)}
	case e.State == tx.Expired || e.State == tx.Refused:
		return &neverError{Extrinsic: e.Hash, Reason: e.Note}
	case e.Pending():
		until, _ := e.Era.Last()
		return &tx.UnknownError{Extrinsic: e.Hash, Until: until, Err: fmt.Errorf("it is in no block yet and may still be included")}
	}
	return nil
}

// neverError says that an extrinsic is in no block and can never be.
type neverError struct {
	Extrinsic tao.Hash
	Reason    string
}

func (e *neverError) Error() string {
	return fmt.Sprintf("transaction %s was never in a block and can never be: %s", e.Extrinsic, e.Reason)
}

func (a *app) statusOfAll(c *cobra.Command, client *chain.Client, j *tx.Journal) (any, error) {
	entries, err := j.Entries()
	if err != nil {
		return nil, err
	}
	list := []entry{}
	var worst error
	for _, e := range entries {
		if e.Final || e.Genesis != client.Genesis() {
			continue
		}
		receipt, e, err := tx.Find(c.Context(), client, j, e.Hash)
		if err != nil {
			return nil, fmt.Errorf("look up %s: %w", e.Hash, err)
		}
		list = append(list, entryOf(e))
		if err := outcome(receipt, e); err != nil && (worst == nil || exitCode(err) > exitCode(worst)) {
			worst = fmt.Errorf("transaction %s: %w", e.Hash, err)
		}
	}
	return list, verdictOf(worst)
}

// offlineFlags describe a runtime and a chain where there is no node to ask.
type offlineFlags struct {
	metadata    string
	genesis     string
	specVersion uint32
	txVersion   uint32
}

// add adds all of them; a draft that exists needs metadataFlag alone.
func (f *offlineFlags) add(c *cobra.Command) {
	f.metadataFlag(c)
	fl := c.Flags()
	fl.StringVar(&f.genesis, "genesis", "", "with --metadata: hash of the chain's block 0")
	fl.Uint32Var(&f.specVersion, "spec-version", 0, "with --metadata: the runtime's version, compared with the file's")
	fl.Uint32Var(&f.txVersion, "tx-version", 0, "with --metadata: the transaction version, compared with the file's")
}

func (f *offlineFlags) metadataFlag(c *cobra.Command) {
	c.Flags().StringVar(&f.metadata, "metadata", "", "a file with the runtime's metadata, instead of asking a node")
}

// runtime reads the metadata file. Its version is the one that the metadata
// state; a flag that contradicts them is refused, because bytes made for one
// runtime mean something else on another.
func (f *offlineFlags) runtime(a *app) (*chain.Runtime, error) {
	blob, err := a.readFile(f.metadata)
	if err != nil {
		return nil, err
	}
	if blob, err = unhex(blob); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.metadata, err)
	}
	meta, err := scale.ParseMetadata(blob)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.metadata, err)
	}
	spec, err := chain.SpecOf(meta)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.metadata, err)
	}
	for _, v := range []struct {
		flag      string
		said, has uint32
	}{{"--spec-version", f.specVersion, spec.SpecVersion}, {"--tx-version", f.txVersion, spec.TxVersion}} {
		if v.said != 0 && v.said != v.has {
			return nil, usagef("%s is %d, and %s is of version %d: a call made for one runtime means something else on another", v.flag, v.said, f.metadata, v.has)
		}
	}
	return chain.NewRuntime(spec, meta), nil
}

// unhex takes what a node answers (0x and hex digits) for the bytes it means.
func unhex(b []byte) ([]byte, error) {
	digits, ok := bytes.CutPrefix(bytes.TrimSpace(b), []byte("0x"))
	if !ok {
		return b, nil
	}
	return hex.DecodeString(string(digits))
}

func (a *app) txPrepareCommand() *cobra.Command {
	var call callFlags
	var offline offlineFlags
	var signer, era string
	c := &cobra.Command{
		Use:   "prepare PALLET.CALL [KEY=VALUE]...",
		Short: "Make the exact bytes to sign, with or without a network",
		Long: `Make a draft: the exact bytes that "taoctl tx sign" signs. With a network, nonce,
era and fee come from the node. With --metadata nothing is asked of anyone:
--genesis, --nonce and --era say what the node would have.

` + callHelp,
		Example: `  taoctl tx prepare Balances.transfer_keep_alive dest=5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty value=12345 \
    --signer 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY --out draft.json
  taoctl tx prepare System.remark remark=0x00 --signer 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY \
    --metadata metadata.scale --genesis 0x2f05…6c03 --spec-version 393 --tx-version 1 --nonce 7 --era immortal`,
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	a.networkFlags(c)
	a.walletFlags(c)
	call.add(c)
	offline.add(c)
	f := c.Flags()
	f.StringVar(&signer, "signer", "", "address of the account that will sign (default: the wallet's coldkey)")
	f.StringVar(&era, "era", "64", "blocks of validity or \"immortal\"; with --metadata: immortal or PERIOD:CURRENT:0xBIRTHHASH")
	f.Int64Var(&a.change.nonce, "nonce", -1, "number of the transaction (default: the next one; with --metadata it must be given)")
	f.StringVar(&a.change.tip, "tip", "0", "TAO paid on top of the fee to be preferred")
	f.StringVar(&a.change.out, "out", "", "write the draft, with the metadata, to this file")
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.preparedPlan(c.Context(), &call, signer, args)
		if err != nil {
			return err
		}
		prepare := a.prepareOnline
		if offline.metadata != "" {
			prepare = func(_ *cobra.Command, p tx.Plan, era string) (*tx.Draft, error) {
				return a.prepareOffline(&offline, p, era)
			}
		}
		d, err := prepare(c, p, era)
		if err != nil {
			return err
		}
		return a.handOut(c, d)
	}
	return c
}

// handOut prints a draft, or writes it to --out.
func (a *app) handOut(c *cobra.Command, d *tx.Draft) error {
	if a.change.out != "" {
		return a.writeDraft(d, a.summaryOf(c, a.client, d))
	}
	file, err := d.File(false)
	if err != nil {
		return err
	}
	return a.show(file)
}

func (a *app) preparedPlan(ctx context.Context, f *callFlags, signer string, args []string) (p tx.Plan, err error) {
	if p.Call, err = f.call(args); err != nil {
		return p, err
	}
	if signer == "" {
		p.Signer, err = a.signer(ctx, false)
	} else if p.Signer, err = tao.ParseAccount(signer); err != nil {
		err = fmt.Errorf("--signer: %w", err)
	}
	return p, err
}

func (a *app) prepareOnline(c *cobra.Command, p tx.Plan, era string) (*tx.Draft, error) {
	a.change.era, a.change.wait = era, "none"
	o, _, err := a.change.parse()
	if err != nil {
		return nil, err
	}
	v, err := a.best(c)
	if err != nil {
		return nil, err
	}
	return tx.Prepare(c.Context(), v, p, o)
}

func (a *app) prepareOffline(f *offlineFlags, p tx.Plan, era string) (*tx.Draft, error) {
	a.change.era, a.change.wait = "immortal", "none" // the era has its own form here
	o, _, err := a.change.parse()
	switch {
	case err != nil:
		return nil, err
	case o.Nonce == nil:
		return nil, usagef("--metadata needs --nonce: there is no node to ask")
	case f.genesis == "":
		return nil, usagef("--metadata needs --genesis: there is no node to ask")
	}
	offline := tx.Offline{Nonce: *o.Nonce, Tip: o.Tip}
	if offline.Genesis, err = parseHash("--genesis", f.genesis); err != nil {
		return nil, err
	}
	if offline.Era, err = tx.ParseEra(era); err != nil {
		return nil, usagef("--era: %w", err)
	}
	rt, err := f.runtime(a)
	if err != nil {
		return nil, err
	}
	return tx.PrepareOffline(rt, p, offline)
}

// signedFile is the result of tx sign, and what tx send takes.
type signedFile struct {
	Extrinsic tao.Hash    `json:"extrinsic"` // its hash
	Signer    tao.Account `json:"signer"`
	Nonce     uint32      `json:"nonce"`
	Call      chain.Call  `json:"call"`
	Bytes     tx.HexBytes `json:"bytes"`
}

func (a *app) txSignCommand() *cobra.Command {
	var offline offlineFlags
	c := &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a draft; no network is needed",
		Long: `Sign the draft in a file ("-" is standard input). The call is decoded with the
metadata in the draft, or with --metadata, which is the safer way: a draft from a
machine that you do not trust can carry metadata that make a call look harmless.
All other parts of the payload are made anew and compared.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	a.agentFlag(c)
	offline.metadataFlag(c)
	c.Flags().BoolVarP(&a.change.yes, "yes", "y", false, "agree beforehand; without it, and without a terminal, nothing is signed")
	c.Flags().StringVar(&a.change.out, "out", "", "write the signed transaction to this file")
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		d, err := a.readDraft(&offline, args[0])
		if err != nil {
			return err
		}
		spending, err := a.checkPolicy(c.Context(), nil, d)
		if err != nil {
			return err
		}
		if err := a.consent(c.Context(), a.summaryOf(c, nil, d), "Sign this?"); err != nil {
			return err
		}
		x, err := a.sign(c.Context(), d, spending)
		if err != nil {
			return err
		}
		signed := signedFile{Extrinsic: x.Hash(), Signer: x.Signer, Nonce: x.Nonce, Call: x.Call, Bytes: x.Bytes}
		if a.change.out != "" {
			text, err := json.MarshalIndent(signed, "", "  ")
			if err != nil {
				return err
			}
			if err := createFile(a.change.out, append(text, '\n')); err != nil {
				return err
			}
		}
		return a.show(signed)
	}
	return c
}

func (a *app) readDraft(f *offlineFlags, path string) (*tx.Draft, error) {
	text, err := a.readFile(path)
	if err != nil {
		return nil, err
	}
	if f.metadata == "" {
		return tx.ReadDraft(text, nil)
	}
	rt, err := f.runtime(a)
	if err != nil {
		return nil, err
	}
	return tx.ReadDraft(text, rt)
}

func (a *app) txSendCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "send FILE|0xHEX",
		Short: "Send a signed transaction",
		Long: `Send what "taoctl tx sign" made: its file ("-" is standard input) or the bytes as
hex. Sending the same transaction twice is harmless: the chain takes it once.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.networkFlags(c)
	a.sendFlags(c)
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		wait, err := parseWait(a.change.wait)
		if err != nil {
			return err
		}
		raw, err := a.extrinsicBytes(args[0])
		if err != nil {
			return err
		}
		v, err := a.best(c)
		if err != nil {
			return err
		}
		x, err := tx.ReadExtrinsic(v.Runtime(), v.Client().Genesis(), raw, v.Number())
		if err != nil {
			return err
		}
		shown := signedFile{Extrinsic: x.Hash(), Signer: x.Signer, Nonce: x.Nonce, Call: x.Call, Bytes: x.Bytes}
		// The very same bytes are harmless twice; the same call signed anew is not.
		if err := a.checkOpen(c.Context(), v, x.Signer, x.CallHash, x.Nonce, x.Hash()); err != nil {
			return err
		}
		if err := a.consent(c.Context(), shown, "Send this?"); err != nil {
			return err
		}
		spending, err := spendingOfSigned(c.Context(), v, x)
		if err != nil {
			return err
		}
		if err := a.spend(c.Context(), x, spending); err != nil {
			return err
		}
		return a.send(c.Context(), v.Client(), x, wait)
	}
	return c
}

// extrinsicBytes takes hex, or a file with hex or with what tx sign wrote.
func (a *app) extrinsicBytes(arg string) ([]byte, error) {
	if strings.HasPrefix(arg, "0x") {
		return hexBytes(arg)
	}
	text, err := a.readFile(arg)
	if err != nil {
		return nil, err
	}
	return signedBytes(arg, text)
}

// signedBytes reads what lies in a file of that name.
func signedBytes(arg string, text []byte) ([]byte, error) {
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("0x")) {
		return hexBytes(string(text))
	}
	var signed struct {
		Bytes tx.HexBytes `json:"bytes"`
	}
	if err := json.Unmarshal(text, &signed); err != nil {
		return nil, fmt.Errorf("read %s: it is neither hex nor a signed transaction: %w", arg, err)
	}
	if len(signed.Bytes) == 0 {
		return nil, fmt.Errorf("read %s: it holds no signed transaction", arg)
	}
	return signed.Bytes, nil
}

func hexBytes(s string) ([]byte, error) {
	var b tx.HexBytes
	if err := b.UnmarshalText([]byte(s)); err != nil {
		return nil, usage(err)
	}
	return b, nil
}

// decoded is the result of tx decode.
type decoded struct {
	Kind       string         `json:"kind"` // extrinsic, payload or call
	Extrinsic  *tao.Hash      `json:"extrinsic,omitempty"`
	Signer     *tao.Account   `json:"signer,omitempty"`
	Scheme     *tao.Scheme    `json:"scheme,omitempty"`
	Signature  tx.HexBytes    `json:"signature,omitempty"`
	Nonce      *uint32        `json:"nonce,omitempty"`
	Tip        *tao.Amount    `json:"tip,omitempty" view:"tip (TAO)"`
	Era        string         `json:"era,omitempty"`
	Extensions []tx.Extension `json:"extensions,omitempty"`
	Call       chain.Call     `json:"call"`
	CallBytes  tx.HexBytes    `json:"call_bytes"`
	CallHash   tao.Hash       `json:"call_hash"`
}

func (a *app) txDecodeCommand() *cobra.Command {
	var offline offlineFlags
	c := &cobra.Command{
		Use:   "decode 0xHEX|FILE",
		Short: "Show what a transaction, a payload or a call says",
		Long: `Decode a signed transaction, the payload of a draft, or a call, by the metadata of
the connected runtime or of a file.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.networkFlags(c)
	offline.metadataFlag(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		raw, err := a.extrinsicBytes(args[0])
		if err != nil {
			return nil, err
		}
		rt, near, err := a.decoder(c, &offline)
		if err != nil {
			return nil, err
		}
		return decode(rt, raw, near)
	})
}

// decoder is the runtime to decode by, and the number of its newest block.
func (a *app) decoder(c *cobra.Command, f *offlineFlags) (*chain.Runtime, uint32, error) {
	if f.metadata != "" {
		rt, err := f.runtime(a)
		return rt, 0, err
	}
	v, err := a.best(c)
	if err != nil {
		return nil, 0, err
	}
	return v.Runtime(), v.Number(), nil
}

// decode tries the three kinds in turn; each takes all bytes or none.
func decode(rt *chain.Runtime, raw []byte, near uint32) (any, error) {
	d, err := tx.Decode(rt, raw, near)
	if err != nil {
		return nil, err
	}
	out := decoded{Kind: string(d.Kind), Extensions: d.Extensions, Call: d.Call, CallBytes: d.CallBytes, CallHash: d.CallHash}
	if d.Kind == tx.KindExtrinsic {
		out.Extrinsic = &d.Hash
	}
	if d.Signed {
		out.Signer, out.Scheme, out.Signature = &d.Signer, &d.Signature.Scheme, d.Signature.Bytes
	}
	if d.Signed || d.Kind == tx.KindPayload {
		out.Nonce, out.Tip, out.Era = &d.Nonce, &d.Tip, eraText(d.Era, near)
	}
	return out, nil
}

func eraText(e tx.Era, near uint32) string {
	last, mortal := e.Last()
	switch {
	case !mortal:
		return "immortal"
	case near == 0:
		return fmt.Sprintf("%d blocks, at phase %d", e.Period, e.Birth%e.Period)
	}
	return fmt.Sprintf("%d blocks, until block %d", e.Period, last)
}
