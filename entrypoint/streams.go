package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// stream copies what the command writes to one of its outputs into a log file and into our own output.
type stream struct {
	reader, writer *os.File
	log, own       io.Writer
	written        *atomic.Int64
}

// streams count the bytes that the command has written.
type streams struct {
	stdout, stderr stream
	copying        sync.WaitGroup
	written        atomic.Int64
}

func openStreams(logs string, maxLog int64) (*streams, error) {
	var s streams
	for _, part := range []struct {
		stream *stream
		name   string
		own    *os.File
	}{{&s.stdout, "stdout.log", os.Stdout}, {&s.stderr, "stderr.log", os.Stderr}} {
		path := filepath.Join(logs, part.name)
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW, 0o664)
		if err != nil {
			return nil, fmt.Errorf("cannot open a log: %w", err)
		}
		reader, writer, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("cannot make a pipe: %w", err)
		}
		*part.stream = stream{reader: reader, writer: writer, own: part.own,
			log: &bounded{file: file, left: maxLog, limit: maxLog}, written: &s.written}
	}
	s.copying.Add(2)
	go s.stdout.copy(&s.copying)
	go s.stderr.copy(&s.copying)
	return &s, nil
}

// copy goes on when one of the two targets fails: the command must never block on a full disk or a lost reader.
func (s *stream) copy(done *sync.WaitGroup) {
	defer done.Done()
	targets := []io.Writer{s.log, s.own}
	buffer := make([]byte, 64<<10)
	for {
		n, err := s.reader.Read(buffer)
		s.written.Add(int64(n))
		for i, target := range targets {
			if n == 0 || target == nil {
				continue
			}
			if _, failure := target.Write(buffer[:n]); failure != nil {
				targets[i] = nil
				fmt.Fprintln(os.Stderr, "autopack-entrypoint: output is no longer copied:", failure)
			}
		}
		if err != nil {
			return
		}
	}
}

// closeWriters closes our copies of the command's ends, so that the readers see the end of its output.
func (s *streams) closeWriters() {
	s.stdout.writer.Close()
	s.stderr.writer.Close()
}

// drain waits until all output is copied. A process that escaped may hold a pipe open forever, hence the limit; closing
// the readers then makes sure that the logs do not grow any more.
func (s *streams) drain(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		s.copying.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-time.After(limit):
	}
	s.stdout.reader.Close()
	s.stderr.reader.Close()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// bounded keeps the first bytes of a log and says where it stopped.
type bounded struct {
	file        *os.File
	left, limit int64
}

func (b *bounded) Write(data []byte) (int, error) {
	if b.left <= 0 {
		return len(data), nil
	}
	if int64(len(data)) <= b.left {
		b.left -= int64(len(data))
		return b.file.Write(data)
	}
	_, err := b.file.Write(data[:b.left])
	b.left = 0
	fmt.Fprintf(b.file, "\n[autopack: the log ends here, at its limit of %d bytes]\n", b.limit)
	return len(data), err
}
