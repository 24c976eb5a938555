package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// Outcome is the content of the exit file.
type Outcome struct {
	Ending
	StartedAt, FinishedAt time.Time
}

func (o Outcome) encode() ([]byte, error) {
	var signal *int
	if o.Signal != 0 {
		signal = &o.Signal
	}
	return json.Marshal(struct {
		ExitCode   int    `json:"exitCode"`
		Signal     *int   `json:"signal"`
		StopReason string `json:"stopReason,omitempty"`
		StartedAt  string `json:"startedAt"`
		FinishedAt string `json:"finishedAt"`
	}{o.ExitCode, signal, o.StopReason, timestamp(o.StartedAt), timestamp(o.FinishedAt)})
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// write makes the file appear whole or not at all, also across a crash of the node.
func (o Outcome) write(path string) (err error) {
	data, err := o.encode()
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, ".exit-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	if _, err = file.Write(append(data, '\n')); err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
