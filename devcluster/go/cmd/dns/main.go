// Command dns is CoreDNS with the few plugins that the embedded cluster's Corefile names. Not one of the programs of
// cmd/kube because CoreDNS puts its options into the flag set that Kubernetes' commands use as well.
package main

import (
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/template"

	"github.com/coredns/coredns/coremain"
)

func main() {
	coremain.Run()
}
