// Package pki makes the certificates and keys of the embedded cluster: one authority that signs everything, and the
// key pair that signs service account tokens.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	lifetime = 10 * 365 * 24 * time.Hour
	// backdate covers a clock that is set back between two starts of a virtual machine.
	backdate = time.Hour
)

// identity is one certificate: who it speaks for as a client, and under which names it serves (none for a mere client).
type identity struct {
	file, user, group string
	names             []string
	addresses         []net.IP
}

// Main runs `pki --dir DIR --node NAME --names a,b --addresses x,y`: the names and addresses of the API server.
func Main(args []string) int {
	flags := flag.NewFlagSet("pki", flag.ContinueOnError)
	dir := flags.String("dir", "", "directory to write to")
	node := flags.String("node", "", "name of the node")
	names := flags.String("names", "", "DNS names of the API server, by commas")
	addresses := flags.String("addresses", "", "IP addresses of the API server, by commas")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := write(*dir, identities(*node, strings.Split(*names, ","), parse(*addresses))); err != nil {
		fmt.Fprintln(os.Stderr, "pki:", err)
		return 1
	}
	return 0
}

func parse(addresses string) []net.IP {
	var parsed []net.IP
	for text := range strings.SplitSeq(addresses, ",") {
		parsed = append(parsed, net.ParseIP(text))
	}
	return parsed
}

// identities names users and groups as Kubernetes' bootstrap RBAC policy expects them.
func identities(node string, names []string, addresses []net.IP) []identity {
	return []identity{
		{file: "apiserver", user: "kube-apiserver", names: names, addresses: addresses},
		{file: "apiserver-kubelet-client", user: "kube-apiserver-kubelet-client", group: "system:masters"},
		{file: "kubelet", user: "system:node:" + node, group: "system:nodes", names: []string{node}, addresses: addresses},
		{file: "controller-manager", user: "system:kube-controller-manager"},
		{file: "scheduler", user: "system:kube-scheduler"},
		{file: "proxy", user: "system:kube-proxy"},
		{file: "dns", user: "devcluster:dns"},
		{file: "provisioner", user: "devcluster:provisioner"},
		{file: "admin", user: "admin", group: "system:masters"},
	}
}

func write(dir string, wanted []identity) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	authority, authorityKey, err := writeAuthority(dir)
	if err != nil {
		return err
	}
	for serial, who := range wanted {
		if err := writeIdentity(dir, int64(serial)+2, who, authority, authorityKey); err != nil {
			return err
		}
	}
	return writeTokenKeys(dir)
}

func writeAuthority(dir string) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "devcluster"},
		NotBefore:             time.Now().Add(-backdate),
		NotAfter:              time.Now().Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	return template, key, sign(dir, "ca", template, template, key, key)
}

func writeIdentity(dir string, serial int64, who identity, authority *x509.Certificate, authorityKey crypto.Signer) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	subject := pkix.Name{CommonName: who.user}
	if who.group != "" {
		subject.Organization = []string{who.group}
	}
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(who.names) > 0 {
		usage = append(usage, x509.ExtKeyUsageServerAuth)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      subject,
		NotBefore:    authority.NotBefore,
		NotAfter:     authority.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  usage,
		DNSNames:     who.names,
		IPAddresses:  who.addresses,
	}
	return sign(dir, who.file, template, authority, key, authorityKey)
}

func sign(dir, file string, template, parent *x509.Certificate, key, parentKey crypto.Signer) error {
	certificate, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return err
	}
	if err := writeKey(dir, file, key); err != nil {
		return err
	}
	return writePEM(dir, file+".crt", "CERTIFICATE", certificate)
}

// writeTokenKeys uses RSA: RS256 is the one algorithm every consumer of the token issuer's key set must know.
func writeTokenKeys(dir string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	if err := writeKey(dir, "service-account", key); err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(dir, "service-account.pub", "PUBLIC KEY", public)
}

func writeKey(dir, file string, key crypto.Signer) error {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(dir, file+".key", "PRIVATE KEY", private)
}

func writePEM(dir, file, kind string, content []byte) error {
	encoded := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
	return os.WriteFile(filepath.Join(dir, file), encoded, 0o600)
}
