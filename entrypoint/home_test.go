package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, size), 0o444); err != nil {
		t.Fatal(err)
	}
}

func linked(path string) bool {
	target, err := os.Readlink(path)
	return err == nil && target != ""
}

func TestWhatTheImageHasInItsHomeComesAlongAndCanBeWritten(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	write(t, filepath.Join(from, ".config/agent/settings.json"), 5)
	write(t, filepath.Join(from, ".local/bin/agent"), homeFileBytes+1)
	write(t, filepath.Join(from, "project/file"), 5)
	write(t, filepath.Join(from, ".bashrc"), 5)
	write(t, filepath.Join(to, ".bashrc"), 7)
	if err := os.Symlink("bin/agent", filepath.Join(from, ".local/agent")); err != nil {
		t.Fatal(err)
	}
	bring(from, to, mover{entries: homeEntries, bytes: homeCopiedBytes})
	settings := filepath.Join(to, ".config/agent/settings.json")
	if err := os.WriteFile(settings, []byte("new"), 0o644); err != nil || linked(settings) {
		t.Error("a small file cannot be written", err)
	}
	write(t, filepath.Join(to, ".config/agent/state.db"), 1)
	if !linked(filepath.Join(to, ".local/bin/agent")) {
		t.Error("a large file is not linked")
	}
	if target, _ := os.Readlink(filepath.Join(to, ".local/agent")); target != "bin/agent" {
		t.Error("a link became", target)
	}
	if info, _ := os.Stat(filepath.Join(to, ".bashrc")); info.Size() != 7 {
		t.Error("what was there is gone")
	}
	if _, err := os.Stat(filepath.Join(to, "project")); err == nil {
		t.Error("more than settings came along")
	}
}

func TestABigHomeIsLinkedWhereItIsTooMuch(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for i := 0; i < 20; i++ {
		write(t, filepath.Join(from, fmt.Sprintf(".cache/%d/deep/file", i)), 10)
	}
	write(t, filepath.Join(from, ".config/settings"), 10)
	bring(from, to, mover{entries: 10, bytes: 100})
	if linked(filepath.Join(to, ".cache")) || linked(filepath.Join(to, ".config/settings")) {
		t.Error("what is near the top is linked")
	}
	for i := 0; i < 20; i++ {
		if _, err := os.Stat(filepath.Join(to, fmt.Sprintf(".cache/%d/deep/file", i))); err != nil {
			t.Error("lost:", err)
		}
	}
	if !linked(filepath.Join(to, ".cache/9")) {
		t.Error("nothing is linked")
	}
}

func TestAnImagesHomeIsFound(t *testing.T) {
	homes := t.TempDir()
	if err := os.Mkdir(filepath.Join(homes, "agent"), 0o755); err != nil {
		t.Fatal(err)
	}
	only := filepath.Join(homes, "agent")
	for said, want := range map[string]string{"": only, "/": only, "/tmp": only, "/tmp/": only, "/srv/me": "/srv/me"} {
		if got := imagesHome(said, "/tmp", homes); got != want {
			t.Errorf("%q: %q", said, got)
		}
	}
	if err := os.Mkdir(filepath.Join(homes, "another"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{homes, filepath.Join(homes, "none")} {
		if got := imagesHome("", "/tmp", folder); got != "" {
			t.Error("guessed", got)
		}
	}
}

func TestTheCommandsHomeIsTheOneGiven(t *testing.T) {
	home, image := t.TempDir(), t.TempDir()
	write(t, filepath.Join(image, ".profile"), 3)
	b := newBench(t, "--home", home, "--", "sh", "-c", `echo $HOME; ls -A ~`)
	b.cmd.Env = append(b.cmd.Env, "HOME="+image)
	if code := b.run(); code != 0 || b.stdout.String() != home+"\n.profile\n" {
		t.Fatalf("exit code %d, %q", code, b.stdout.String())
	}
}
