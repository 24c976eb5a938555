package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	idleLooks    = 20
	idleBusy     = 0.02
	ticksASecond = 100 // USER_HZ, the same on every Linux
)

// signs are what a command that does something shows; each of them only grows, but for the requests that are open.
type signs struct {
	output  int64
	ticks   int64
	changed time.Time
	asked   int64
	open    int64
}

// fallenIdle returns a channel that is closed when, for as long as limit, the command has printed nothing, has used less
// than a fiftieth of a core, the keeper has seen no file of its change, and it waits for no model.
func fallenIdle(limit time.Duration, look func() signs) <-chan struct{} {
	idle := make(chan struct{})
	if limit <= 0 {
		return idle
	}
	go func() {
		last, active := look(), time.Now()
		for time.Since(active) < limit {
			time.Sleep(limit / idleLooks)
			now := look()
			if isBusy(last, now, limit/idleLooks) {
				active = time.Now()
			}
			last = now
		}
		close(idle)
	}()
	return idle
}

// isBusy compares what was seen before and after some time. Where ticks have become fewer, a process has ended.
func isBusy(before, after signs, between time.Duration) bool {
	used := after.ticks - before.ticks
	busy := float64(used) > idleBusy*ticksASecond*between.Seconds()
	busy = busy || after.open > 0 || after.asked != before.asked
	return busy || used < 0 || after.output != before.output || !after.changed.Equal(before.changed)
}

// usedTicks returns the processor time of all processes that have come from us, the ended ones that were waited for included.
func usedTicks() int64 {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	found := map[int]process{}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if data, err := os.ReadFile("/proc/" + entry.Name() + "/stat"); err == nil {
				found[pid] = parseProcess(data)
			}
		}
	}
	own := os.Getpid()
	total := found[own].ofChildren
	for pid := range found {
		if pid != own && comesFrom(own, pid, found) {
			total += found[pid].used + found[pid].ofChildren
		}
	}
	return total
}

// process is what is of interest in a line as proc_pid_stat(5) tells: times in ticks.
type process struct {
	parent           int
	used, ofChildren int64
}

// parseProcess counts fields from the end of the name, which may hold anything.
func parseProcess(stat []byte) process {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 15 {
		return process{}
	}
	var values [15]int64
	for i, field := range fields[:15] {
		values[i], _ = strconv.ParseInt(field, 10, 64)
	}
	return process{parent: int(values[1]), used: values[11] + values[12], ofChildren: values[13] + values[14]}
}

func comesFrom(ancestor, pid int, found map[int]process) bool {
	for depth := 0; depth < len(found) && pid > 1; depth++ {
		if pid = found[pid].parent; pid == ancestor {
			return true
		}
	}
	return false
}

// changedAt returns when the keeper last saw a file change; the zero time while it has not.
func changedAt(path string) time.Time {
	info, err := os.Lstat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
