package term

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/taoctl/taoctl/internal/printable"
)

// tick is how often the line of progress is drawn.
const tick = 120 * time.Millisecond

// frames are the states of the spinner.
const frames = `|/-\`

// Progress is a line that shows that work goes on, for what takes seconds:
// deriving a key, waiting for a block. A nil *Progress draws nothing.
type Progress struct {
	w     *os.File
	start time.Time
	stop  chan struct{}
	done  chan struct{}

	mu   sync.Mutex
	text string
}

// StartProgress draws text with a spinner and the seconds that have passed on
// w, which is standard error, until Stop. If w is no terminal it draws nothing
// and returns nil: a log file is no place for a spinner. Nothing else may write
// to w meanwhile.
func StartProgress(w io.Writer, text string) *Progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	p := &Progress{w: f, text: text, start: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	p.draw(0)
	go p.run()
	return p
}

// Set changes the text.
func (p *Progress) Set(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

// Stop erases the line. It must be called once.
func (p *Progress) Stop() {
	if p == nil {
		return
	}
	close(p.stop)
	<-p.done
}

func (p *Progress) run() {
	defer close(p.done)
	t := time.NewTicker(tick)
	defer t.Stop()
	for frame := 1; ; frame++ {
		select {
		case <-t.C:
			p.draw(frame)
		case <-p.stop:
			_, _ = io.WriteString(p.w, eraseLine)
			return
		}
	}
}

func (p *Progress) draw(frame int) {
	p.mu.Lock()
	text := p.text
	p.mu.Unlock()
	width, _, err := term.GetSize(int(p.w.Fd()))
	if err != nil || width <= 0 {
		width = defaultWidth
	}
	line := fmt.Sprintf("%c %s", frames[frame%len(frames)], text)
	if s := time.Since(p.start) / time.Second; s > 0 {
		line += fmt.Sprintf(" %ds", s)
	}
	_, _ = io.WriteString(p.w, eraseLine+clip(printable.Line(line), width-1))
}
