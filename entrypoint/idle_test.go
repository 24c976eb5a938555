package main

import (
	"strings"
	"testing"
	"time"
)

func TestWhatACommandDoesIsSeen(t *testing.T) {
	quiet := signs{output: 5, ticks: 100, changed: time.Unix(1, 0)}
	for name, after := range map[string]signs{
		"output":       {output: 6, ticks: 100, changed: time.Unix(1, 0)},
		"work":         {output: 5, ticks: 103, changed: time.Unix(1, 0)},
		"less of it":   {output: 5, ticks: 90, changed: time.Unix(1, 0)},
		"a file":       {output: 5, ticks: 100, changed: time.Unix(2, 0)},
		"a question":   {output: 5, ticks: 100, changed: time.Unix(1, 0), asked: 1},
		"a wait":       {output: 5, ticks: 100, changed: time.Unix(1, 0), open: 1},
		"nothing":      quiet,
		"a heart beat": {output: 5, ticks: 102, changed: time.Unix(1, 0)},
	} {
		want := name != "nothing" && name != "a heart beat"
		if got := isBusy(quiet, after, time.Second); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTimesAreReadWhateverAProcessIsCalled(t *testing.T) {
	line := []byte("12 (a) 7 (b c) S 1 12 12 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0")
	if got := parseProcess(line); got != (process{parent: 1, used: 120, ofChildren: 7}) {
		t.Error(got)
	}
	if got := parseProcess([]byte("12 (gone")); got != (process{}) {
		t.Error(got)
	}
}

func TestOnlyWhatComesFromUsCounts(t *testing.T) {
	found := map[int]process{1: {}, 5: {parent: 1}, 6: {parent: 5}, 7: {parent: 6}, 8: {parent: 1}, 9: {parent: 9}}
	for pid, want := range map[int]bool{6: true, 7: true, 8: false, 9: false, 1: false} {
		if got := comesFrom(5, pid, found); got != want {
			t.Errorf("%d: %v", pid, got)
		}
	}
	if !comesFrom(1, 7, found) {
		t.Error("the first process has all")
	}
}

func TestACommandThatDoesNothingIsStopped(t *testing.T) {
	b := newBench(t, "--idle-after", "600ms", "--", "sh", "-c", "echo ready; sleep 60")
	if code := b.run(); code != 143 {
		t.Fatalf("exit code %d", code)
	}
	if !strings.Contains(b.read("exit.json"), `"stopReason":"Idle"`) {
		t.Error(b.read("exit.json"))
	}
}

func TestACommandThatPrintsIsNotIdle(t *testing.T) {
	b := newBench(t, "--idle-after", "600ms", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done")
	if code := b.run(); code != 0 || strings.Contains(b.read("exit.json"), "stopReason") {
		t.Fatalf("exit code %d, %s", code, b.read("exit.json"))
	}
}

func TestACommandThatComputesIsNotIdle(t *testing.T) {
	b := newBench(t, "--idle-after", "600ms", "--", "sh", "-c", "timeout 1.5 sh -c 'while :; do :; done'; exit 0")
	if code := b.run(); code != 0 || strings.Contains(b.read("exit.json"), "stopReason") {
		t.Fatalf("exit code %d, %s", code, b.read("exit.json"))
	}
}
