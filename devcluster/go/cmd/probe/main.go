// Command probe is all there is in the test image that has no shell, no Python and no Git: enough to end with a
// chosen code, write a file, wait, or print a lot.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

const usage = `usage:
  probe exit N            end with exit code N (0 to 255)
  probe write PATH TEXT   write TEXT to the file PATH
  probe sleep SECONDS     wait, fractions allowed
  probe spam BYTES        print BYTES bytes, in lines of 80
`

func main() {
	code, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
	}
	os.Exit(code)
}

// run carries out one command; the code is 2 with an error for a command that cannot be read.
func run(args []string, out io.Writer) (int, error) {
	switch {
	case len(args) == 2 && args[0] == "exit":
		code, err := strconv.ParseUint(args[1], 10, 8)
		if err != nil {
			return 2, err
		}
		return int(code), nil
	case len(args) == 3 && args[0] == "write":
		if err := os.WriteFile(args[1], []byte(args[2]), 0o644); err != nil {
			return 1, err
		}
		return 0, nil
	case len(args) == 2 && args[0] == "sleep":
		seconds, err := strconv.ParseFloat(args[1], 64)
		if err != nil {
			return 2, err
		}
		time.Sleep(time.Duration(seconds * float64(time.Second)))
		return 0, nil
	case len(args) == 2 && args[0] == "spam":
		count, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return 2, err
		}
		return spam(count, out)
	}
	return 2, fmt.Errorf("unknown command\n%s", usage)
}

func spam(count int64, out io.Writer) (int, error) {
	line := append(bytes.Repeat([]byte("x"), 79), '\n')
	for count > 0 {
		part := line[:min(count, int64(len(line)))]
		written, err := out.Write(part)
		if err != nil {
			return 1, err
		}
		count -= int64(written)
	}
	return 0, nil
}
