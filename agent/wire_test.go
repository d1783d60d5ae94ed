package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// examples are the requests that a client sends, as bytes.
func examples(tb testing.TB) [][]byte {
	tb.Helper()
	k, err := keystore.DevKey("//Alice", tao.Sr25519)
	if err != nil {
		tb.Fatal(err)
	}
	var list [][]byte
	for _, e := range []struct {
		q    request
		body []byte
	}{
		{request{Op: opList}, nil},
		{request{Op: opLock}, nil},
		{request{Op: opStop}, nil},
		{request{Op: opSign, Account: k.Account()}, []byte("message")},
		{request{Op: opAdd, Account: k.Account(), Scheme: tao.Sr25519, Seconds: 900}, make([]byte, maxKey)},
		{request{Op: opAdd, Account: k.Account(), Scheme: tao.Ed25519, Seconds: 900}, make([]byte, 32)},
	} {
		var b bytes.Buffer
		if err := writeFrame(&b, e.q, e.body); err != nil {
			tb.Fatal(err)
		}
		list = append(list, b.Bytes())
	}
	return list
}

// What is read is within its limits, and means the same when written again.
func FuzzReadRequest(f *testing.F) {
	for _, e := range examples(f) {
		f.Add(e)
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte{version, 0, 2, 0xff, 0xff, 0xff, 0xff, '{', '}'})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, body, err := readRequest(bytes.NewReader(b))
		if err != nil {
			return
		}
		if most, ok := q.Op.maxBody(); !ok || len(body) > int(most) {
			t.Fatalf("%+v with a body of %d bytes was read", q, len(body))
		}
		var again bytes.Buffer
		if err := writeFrame(&again, q, body); err != nil {
			t.Fatal(err)
		}
		q2, body2, err := readRequest(&again)
		if err != nil || q2 != q || !bytes.Equal(body2, body) {
			t.Fatalf("%+v %x became %+v %x, %v", q, body, q2, body2, err)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	for _, a := range []answer{{}, {Scheme: tao.Sr25519}, refuse("no"), {Refused: refusedNotHeld}, {Keys: []Held{{Left: 3, Until: time.Unix(1, 0).UTC()}}}} {
		var b bytes.Buffer
		if err := writeFrame(&b, a, nil); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, body, err := readAnswer(bytes.NewReader(b)); err == nil && len(body) > maxSignature {
			t.Fatalf("a body of %d bytes was read", len(body))
		}
	})
}

// A frame that ends early, at any byte, is an error.
func TestCutRequests(t *testing.T) {
	for _, e := range examples(t) {
		for n := range len(e) {
			if _, _, err := readRequest(bytes.NewReader(e[:n])); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: %v, want that it ends early", e[:n], err)
			}
		}
	}
}

// holding is an agent that holds a key, and the parts of the key's secret.
func holding(t *testing.T) (s *Server, k *keystore.Key, secrets [][]byte) {
	t.Helper()
	k, err := keystore.FromSeed([]byte("0123456789abcdef0123456789ABCDEF"), tao.Sr25519, "")
	if err != nil {
		t.Fatal(err)
	}
	s = &Server{ring: newRing(time.Now)}
	if err := s.Hold(k, time.Hour); err != nil {
		t.Fatal(err)
	}
	err = k.Reveal(func(secret keystore.Secrets) error {
		secrets = [][]byte{bytes.Clone(secret.Seed), bytes.Clone(secret.Private[:32]), bytes.Clone(secret.Private[32:])}
		return nil
	})
	if err != nil || len(secrets[0]) != 32 {
		t.Fatalf("secrets: %v", err)
	}
	return s, k, secrets
}

// The protocol cannot give a key out: no answer holds one.
func TestNoAnswerHoldsAKey(t *testing.T) {
	s, k, secrets := holding(t)
	for _, o := range []op{opSign, opAdd, opList, opLock, "reveal", ""} {
		a, body := s.do(t.Context(), request{Op: o, Account: k.Account(), Seconds: 1}, nil)
		var b bytes.Buffer
		if err := writeFrame(&b, a, body); err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if bytes.Contains(b.Bytes(), secret) {
				t.Errorf("the answer to %q holds a secret", o)
			}
		}
	}
}

// Nothing that holds a key shows it, however it is printed.
func TestNothingPrintsKeys(t *testing.T) {
	s, k, secrets := holding(t)
	things := []any{s.ring, s.ring.keys, s.ring.keys[k.Account()], s.ring.find(k.Account()), s.ring.list()}
	for _, thing := range things {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			text := fmt.Sprintf(format, thing)
			for _, secret := range secrets {
				for _, spelling := range []string{string(secret), fmt.Sprintf("%x", secret), strings.Trim(fmt.Sprint(secret), "[]")} {
					if strings.Contains(text, spelling) {
						t.Errorf("%s of %T shows a secret", format, thing)
					}
				}
			}
		}
	}
}
