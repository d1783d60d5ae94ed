package tx

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taoctl/taoctl/tao"
)

func testJournal(t *testing.T) *Journal {
	t.Helper()
	return OpenJournal(filepath.Join(t.TempDir(), "deep", "journal.jsonl"), func() time.Time {
		return time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)
	})
}

func testEntry(n byte) Entry {
	return Entry{
		Hash: tao.Hash{n}, Genesis: tao.Hash{9}, Nonce: uint32(n), Era: Era{Period: 64, Birth: 128, BirthHash: tao.Hash{3}},
		SignedAt: 130, Call: "Balances.transfer_all", Bytes: []byte{n, 2, 3},
	}
}

func add(t *testing.T, j *Journal, e Entry) bool {
	t.Helper()
	fresh, err := j.Add(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestJournal(t *testing.T) {
	j := testJournal(t)
	if list, err := j.Entries(); err != nil || len(list) != 0 {
		t.Errorf("before the first line: %v, %v", list, err)
	}
	if !add(t, j, testEntry(1)) || !add(t, j, testEntry(2)) {
		t.Error("a new extrinsic is not fresh")
	}
	done := testEntry(1)
	block := tao.Hash{7}
	done.State, done.Final, done.Block, done.BlockHash = Finalized, true, 140, &block
	if err := j.Update(t.Context(), done); err != nil {
		t.Fatal(err)
	}
	if add(t, j, testEntry(1)) {
		t.Error("an extrinsic that is there is fresh")
	}
	list, err := j.Entries()
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	first := list[0]
	if first.State != Finalized || !first.Final || first.Block != 140 || *first.BlockHash != block || first.Pending() {
		t.Errorf("first is %+v", first)
	}
	if !bytes.Equal(first.Bytes, []byte{1, 2, 3}) || first.Era != testEntry(1).Era || first.Time.Nanosecond() != 678_000_000 {
		t.Errorf("first is %+v", first)
	}
	if second := list[1]; second.State != Signed || !second.Pending() {
		t.Errorf("second is %+v", second)
	}
	info, err := os.Stat(j.Path())
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A crash can cut the last line anywhere. What came before is whole, and the
// next line does not grow out of the rest.
func TestJournalAfterACrash(t *testing.T) {
	j := testJournal(t)
	add(t, j, testEntry(1))
	whole, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	add(t, j, testEntry(2))
	both, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(whole); cut < len(both); cut++ {
		if err := os.WriteFile(j.Path(), both[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := j.Entries(); err != nil || len(list) != 1 {
			t.Fatalf("cut at %d: %d entries, %v", cut, len(list), err)
		}
		add(t, j, testEntry(3))
		list, err := j.Entries()
		if err != nil || len(list) != 2 || list[1].Hash != (tao.Hash{3}) {
			t.Fatalf("cut at %d and appended: %v, %v", cut, list, err)
		}
	}
}

// A line that is whole and wrong is no crash: somebody wrote into the file.
// Reading on could hide an extrinsic that may still happen.
func TestJournalDamaged(t *testing.T) {
	j := testJournal(t)
	add(t, j, testEntry(1))
	good, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"no JSON":           "hello\n" + string(good),
		"an unknown status": string(good) + `{"time":"2026-01-02T03:04:05Z","update":{"extrinsic":"` + tao.Hash{5}.String() + `","state":"failed"}}` + "\n",
		"a bad hash":        strings.Replace(string(good), tao.Hash{1}.String(), "0x12", 1),
	} {
		if err := os.WriteFile(j.Path(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := j.Entries(); err == nil {
			t.Errorf("%s: read as %v", what, list)
		}
		if _, err := j.Add(t.Context(), testEntry(4)); err == nil {
			t.Errorf("%s: written to", what)
		}
	}
}

// Many writers at once lose nothing. Each opens the journal anew, as a process
// of its own does.
func TestJournalManyWriters(t *testing.T) {
	path := testJournal(t).Path()
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() {
			j := OpenJournal(path, time.Now)
			_, errs[i] = j.Add(context.Background(), testEntry(byte(i)))
			if errs[i] == nil {
				e := testEntry(byte(i))
				e.State = Submitted
				errs[i] = j.Update(context.Background(), e)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := OpenJournal(path, time.Now).Entries()
	if err != nil || len(list) != len(errs) {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	for _, e := range list {
		if e.State != Submitted {
			t.Errorf("%d is %s", e.Nonce, e.State)
		}
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","signed":{"extrinsic":"` + tao.Hash{1}.String() + `","era":"immortal"}}` + "\n"))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, whole, err := readJournal(bytes.NewReader(b))
		if err != nil {
			return
		}
		if whole > int64(len(b)) || whole > 0 && b[whole-1] != '\n' {
			t.Errorf("%d of %d bytes are whole", whole, len(b))
		}
		again, _, err := readJournal(bytes.NewReader(b[:whole]))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(entries) {
			t.Errorf("the whole part reads otherwise: %v", err)
		}
	})
}

func FuzzReadDraft(f *testing.F) {
	rt := runtimeWith(f, "testfinney-103-v14", "CheckNonce", "CheckNonce")
	f.Add([]byte(`{"format":"taoctl-draft-1","signer":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY","call":"0x0000","spec_version":103,"tx_version":1,"spec_name":"node-subtensor","era":"immortal"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadDraft(b, rt)
		if err != nil {
			return
		}
		if _, err := d.File(false); err != nil {
			t.Error(err)
		}
	})
}
