package main

import (
	"os"
	"time"
)

const stopPoll = 200 * time.Millisecond

// askedToStop returns a channel that is closed when the file is there: the keeper has no other way to end the command.
func askedToStop(path string) <-chan struct{} {
	asked := make(chan struct{})
	if path == "" {
		return asked
	}
	go func() {
		for {
			if _, err := os.Lstat(path); err == nil {
				close(asked)
				return
			}
			time.Sleep(stopPoll)
		}
	}()
	return asked
}
