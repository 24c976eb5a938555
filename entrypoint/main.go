// Command autopack-entrypoint runs a user's command as the first process of a container in any image.
//
// It copies the command's output to files that outlive the pod, passes signals on, reaps orphans, and records how the
// command ended. It is one static binary with no needs of its own, because it is copied into images that may hold
// neither a shell nor a C library.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// Exit codes of the entrypoint itself; those of shells and of `docker run`.
const (
	codeOwnFailure    = 125
	codeNotExecutable = 126
	codeNotFound      = 127
)

type options struct {
	home      string
	logs      string
	exitFile  string
	stopFile  string
	changes   string
	idleAfter time.Duration
	killAfter time.Duration
	maxLog    int64
	input     input
	relay     *relay
	command   []string
}

func main() {
	opts, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "autopack-entrypoint:", err)
		os.Exit(codeOwnFailure)
	}
	os.Exit(run(opts))
}

func parse(args []string, usage io.Writer) (options, error) {
	opts := options{relay: newRelay()}
	flags := flag.NewFlagSet("autopack-entrypoint", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.Usage = func() {
		fmt.Fprintln(usage, "usage: autopack-entrypoint --logs DIR --exit-file FILE [options] -- COMMAND [ARG...]")
		flags.PrintDefaults()
	}
	flags.StringVar(&opts.home, "home", "", "the command's home, which gets what the image has in its own under names with a dot")
	flags.StringVar(&opts.logs, "logs", "", "directory for stdout.log and stderr.log")
	flags.StringVar(&opts.exitFile, "exit-file", "", "file that says how the command ended, written last")
	flags.StringVar(&opts.stopFile, "stop-file", "", "file that has the command stopped, as by a SIGTERM, once it is there")
	flags.StringVar(&opts.changes, "changes-file", "", "file that gets a new time when files of the command have changed")
	flags.DurationVar(&opts.idleAfter, "idle-after", 0,
		"stop a command that for so long does nothing: no output, no processor time, no changes; 0 never does")
	flags.DurationVar(&opts.killAfter, "kill-after", 30*time.Second,
		"time between a SIGTERM passed on and SIGKILL; 0 waits forever")
	flags.StringVar(&opts.input.stdin, "stdin", "", "file that the command gets as its standard input")
	flags.Var(&opts.input.words, "word-from", "`N=FILE`: word N of COMMAND, which is word 0, is what the file says")
	flags.StringVar(&opts.relay.listen, "relay-listen", "",
		"loopback address, `HOST:PORT`, where the command finds the model gateway; none without it")
	flags.StringVar(&opts.relay.to, "relay-to", "", "`URL` of the model gateway")
	flags.StringVar(&opts.relay.token, "relay-token", "", "file with the token that proves to the gateway which pod this is")
	flags.Int64Var(&opts.maxLog, "max-log-bytes", 1<<30, "bytes kept of each log; the container's own log gets all")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	opts.command = flags.Args()
	switch {
	case opts.logs == "":
		return opts, errors.New("--logs is missing: name a directory")
	case opts.exitFile == "":
		return opts, errors.New("--exit-file is missing: name a file")
	case len(opts.command) == 0 || opts.command[0] == "":
		return opts, errors.New("no command: put it after --")
	}
	return opts, opts.relay.check()
}

// run returns the exit code for the container: the command's own wherever there is one.
func run(opts options) int {
	outcome := Outcome{StartedAt: time.Now()}
	streams, err := openStreams(opts.logs, opts.maxLog)
	if err != nil {
		fmt.Fprintln(os.Stderr, "autopack-entrypoint:", err)
		outcome.ExitCode = codeOwnFailure
	} else {
		outcome.Ending = execute(opts, streams)
	}
	outcome.FinishedAt = time.Now()
	if err := outcome.write(opts.exitFile); err != nil {
		fmt.Fprintln(os.Stderr, "autopack-entrypoint: cannot record the exit code:", err)
		if outcome.ExitCode == 0 {
			return codeOwnFailure
		}
	}
	return outcome.ExitCode
}

// execute runs the command to its end. When it returns, nothing the command started writes any more: what is hashed
// after this must not change.
func execute(opts options, streams *streams) Ending {
	if opts.home != "" {
		if err := settle(opts.home); err != nil {
			fmt.Fprintln(os.Stderr, "autopack-entrypoint:", err)
		}
	}
	child, err := opts.start(streams)
	if err != nil {
		// Into the command's own log: nothing else of this container outlives the pod.
		fmt.Fprintln(streams.stderr.writer, "autopack-entrypoint:", err)
	}
	streams.closeWriters()
	if err != nil {
		streams.drain(time.Second)
		return Ending{ExitCode: startFailureCode(err)}
	}
	look := func() signs {
		return signs{
			output: streams.written.Load(), ticks: usedTicks(), changed: changedAt(opts.changes),
			asked: opts.relay.asked.Load(), open: opts.relay.open.Load(),
		}
	}
	ending := child.supervise(opts.killAfter, askedToStop(opts.stopFile), fallenIdle(opts.idleAfter, look))
	child.killRest()
	streams.drain(2 * time.Second)
	return ending
}

// start starts the relay, and then the command that uses it.
func (o options) start(streams *streams) (*child, error) {
	if err := o.relay.start(); err != nil {
		return nil, inputError{err}
	}
	return start(o.command, o.input, streams)
}
