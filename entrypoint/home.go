package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// What may be copied of each thing in the image's home, so that a large cache does not cost the settings beside it.
const (
	homeEntries     = 1000
	homeFileBytes   = 1 << 20
	homeCopiedBytes = 8 << 20
)

// settle gives the command a home that it can write, whatever the image has for one, and brings the image's own settings
// along. What cannot be read there is nothing that the command could have read.
func settle(home string) error {
	if own := imagesHome(os.Getenv("HOME"), home, "/home"); own != "" {
		bring(own, home, mover{entries: homeEntries, bytes: homeCopiedBytes})
	}
	return os.Setenv("HOME", home)
}

// imagesHome returns the home of the image's own user: what the image says, or else the only one that there is. Nobody
// says who that user is, for the image's list of users is hidden by ours.
func imagesHome(said, home, homes string) string {
	said = filepath.Clean(said)
	if filepath.IsAbs(said) && said != "/" && said != filepath.Clean(home) {
		return said
	}
	found, err := os.ReadDir(homes)
	if err != nil || len(found) != 1 || !found[0].IsDir() {
		return ""
	}
	return filepath.Join(homes, found[0].Name())
}

// mover counts down what may still be brought along.
type mover struct {
	entries int
	bytes   int64
}

// bring gives the new home what the old one has under names that begin with a dot: folders and small files are copied, so
// that the command can write there; of large files, and of all that is too much, there is a link.
func bring(from, to string, limits mover) {
	entries, _ := os.ReadDir(from)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			each := limits
			each.bring(from, to, entry)
		}
	}
}

// bring goes through one entry of the home, what is near the top first.
func (m *mover) bring(from, to string, top fs.DirEntry) {
	var folders []string
	place := func(name string, entry fs.DirEntry) {
		if m.place(filepath.Join(from, name), filepath.Join(to, name), entry) {
			folders = append(folders, name)
		}
	}
	place(top.Name(), top)
	for len(folders) > 0 {
		folder := folders[0]
		folders = folders[1:]
		entries, _ := os.ReadDir(filepath.Join(from, folder))
		for _, entry := range entries {
			place(filepath.Join(folder, entry.Name()), entry)
		}
	}
}

// place brings one entry along and says whether it is a folder to look into. What is there already stays.
func (m *mover) place(source, target string, entry fs.DirEntry) bool {
	m.entries--
	info, err := entry.Info()
	switch {
	case err != nil:
	case info.Mode()&fs.ModeSymlink != 0:
		if pointed, err := os.Readlink(source); err == nil {
			_ = os.Symlink(pointed, target)
		}
	case info.IsDir() && m.entries > 0:
		err := os.Mkdir(target, info.Mode().Perm()|0o700)
		return err == nil || os.IsExist(err)
	case info.Mode().IsRegular() && info.Size() <= homeFileBytes && info.Size() <= m.bytes && m.entries > 0:
		m.bytes -= info.Size()
		_ = copyFile(source, target, info.Mode().Perm()|0o600)
	case info.IsDir() || info.Mode().IsRegular():
		_ = os.Symlink(source, target)
	}
	return false
}

func copyFile(source, target string, mode fs.FileMode) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if closing := to.Close(); err == nil {
		err = closing
	}
	return err
}
