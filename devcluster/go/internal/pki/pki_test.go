package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func made(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pki")
	if code := Main([]string{"--dir=" + dir, "--node=localhost", "--names=kubernetes,localhost", "--addresses=127.0.0.1"}); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	return dir
}

func certificate(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

func authorities(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	text, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	return pool
}

func TestTheAPIServerIsTrustedUnderEachOfItsNames(t *testing.T) {
	dir := made(t)
	for _, name := range []string{"kubernetes", "localhost", "127.0.0.1"} {
		if _, err := certificate(t, dir, "apiserver").Verify(x509.VerifyOptions{Roots: authorities(t, dir), DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheKubeletSpeaksForItsNode(t *testing.T) {
	subject := certificate(t, made(t), "kubelet").Subject
	if subject.CommonName != "system:node:localhost" || subject.Organization[0] != "system:nodes" {
		t.Fatal(subject)
	}
}

func TestOnlyAdministratorsAreMasters(t *testing.T) {
	dir := made(t)
	for _, name := range []string{"controller-manager", "scheduler", "proxy", "dns", "provisioner", "kubelet"} {
		for _, group := range certificate(t, dir, name).Subject.Organization {
			if group == "system:masters" {
				t.Errorf("%s is a master", name)
			}
		}
	}
}

func TestAClientCannotPoseAsAServer(t *testing.T) {
	dir := made(t)
	_, err := certificate(t, dir, "dns").Verify(x509.VerifyOptions{
		Roots: authorities(t, dir), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err == nil {
		t.Fatal("accepted")
	}
}

func TestKeysCanBeReadByTheirOwnerOnly(t *testing.T) {
	keys, err := filepath.Glob(filepath.Join(made(t), "*.key"))
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		if info, _ := os.Stat(key); info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", key, info.Mode())
		}
	}
}
