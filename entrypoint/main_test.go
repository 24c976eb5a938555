package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	asMain  = "AUTOPACK_ENTRYPOINT_TEST_AS_MAIN"
	asAgent = "AUTOPACK_ENTRYPOINT_TEST_AS_AGENT"
)

// The test binary, started again with one of these variables, is the entrypoint, or a command that asks a model: the
// tests see real processes.
func TestMain(m *testing.M) {
	if os.Getenv(asAgent) != "" && os.Getenv(asMain) == "" {
		os.Exit(askOnce(os.Args[1]))
	}
	if os.Getenv(asMain) != "" {
		os.Unsetenv(asMain)
		main()
	}
	os.Exit(m.Run())
}

func askOnce(url string) int {
	answer, err := http.Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = io.Copy(os.Stdout, answer.Body)
	return 0
}

type exitFile struct {
	ExitCode   *int
	Signal     *int
	StartedAt  time.Time
	FinishedAt time.Time
}

type bench struct {
	*testing.T
	folder         string
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

func newBench(t *testing.T, args ...string) *bench {
	t.Helper()
	b := &bench{T: t, folder: t.TempDir()}
	b.cmd = exec.Command(os.Args[0], append([]string{"--logs", b.folder, "--exit-file", b.path("exit.json")}, args...)...)
	b.cmd.Env = append(os.Environ(), asMain+"=1")
	b.cmd.Stdout, b.cmd.Stderr = &b.stdout, &b.stderr
	return b
}

func (b *bench) path(name string) string { return filepath.Join(b.folder, name) }

func (b *bench) read(name string) string {
	b.Helper()
	data, err := os.ReadFile(b.path(name))
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}

func (b *bench) run() int {
	b.Helper()
	b.start()
	return b.wait()
}

func (b *bench) start() {
	b.Helper()
	if err := b.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = b.cmd.Process.Kill() })
}

func (b *bench) wait() int {
	b.Helper()
	timer := time.AfterFunc(20*time.Second, func() { _ = b.cmd.Process.Kill() })
	defer timer.Stop()
	_ = b.cmd.Wait()
	return b.cmd.ProcessState.ExitCode()
}

func (b *bench) exitFile() exitFile {
	b.Helper()
	var content exitFile
	if err := json.Unmarshal([]byte(b.read("exit.json")), &content); err != nil {
		b.Fatal(err)
	}
	return content
}

func (b *bench) waitFor(name, text string) {
	b.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if data, _ := os.ReadFile(b.path(name)); strings.Contains(string(data), text) {
			return
		}
	}
	b.Fatalf("%s never held %q", name, text)
}

func TestTheCommandsExitCodeIsOurs(t *testing.T) {
	b := newBench(t, "--", "sh", "-c", "exit 3")
	if code := b.run(); code != 3 {
		t.Fatalf("exit code %d", code)
	}
}

func TestTheExitFileSaysHowAndWhenItEnded(t *testing.T) {
	before := time.Now().Add(-time.Second)
	b := newBench(t, "--", "sh", "-c", "exit 3")
	b.run()
	got := b.exitFile()
	if got.ExitCode == nil || *got.ExitCode != 3 || got.Signal != nil {
		t.Fatalf("exit file: %s", b.read("exit.json"))
	}
	if got.StartedAt.Before(before) || got.FinishedAt.Before(got.StartedAt) {
		t.Fatalf("times: %s", b.read("exit.json"))
	}
}

func TestASignalledCommandCountsAs128PlusItsSignal(t *testing.T) {
	b := newBench(t, "--", "sh", "-c", "kill -KILL $$")
	code := b.run()
	got := b.exitFile()
	if code != 137 || got.Signal == nil || *got.Signal != 9 || *got.ExitCode != 137 {
		t.Fatalf("exit code %d, exit file %s", code, b.read("exit.json"))
	}
}

func TestAMissingCommandIs127(t *testing.T) {
	b := newBench(t, "--", "no-such-command-anywhere")
	if code := b.run(); code != 127 || *b.exitFile().ExitCode != 127 {
		t.Fatalf("exit code %d", code)
	}
}

func TestAMissingPathIs127(t *testing.T) {
	b := newBench(t, "--", "/no/such/command")
	if code := b.run(); code != 127 {
		t.Fatalf("exit code %d", code)
	}
}

func TestAFileThatIsNotExecutableIs126(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, "--", file)
	if code := b.run(); code != 126 || *b.exitFile().ExitCode != 126 {
		t.Fatalf("exit code %d", code)
	}
}

func TestOutputGoesToTheLogsAndToTheContainersOwn(t *testing.T) {
	b := newBench(t, "--", "sh", "-c", "echo out; echo err >&2")
	b.run()
	if b.stdout.String() != "out\n" || b.read("stdout.log") != "out\n" {
		t.Errorf("stdout %q, log %q", b.stdout.String(), b.read("stdout.log"))
	}
	if b.stderr.String() != "err\n" || b.read("stderr.log") != "err\n" {
		t.Errorf("stderr %q, log %q", b.stderr.String(), b.read("stderr.log"))
	}
}

func TestALogStopsAtItsLimitAndSaysSo(t *testing.T) {
	b := newBench(t, "--max-log-bytes", "4", "--", "sh", "-c", "echo abcdefgh; echo more")
	b.run()
	if log := b.read("stdout.log"); !strings.HasPrefix(log, "abcd\n[autopack:") || strings.Contains(log, "more") {
		t.Errorf("log %q", log)
	}
	if b.stdout.String() != "abcdefgh\nmore\n" {
		t.Errorf("stdout %q", b.stdout.String())
	}
}

func TestALostReaderOfOurOutputDoesNotDisturbTheCommand(t *testing.T) {
	b := newBench(t, "--", "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done; exit 4")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b.cmd.Stdout = writer
	reader.Close()
	code := b.run()
	writer.Close()
	if code != 4 || !strings.HasSuffix(b.read("stdout.log"), "line 5\n") {
		t.Fatalf("exit code %d, log %q", code, b.read("stdout.log"))
	}
}

func TestASignalReachesTheWholeProcessGroup(t *testing.T) {
	script := `sh -c 'trap "echo child; exit" TERM; echo ready; while :; do sleep 0.05; done' & trap "wait; exit 9" TERM; wait`
	b := newBench(t, "--", "sh", "-c", script)
	b.start()
	b.waitFor("stdout.log", "ready")
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	if code := b.wait(); code != 9 || !strings.Contains(b.read("stdout.log"), "child") {
		t.Fatalf("exit code %d, log %q", code, b.read("stdout.log"))
	}
}

func TestACommandThatIgnoresSigtermIsKilledInTime(t *testing.T) {
	b := newBench(t, "--kill-after", "200ms", "--", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
	b.start()
	b.waitFor("stdout.log", "ready")
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	if code := b.wait(); code != 137 {
		t.Fatalf("exit code %d", code)
	}
}

func TestACommandThatIsAskedToStopByAFileIsTerminated(t *testing.T) {
	stop := filepath.Join(t.TempDir(), "stop")
	b := newBench(t, "--stop-file", stop, "--", "sh", "-c",
		`trap "echo told; exit 9" TERM; echo ready; while :; do sleep 0.05; done`)
	b.start()
	b.waitFor("stdout.log", "ready")
	if err := os.WriteFile(stop, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if code := b.wait(); code != 9 || !strings.Contains(b.read("stdout.log"), "told") {
		t.Fatalf("exit code %d, log %q", code, b.read("stdout.log"))
	}
}

func TestACommandThatDoesNotListenToTheFileIsKilledInTime(t *testing.T) {
	stop := filepath.Join(t.TempDir(), "stop")
	b := newBench(t, "--stop-file", stop, "--kill-after", "200ms", "--", "sh", "-c",
		`trap "" TERM; echo ready; while :; do sleep 0.05; done`)
	b.start()
	b.waitFor("stdout.log", "ready")
	if err := os.WriteFile(stop, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if code := b.wait(); code != 137 {
		t.Fatalf("exit code %d", code)
	}
}

func TestNothingTheCommandLeftBehindOutlivesIt(t *testing.T) {
	b := newBench(t, "--", "sh", "-c", "sleep 300 & echo $!; exit 0")
	started := time.Now()
	b.run()
	if took := time.Since(started); took > 4*time.Second {
		t.Errorf("waited %v for a process that was left behind", took)
	}
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(b.read("stdout.log")) + "/status")
	if err == nil && !strings.Contains(string(status), "Z (zombie)") {
		t.Errorf("still there: %s", status)
	}
}

func TestAProcessThatEscapedHoldingThePipesDoesNotHoldUsForEver(t *testing.T) {
	b := newBench(t, "--", "sh", "-c", "setsid sleep 12 & sleep 0.3; exit 5")
	started := time.Now()
	if code := b.run(); code != 5 || time.Since(started) > 10*time.Second {
		t.Fatalf("exit code %d after %v", code, time.Since(started))
	}
}

func TestAsFirstProcessItEndsEvenWhatLeftTheProcessGroup(t *testing.T) {
	b := newBench(t, "--", "sh", "-c", "setsid sleep 12 & sleep 0.3; exit 5")
	b.cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	started := time.Now()
	if err := b.cmd.Start(); err != nil {
		t.Skip("no PID namespaces here:", err)
	}
	if code := b.wait(); code != 5 || time.Since(started) > 1500*time.Millisecond {
		t.Fatalf("exit code %d after %v", code, time.Since(started))
	}
}

func prompt(b *bench, size int) string {
	text := strings.Repeat("do it, in $HOME and `id`\n", size/25+1)[:size]
	if err := os.WriteFile(b.path("prompt"), []byte(text), 0o444); err != nil {
		b.Fatal(err)
	}
	return text
}

func TestAPromptOf256KiBIsTheStandardInput(t *testing.T) {
	b := newBench(t)
	text := prompt(b, 256<<10)
	b.cmd.Args = append(b.cmd.Args, "--stdin", b.path("prompt"), "--", "cat")
	if code := b.run(); code != 0 || b.read("stdout.log") != text {
		t.Fatalf("exit code %d, %d bytes of %d", code, len(b.read("stdout.log")), len(text))
	}
}

func TestAPromptIsOneWordOfTheCommandWhateverItSays(t *testing.T) {
	b := newBench(t)
	text := prompt(b, maxWord)
	b.cmd.Args = append(b.cmd.Args, "--word-from", "2="+b.path("prompt"), "--", "printf", "%s|", "{prompt}", "{prompt}")
	if code := b.run(); code != 0 || b.read("stdout.log") != text+"|{prompt}|" {
		t.Fatalf("exit code %d, %d bytes of %d", code, len(b.read("stdout.log")), len(text))
	}
}

func TestAPromptThatIsTooLongForAWordIsRefusedWithTheFix(t *testing.T) {
	b := newBench(t)
	prompt(b, maxWord+1)
	b.cmd.Args = append(b.cmd.Args, "--word-from", "1="+b.path("prompt"), "--", "printf", "{prompt}")
	code := b.run()
	said := b.read("stderr.log")
	if code != 125 || !strings.Contains(said, "reads a file or its standard input") || b.stderr.String() != said {
		t.Fatalf("exit code %d, said %q", code, said)
	}
}

func TestAPromptThatIsNotThereIsOurOwnFailureAndNamed(t *testing.T) {
	for _, option := range []string{"--stdin=/no/such/prompt", "--word-from=1=/no/such/prompt"} {
		b := newBench(t, option, "--", "echo", "{prompt}")
		code := b.run()
		if said := b.stderr.String(); code != 125 || !strings.Contains(said, "/no/such/prompt") || b.stdout.Len() > 0 {
			t.Errorf("%s: exit code %d, said %q", option, code, said)
		}
	}
}

func TestALogThatCannotBeOpenedIsOurOwnFailure(t *testing.T) {
	b := newBench(t, "--", "true")
	if err := os.Symlink("/dev/null", b.path("stdout.log")); err != nil {
		t.Fatal(err)
	}
	if code := b.run(); code != 125 || *b.exitFile().ExitCode != 125 {
		t.Fatalf("exit code %d", code)
	}
}

func TestAnExitFileThatCannotBeWrittenTurnsSuccessIntoFailure(t *testing.T) {
	b := newBench(t)
	b.cmd.Args = []string{b.cmd.Args[0], "--logs", b.folder, "--exit-file", "/no/such/folder/exit.json", "--", "true"}
	if code := b.run(); code != 125 {
		t.Fatalf("exit code %d", code)
	}
}

func TestBadUsageIsRefusedWithTheFix(t *testing.T) {
	for name, args := range map[string][]string{
		"--logs is missing":      {"--exit-file", "x", "--", "true"},
		"--exit-file is missing": {"--logs", "x", "--", "true"},
		"no command":             {"--logs", "x", "--exit-file", "y"},
		"is not N=FILE":          {"--logs", "x", "--exit-file", "y", "--word-from", "0=f", "--", "true"},
	} {
		if _, err := parse(args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
