package chain

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/tao"
)

// Network is a chain that has a name, or an endpoint that a person wrote.
type Network struct {
	Name string
	// Endpoints are tried in this order. All must serve the same chain.
	Endpoints []string
	// Genesis is the hash of block 0, which every endpoint must show; zero
	// where any chain is accepted, because the name stands for no one chain.
	Genesis tao.Hash
}

// The genesis hashes are those that Bittensor's own tool lists for the two
// networks (btcli 9, bittensor_cli/src/__init__.py); wallets of other makers
// carry the same two.
const (
	finneyGenesis = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"
	testGenesis   = "0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105"
)

// Networks lists the networks that have names, in the order to show them. A
// local chain has a genesis of its own at every start, so local pins none.
func Networks() []Network {
	return []Network{
		{"finney", []string{"wss://entrypoint-finney.opentensor.ai:443", "wss://lite.chain.opentensor.ai:443"}, pinned(finneyGenesis)},
		{"test", []string{"wss://test.finney.opentensor.ai:443"}, pinned(testGenesis)},
		{"archive", []string{"wss://archive.chain.opentensor.ai:443"}, pinned(finneyGenesis)},
		{"local", []string{"ws://127.0.0.1:9944"}, tao.Hash{}},
	}
}

// pinned reads a hash of this file; TestNetworks reads them all.
func pinned(s string) tao.Hash {
	h, _ := tao.ParseHash(s)
	return h
}

// NetworkError says that a name or address stands for no node.
type NetworkError struct {
	Name   string
	Reason string
}

func (e *NetworkError) Error() string { return fmt.Sprintf("network %q %s", e.Name, e.Reason) }

// Lookup finds a network by name, or takes a URL (ws, wss, http, https) as it
// is. An unknown name is an error, never a default. Errors are *NetworkError.
func Lookup(name string) (Network, error) {
	if strings.Contains(name, "://") {
		if err := checkEndpoint(name); err != nil {
			return Network{}, err
		}
		return Network{Name: redact(name), Endpoints: []string{name}}, nil
	}
	all := Networks()
	if i := slices.IndexFunc(all, func(n Network) bool { return n.Name == name }); i >= 0 {
		return all[i], nil
	}
	if name == "devnet" {
		return Network{}, &NetworkError{name, "is not in this build yet"}
	}
	return Network{}, &NetworkError{clip(name, 80), "is not known: use finney, test, archive, local, or a URL such as ws://127.0.0.1:9944"}
}

// checkEndpoint refuses what cannot be dialled.
func checkEndpoint(endpoint string) error {
	fail := func(reason string) error { return &NetworkError{redact(endpoint), reason} }
	u, err := url.Parse(endpoint)
	if err != nil {
		return fail("is not a URL")
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return fail("needs one of the schemes ws, wss, http, https")
	}
	if u.Hostname() == "" {
		return fail("names no host")
	}
	if u.Fragment != "" {
		return fail("has a #fragment, which no node reads")
	}
	return nil
}

// redact keeps scheme and host: node providers put keys into user, path and
// query.
func redact(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		scheme, _, _ := strings.Cut(endpoint, "://")
		return clip(scheme, 10) + "://…"
	}
	return u.Scheme + "://" + u.Host
}

// hideEndpoint replaces the endpoint inside an error of a library that quotes
// it whole. The chain of errors is kept for errors.Is and errors.As.
func hideEndpoint(err error, endpoint string) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // url.Error prints the whole URL; what it wraps does not
	}
	if text := err.Error(); strings.Contains(text, endpoint) {
		return &redactedError{strings.ReplaceAll(text, endpoint, redact(endpoint)), err}
	}
	return err
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }
