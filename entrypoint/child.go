package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// Ending is how the command ended. Signal is 0 when none ended it, StopReason empty unless we had it stopped.
type Ending struct {
	ExitCode   int
	Signal     int
	StopReason string
}

// idle is the reason as the volume service knows it.
const idle = "Idle"

type child struct {
	pid     int
	signals chan os.Signal
}

// forwarded are the signals that people and kubelets send to a container's first process.
var forwarded = []os.Signal{
	syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
	syscall.SIGCONT,
}

// start runs the command in a process group of its own, so that a signal reaches all of it.
func start(command []string, input input, streams *streams) (*child, error) {
	command, err := input.words.fill(command)
	if err != nil {
		return nil, inputError{err}
	}
	stdin, err := input.open()
	if err != nil {
		return nil, inputError{err}
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return nil, err
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, forwarded...)
	// A reader of our own output may go away: that must end neither the copying to the files nor the command.
	// Notify, not Ignore: an ignored signal would be inherited by the command.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	pid, err := syscall.ForkExec(path, command, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{stdin.Fd(), streams.stdout.writer.Fd(), streams.stderr.writer.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return nil, &fs.PathError{Op: "exec", Path: path, Err: err}
	}
	return &child{pid: pid, signals: signals}, nil
}

// inputError says that it is not the command that is at fault.
type inputError struct{ error }

func startFailureCode(err error) int {
	if errors.As(err, &inputError{}) {
		return codeOwnFailure
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return codeNotFound
	}
	return codeNotExecutable
}

// supervise passes signals on until the command ends; being asked to stop is as good as a SIGTERM, and so is falling idle.
// A command that outlives killAfter after that is killed: the pod's grace period must leave time to save its work.
func (c *child) supervise(killAfter time.Duration, stop, fallenIdle <-chan struct{}) Ending {
	ended := make(chan Ending, 1)
	go func() { ended <- c.reapUntilEnd() }()
	var deadline <-chan time.Time
	var reason string
	pass := func(sig syscall.Signal) {
		_ = syscall.Kill(-c.pid, sig)
		if sig == syscall.SIGTERM && killAfter > 0 && deadline == nil {
			deadline = time.After(killAfter)
		}
	}
	for {
		select {
		case ending := <-ended:
			ending.StopReason = reason
			return ending
		case sig := <-c.signals:
			pass(sig.(syscall.Signal))
		case <-stop:
			fmt.Fprintln(os.Stderr, "autopack-entrypoint: the command is asked to stop")
			stop, fallenIdle = nil, nil
			pass(syscall.SIGTERM)
		case <-fallenIdle:
			fmt.Fprintln(os.Stderr, "autopack-entrypoint: the command does nothing any more, and is asked to stop")
			fallenIdle, reason = nil, idle
			pass(syscall.SIGTERM)
		case <-deadline:
			fmt.Fprintf(os.Stderr, "autopack-entrypoint: still running %v after SIGTERM, killing it\n", killAfter)
			_ = syscall.Kill(-c.pid, syscall.SIGKILL)
		}
	}
}

// reapUntilEnd reaps every process that ends, as the first process of a container has to, until the command itself does.
func (c *child) reapUntilEnd() Ending {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return Ending{ExitCode: codeOwnFailure}
		case pid == c.pid && status.Signaled():
			return Ending{ExitCode: 128 + int(status.Signal()), Signal: int(status.Signal())}
		case pid == c.pid && status.Exited():
			return Ending{ExitCode: status.ExitStatus()}
		}
	}
}

// killRest ends what the command left behind, as the kernel would when a container's first process exits.
func (c *child) killRest() {
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	if os.Getpid() != 1 {
		return
	}
	_ = syscall.Kill(-1, syscall.SIGKILL)
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}
