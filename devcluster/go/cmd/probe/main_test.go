package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestExitEndsWithTheCodeAskedFor(t *testing.T) {
	if code, err := run([]string{"exit", "7"}, nil); code != 7 || err != nil {
		t.Fatalf("code %d, error %v", code, err)
	}
}

func TestWhatCannotBeReadEndsWithTwo(t *testing.T) {
	for _, args := range [][]string{nil, {"exit"}, {"exit", "256"}, {"sleep", "long"}, {"spam", "x"}, {"dance"}} {
		if code, err := run(args, nil); code != 2 || err == nil {
			t.Errorf("%v: code %d, error %v", args, code, err)
		}
	}
}

func TestWriteWritesTheText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if code, err := run([]string{"write", path, "text"}, nil); code != 0 || err != nil {
		t.Fatalf("code %d, error %v", code, err)
	}
	if got, _ := os.ReadFile(path); string(got) != "text" {
		t.Fatalf("wrote %q", got)
	}
}

func TestSpamPrintsExactlyTheBytesAskedFor(t *testing.T) {
	for _, count := range []string{"0", "1", "80", "161"} {
		var out bytes.Buffer
		if code, err := run([]string{"spam", count}, &out); code != 0 || err != nil {
			t.Fatalf("code %d, error %v", code, err)
		}
		if got := map[string]int{"0": 0, "1": 1, "80": 80, "161": 161}[count]; out.Len() != got {
			t.Errorf("spam %s printed %d bytes", count, out.Len())
		}
	}
}
