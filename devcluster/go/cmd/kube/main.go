// Command kube is every program of the embedded cluster in one binary: it acts as the program it is called as,
// so one link step and one 150 MB file replace nine of each. Kubernetes' own hyperkube worked the same way.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	_ "time/tzdata" // CronJobs name time zones and the machine may have no zone files

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"autopack.dev/devcluster/internal/forward"
	"autopack.dev/devcluster/internal/pki"
	"autopack.dev/devcluster/internal/provisioner"
)

// programs maps the name the binary is called by to what it then does; the value is the exit code.
var programs = map[string]func(args []string) int{
	"etcd":                    runEtcd,
	"kube-apiserver":          component(apiserver.NewAPIServerCommand),
	"kube-controller-manager": component(controllermanager.NewControllerManagerCommand),
	"kube-proxy":              component(proxy.NewProxyCommand),
	"kube-scheduler":          component(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubectl":                 runKubectl,
	"kubelet":                 component(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
	"forward":                 forward.Main,
	"pki":                     pki.Main,
	"provisioner":             provisioner.Main,
}

func main() {
	name := filepath.Base(os.Args[0])
	program, found := programs[name]
	if !found {
		fmt.Fprintf(os.Stderr, "kube: called as %q; link it as one of: %s\n", name, strings.Join(names(), ", "))
		os.Exit(2)
	}
	os.Exit(program(os.Args[1:]))
}

func names() []string {
	known := make([]string, 0, len(programs))
	for name := range programs {
		known = append(known, name)
	}
	sort.Strings(known)
	return known
}

func component(command func() *cobra.Command) func([]string) int {
	return func([]string) int { return cli.Run(command()) }
}

func runEtcd([]string) int {
	etcdmain.Main(os.Args)
	return 0
}

func runKubectl([]string) int {
	// kubectl logs while it builds its command tree (plugins, .kuberc), before cobra has parsed -v.
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}
