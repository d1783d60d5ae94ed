package atomicfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first", "second, longer", ""} {
		if err := Write(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != text {
			t.Errorf("content %q, want %q", got, text)
		}
	}
	onlyFile(t, path)
}

func TestModeIsExact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, mode := range []fs.FileMode{0o600, 0o644, 0o400} {
		if err := Write(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode {
			t.Errorf("mode %o, want %o", got, mode)
		}
	}
}

func TestWriteReplacesLinkNotTarget(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := Write(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, target); got != "untouched" {
		t.Errorf("the target of the link was written: %q", got)
	}
	if got := read(t, link); got != "new" {
		t.Errorf("link holds %q", got)
	}
}

func TestCreateRefusesAnyExistingName(t *testing.T) {
	dir := t.TempDir()
	file, folder, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "folder"), filepath.Join(dir, "dangling")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o600), os.Mkdir(folder, 0o700), os.Symlink("nowhere", dangling)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, folder, dangling} {
		if err := Create(path, []byte("new"), 0o600); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Create(%s) = %v, want fs.ErrExist", filepath.Base(path), err)
		}
	}
	if got := read(t, file); got != "old" {
		t.Errorf("file was replaced by %q", got)
	}
}

// TestCreateAgainstALateRival plants the file between Create's own look and its
// rename: the rename itself has to refuse.
func TestCreateAgainstALateRival(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	w := Writer{At: func(s Step) error {
		if s == Rename {
			return os.WriteFile(path, []byte("rival"), 0o600)
		}
		return nil
	}}
	if err := w.Create(path, []byte("mine"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create = %v, want fs.ErrExist", err)
	}
	if got := read(t, path); got != "rival" {
		t.Errorf("the rival's file holds %q", got)
	}
	onlyFile(t, path)
}

func TestCreateHasOneWinner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var wg sync.WaitGroup
	won := make(chan int, 8)
	for i := range 8 {
		wg.Go(func() {
			err := Create(path, []byte(strconv.Itoa(i)), 0o600)
			switch {
			case err == nil:
				won <- i
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(won)
	if len(won) != 1 {
		t.Fatalf("%d winners", len(won))
	}
	if got := read(t, path); got != strconv.Itoa(<-won) {
		t.Errorf("file holds %q, not the winner's data", got)
	}
	onlyFile(t, path)
}

// TestFaults fails every step in turn: before the rename the old file stands,
// after it the new one, and no temporary file is left.
func TestFaults(t *testing.T) {
	disk := errors.New("no space left on device")
	for _, step := range Steps() {
		t.Run(step.String(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := Write(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := Writer{At: func(s Step) error {
				if s == step {
					return disk
				}
				return nil
			}}.Write(path, []byte("new"), 0o600)
			if !errors.Is(err, disk) {
				t.Errorf("error %v does not wrap the cause", err)
			}
			want := "old"
			if step > Rename {
				want = "new"
			}
			if got := read(t, path); got != want {
				t.Errorf("file holds %q, want %q", got, want)
			}
			onlyFile(t, path)
		})
	}
}

func TestErrorsOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "absent", "file"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "folder"), nil, 0o600); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if err := SyncDir(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("SyncDir of an absent folder: %v", err)
	}
}

const (
	crashPath = "ATOMICFILE_TEST_PATH"
	crashStep = "ATOMICFILE_TEST_STEP"
	crashMake = "ATOMICFILE_TEST_CREATE"
)

// TestMain turns this binary into the writer that TestCrash kills.
func TestMain(m *testing.M) {
	path := os.Getenv(crashPath)
	if path == "" {
		os.Exit(m.Run())
	}
	step, err := strconv.Atoi(os.Getenv(crashStep))
	if err != nil {
		os.Exit(3)
	}
	w := Writer{At: func(s Step) error {
		if s != Step(step) {
			return nil
		}
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			return err
		}
		select {} // the signal is on its way
	}}
	write := w.Write
	if os.Getenv(crashMake) != "" {
		write = w.Create
	}
	_ = write(path, bytes.Repeat([]byte("new"), 10_000), 0o600)
	os.Exit(4) // reached only if the kill did not happen
}

// TestCrash kills a writing process at every step and looks at the file after.
func TestCrash(t *testing.T) {
	newText := string(bytes.Repeat([]byte("new"), 10_000))
	for _, step := range Steps() {
		t.Run(step.String(), func(t *testing.T) {
			dir := t.TempDir()
			replaced, created := filepath.Join(dir, "replaced"), filepath.Join(dir, "created")
			if err := os.WriteFile(replaced, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			crash(t, step, replaced, "")
			crash(t, step, created, "1")

			want := "old"
			if step > Rename {
				want = newText
			}
			if got := read(t, replaced); got != want {
				t.Errorf("replaced file has %d bytes, want %d", len(got), len(want))
			}
			got, err := os.ReadFile(created)
			switch {
			case step <= Rename && !errors.Is(err, fs.ErrNotExist):
				t.Errorf("a file was created before its time: %d bytes, %v", len(got), err)
			case step > Rename && string(got) != newText:
				t.Errorf("created file has %d bytes, %v", len(got), err)
			}
			leftoversAreTemp(t, dir)
		})
	}
}

func crash(t *testing.T, step Step, path, create string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashPath+"="+path, crashStep+"="+strconv.Itoa(int(step)), crashMake+"="+create)
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() == 4 {
		t.Fatalf("the writer was not killed: %v", err)
	}
}

func leftoversAreTemp(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "replaced" && e.Name() != "created" && !IsTemp(e.Name()) {
			t.Errorf("left behind: %s, which IsTemp does not know", e.Name())
		}
	}
}

func TestIsTemp(t *testing.T) {
	for name, want := range map[string]bool{
		".coldkey.0123456789ab.tmp": true,
		"coldkey.0123456789ab.tmp":  false,
		".coldkey.0123456789xy.tmp": false,
		".coldkey.tmp":              false,
		".tmp":                      false,
		"coldkey":                   false,
		"":                          false,
	} {
		if got := IsTemp(name); got != want {
			t.Errorf("IsTemp(%q) = %v", name, got)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// onlyFile fails if anything but the file itself stands in its folder.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}
