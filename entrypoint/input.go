package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// maxWord is below the 128 KiB that Linux takes as one word of a command line, with the NUL that ends it.
const maxWord = 120 << 10

// input is what the command gets from files: its standard input, and words of its command line.
type input struct {
	stdin string
	words wordFiles
}

// wordFiles says which word of the command is replaced by the content of which file. The command itself is word 0.
type wordFiles map[int]string

func (w *wordFiles) String() string { return "" }

// Set takes one `N=FILE`.
func (w *wordFiles) Set(text string) error {
	number, path, found := strings.Cut(text, "=")
	place, err := strconv.Atoi(number)
	if !found || err != nil || place < 1 || path == "" {
		return fmt.Errorf("%q is not N=FILE: count the words of the command from 0", text)
	}
	if *w == nil {
		*w = wordFiles{}
	}
	(*w)[place] = path
	return nil
}

// fill returns the command with those words replaced.
func (w wordFiles) fill(command []string) ([]string, error) {
	filled := append([]string(nil), command...)
	for place, path := range w {
		if place >= len(filled) {
			return nil, fmt.Errorf("the command has no word %d", place)
		}
		word, err := readWord(path)
		if err != nil {
			return nil, err
		}
		filled[place] = word
	}
	return filled, nil
}

func readWord(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the prompt: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxWord+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read the prompt: %w", err)
	case len(data) > maxWord:
		return "", fmt.Errorf("the prompt has more than %d bytes, which is the most for an agent that takes it as an "+
			"argument: shorten it, or name an agent that reads a file or its standard input", maxWord)
	case bytes.IndexByte(data, 0) >= 0:
		return "", fmt.Errorf("the prompt has a NUL character, which no argument can have: remove it")
	}
	return string(data), nil
}

// open returns the command's standard input: the file, or what the entrypoint itself has.
func (i input) open() (*os.File, error) {
	if i.stdin == "" {
		return os.Stdin, nil
	}
	file, err := os.Open(i.stdin)
	if err != nil {
		return nil, fmt.Errorf("cannot read the prompt: %w", err)
	}
	return file, nil
}
