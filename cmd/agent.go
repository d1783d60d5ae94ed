package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/agent"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// signer signs, and forgets what it signs with: a key, or the agent's.
type signer interface {
	tx.Signer
	Wipe()
}

const (
	envRuntimeDir = "XDG_RUNTIME_DIR"

	// keyTime is how long the agent holds a key if nothing else is said.
	keyTime = 15 * time.Minute
)

func (a *app) agentCommand() *cobra.Command {
	return group("agent", "Hold unlocked keys for a while, so that commands need no password",
		a.agentStartCommand(), a.agentAddCommand(), a.agentStatusCommand(), a.agentLockCommand(), a.agentStopCommand())
}

// agentFlag is for commands that sign.
func (a *app) agentFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.settings.noAgent, "no-agent", false, "do not ask a running unlock agent for the key")
}

// agentPath is the agent's socket. A folder that was named outranks that of the
// session, so that two set-ups on one machine stay apart.
func (a *app) agentPath() (string, error) {
	session := a.env.Getenv(envRuntimeDir)
	if a.env.Getenv(envHome) == "" && filepath.IsAbs(session) {
		return filepath.Join(session, "taoctl", "agent.sock"), nil
	}
	home, err := a.settings.home()
	return filepath.Join(home, "agent.sock"), err
}

func (a *app) agentClient() (*agent.Client, string, error) {
	path, err := a.agentPath()
	return agent.NewClient(path), path, err
}

// agentSigner is the agent's key of an account, or nil: no agent runs, or it
// does not hold this one. An agent that answers, and wrongly, is an error.
func (a *app) agentSigner(ctx context.Context, account tao.Account) (signer, error) {
	if path, err := a.agentPath(); err == nil && !a.settings.noAgent {
		return signerOf(ctx, agent.NewClient(path), account)
	}
	return nil, nil // without a home there is no agent either
}

func signerOf(ctx context.Context, client *agent.Client, account tao.Account) (signer, error) {
	s, err := client.Signer(ctx, account)
	switch {
	case err == nil:
		return s, nil
	case is[*agent.NotRunningError](err), is[*agent.NotHeldError](err):
		return nil, nil
	}
	return nil, err
}

// agentStatus is what the agent holds.
type agentStatus struct {
	Running bool         `json:"running"`
	Socket  string       `json:"socket"`
	Keys    []agent.Held `json:"keys,omitempty"`
}

// agentFlags say which keys are held, and how long.
type agentFlags struct {
	time       time.Duration
	background bool
}

func (f *agentFlags) add(a *app, c *cobra.Command) {
	a.walletFlags(c)
	a.passwordFlags(c)
	c.Flags().DurationVar(&f.time, "for", keyTime, "how long the keys are held, such as 90s or 8h; using them does not lengthen it")
}

func (f *agentFlags) check() error {
	if f.time < time.Second || f.time > agent.MaxTime {
		return usagef("--for %v is not between a second and %v", f.time, agent.MaxTime)
	}
	return nil
}

func (a *app) agentStartCommand() *cobra.Command {
	var f agentFlags
	c := &cobra.Command{
		Use:   "start [NAME[/HOTKEY]]...",
		Short: "Start the agent, with the keys named",
		Long: `Open the keys named, and hold them for a while on a socket that only you can reach.
Commands that sign use them without a password. The agent signs and never gives
a key out; when it ends, however it ends, the keys are gone.

It stays in the foreground until Ctrl-C, "taoctl agent stop" or the end of the
session; --background returns as soon as it is ready.`,
		Example: "  taoctl agent start alice --for 8h --background\n  taoctl agent start alice alice/default",
	}
	f.add(a, c)
	c.Flags().BoolVar(&f.background, "background", false, "leave the agent running and return")
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := f.check(); err != nil {
			return err
		}
		if err := a.noAgentYet(c.Context()); err != nil {
			return err
		}
		if f.background {
			return a.startBehind(c, args, f.time)
		}
		return a.startHere(c, args, f.time)
	}
	return c
}

// noAgentYet finds out before anybody types a password.
func (a *app) noAgentYet(ctx context.Context) error {
	if !agent.Supported() {
		return agent.ErrUnsupported
	}
	client, path, err := a.agentClient()
	if err != nil {
		return err
	}
	_, err = client.Keys(ctx)
	switch {
	case err == nil:
		return &agent.RunningError{Path: path}
	case is[*agent.NotRunningError](err):
		return nil
	}
	return err
}

// startHere is the agent: it serves until it is told to end.
func (a *app) startHere(c *cobra.Command, names []string, d time.Duration) error {
	keys, err := a.openKeys(c.Context(), names)
	defer wipeAll(keys)
	if err != nil {
		return err
	}
	path, err := a.agentPath()
	if err != nil {
		return err
	}
	server, err := agent.Listen(path, a.env.Now)
	if err != nil {
		return err
	}
	defer server.Close()
	for _, k := range keys {
		if err := server.Hold(k, d); err != nil {
			return err
		}
	}
	if err := a.show(agentStatus{Running: true, Socket: path, Keys: server.Keys()}); err != nil {
		return err
	}
	return server.Serve(c.Context())
}

// startBehind starts this program once more as the agent, and gives it the
// keys. The agent knows no password, and has none in its environment.
func (a *app) startBehind(c *cobra.Command, names []string, d time.Duration) error {
	keys, err := a.openKeys(c.Context(), names)
	defer wipeAll(keys)
	if err != nil {
		return err
	}
	if err := startDetached(c.Context()); err != nil {
		return err
	}
	client, path, err := a.agentClient()
	if err != nil {
		return err
	}
	held, err := handTo(c.Context(), client, keys, d)
	if err != nil {
		// An agent with some of the keys is not what was asked for.
		_, stopping := client.Stop(context.WithoutCancel(c.Context()))
		return errors.Join(err, stopping)
	}
	return a.show(agentStatus{Running: true, Socket: path, Keys: held})
}

// handTo gives an agent keys for a time, and tells what it then holds.
func handTo(ctx context.Context, client *agent.Client, keys []*keystore.Key, d time.Duration) ([]agent.Held, error) {
	for _, k := range keys {
		if err := client.Add(ctx, k, d); err != nil {
			return nil, err
		}
	}
	return client.Keys(ctx)
}

// startDetached starts an agent without keys in a session of its own, and waits
// until it says that it is ready.
func startDetached(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("starting the agent: %w", err)
	}
	var complaint bytes.Buffer
	outlives := context.WithoutCancel(ctx)
	child := exec.CommandContext(outlives, program, "agent", "start", "--json")
	child.Env = withoutSecrets(os.Environ())
	child.Stderr = &complaint
	child.SysProcAttr = ownSession()
	out, err := child.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting the agent: %w", err)
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("starting the agent: %w", err)
	}
	var ready agentStatus
	if json.NewDecoder(out).Decode(&ready) == nil && ready.Running {
		return child.Process.Release()
	}
	_ = child.Process.Kill() // it may have ended already
	_ = child.Wait()
	var f failure
	if err := json.Unmarshal(complaint.Bytes(), &f); err != nil || f.Error.Message == "" {
		return fmt.Errorf("starting the agent: it did not become ready (%s)", child.ProcessState)
	}
	return &startError{f.Error.Message, f.Error.Hint}
}

// startError is what an agent in the background said before it ended.
type startError struct{ message, hint string }

func (e *startError) Error() string { return "starting the agent: " + e.message }

func wipeAll(keys []*keystore.Key) {
	for _, k := range keys {
		k.Wipe()
	}
}

// openKeys opens keys by their names. Files under one password cost one
// derivation together. The caller wipes what it gets, also beside an error.
func (a *app) openKeys(ctx context.Context, names []string) (keys []*keystore.Key, err error) {
	path := ""
	unlocker := keystore.NewUnlocker(func(what string) ([]byte, error) {
		return a.passphrase(ctx, path)(what)
	}).OnWork(a.openingKey)
	defer unlocker.Wipe()
	for _, name := range names {
		ref, store, err := a.refAndStore(name)
		if err != nil {
			return keys, err
		}
		path = store.Path(ref)
		key, err := store.Unlock(ctx, ref, unlocker)
		if err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (a *app) agentAddCommand() *cobra.Command {
	var f agentFlags
	c := &cobra.Command{
		Use:     "add NAME[/HOTKEY]...",
		Short:   "Have the running agent hold more keys",
		Long:    "Open the keys named, and have the running agent hold them. A key that it holds\nalready gets the new time.",
		Example: "  taoctl agent add alice --for 1h",
		Args:    arguments(cobra.MinimumNArgs(1)),
	}
	f.add(a, c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		if err := f.check(); err != nil {
			return nil, err
		}
		client, path, err := a.agentClient()
		if err != nil {
			return nil, err
		}
		if _, err := client.Keys(c.Context()); err != nil {
			return nil, err // before anybody types a password
		}
		keys, err := a.openKeys(c.Context(), args)
		defer wipeAll(keys)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if err := client.Add(c.Context(), k, f.time); err != nil {
				return nil, err
			}
		}
		held, err := client.Keys(c.Context())
		return agentStatus{Running: true, Socket: path, Keys: held}, err
	})
}

func (a *app) agentStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show the keys that the agent holds",
		Long:  "Show the keys that the running agent holds, and for how long. The exit code is 4 if\nno agent is running.",
		Args:  arguments(cobra.NoArgs),
	}
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		client, path, err := a.agentClient()
		if err != nil {
			return nil, err
		}
		held, err := client.Keys(c.Context())
		if is[*agent.NotRunningError](err) {
			return agentStatus{Socket: path}, verdict{err}
		}
		return agentStatus{Running: true, Socket: path, Keys: held}, err
	})
}

// agentForgot is the result of lock and stop.
type agentForgot struct {
	Running bool          `json:"running"`
	Forgot  []tao.Account `json:"forgot"`
}

func (a *app) agentLockCommand() *cobra.Command {
	return a.forgetCommand("lock", "Have the agent forget all keys", true, (*agent.Client).Lock)
}

func (a *app) agentStopCommand() *cobra.Command {
	return a.forgetCommand("stop", "End the agent; its keys are forgotten", false, (*agent.Client).Stop)
}

func (a *app) forgetCommand(use, short string, goesOn bool, forget func(*agent.Client, context.Context) ([]agent.Held, error)) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Long: short + ".", Args: arguments(cobra.NoArgs)}
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		client, _, err := a.agentClient()
		if err != nil {
			return nil, err
		}
		held, err := forget(client, c.Context())
		done := agentForgot{Running: goesOn, Forgot: []tao.Account{}}
		for _, k := range held {
			done.Forgot = append(done.Forgot, k.Account)
		}
		return done, err
	})
}

// hintAgent is advice about the agent and the system's keyring.
func hintAgent(err error) string {
	var folder *agent.FolderError
	var start *startError
	switch {
	case errors.As(err, &start):
		return start.hint
	case is[*agent.NotRunningError](err):
		return "start one with \"taoctl agent start\""
	case is[*agent.RunningError](err):
		return "give it more keys with \"taoctl agent add\", or end it with \"taoctl agent stop\""
	case is[*agent.NotHeldError](err):
		return "give it the key with \"taoctl agent add\""
	case is[*agent.AnswerError](err):
		return "go without it by --no-agent, and see who has the socket"
	case errors.As(err, &folder) && folder.Fix != "":
		return "run " + folder.Fix
	case is[*keyringError](err):
		return "use --password-file or --password-command instead"
	}
	return ""
}
