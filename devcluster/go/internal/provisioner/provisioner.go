// Package provisioner creates the volumes of the embedded cluster: one directory of the host per claim.
//
// kube-controller-manager's --enable-hostpath-provisioner does not do: it makes directories under /tmp with mode 0750
// owned by root, so a pod that runs as another user cannot write, and it grants ReadWriteOnce only.
package provisioner

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// sharedParameter of a StorageClass says whether a volume may be claimed ReadWriteMany ("true" or "false").
const sharedParameter = "shared"

type hostDirectories struct{ root string }

// Main runs `provisioner --kubeconfig F --root DIR --name PROVISIONER` until it is killed.
func Main(args []string) int {
	flags := flag.NewFlagSet("provisioner", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "file with the address and credentials of the API server")
	root := flags.String("root", "", "directory of the host that holds one directory per volume")
	name := flags.String("name", "", "provisioner name in the StorageClasses served")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *kubeconfig == "" || *root == "" || *name == "" {
		fmt.Fprintln(os.Stderr, "provisioner: --kubeconfig, --root and --name are all needed")
		return 2
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, "provisioner:", err)
		return 1
	}
	ctx := context.Background()
	controller.NewProvisionController(ctx, kubernetes.NewForConfigOrDie(config), *name,
		&hostDirectories{root: *root}, controller.LeaderElection(false)).Run(ctx)
	return 0
}

func (h *hostDirectories) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*core.PersistentVolume, controller.ProvisioningState, error) {
	modes := options.PVC.Spec.AccessModes
	if err := checkAccess(modes, options.StorageClass.Parameters); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	path := filepath.Join(h.root, options.PVName)
	if err := makeWritable(path); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	kind := core.HostPathDirectory
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: options.PVName},
		Spec: core.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   modes,
			MountOptions:                  options.StorageClass.MountOptions,
			Capacity:                      core.ResourceList{core.ResourceStorage: options.PVC.Spec.Resources.Requests[core.ResourceStorage]},
			PersistentVolumeSource: core.PersistentVolumeSource{
				HostPath: &core.HostPathVolumeSource{Path: path, Type: &kind},
			},
		},
	}, controller.ProvisioningFinished, nil
}

func (h *hostDirectories) Delete(_ context.Context, volume *core.PersistentVolume) error {
	if volume.Spec.HostPath == nil || filepath.Dir(volume.Spec.HostPath.Path) != filepath.Clean(h.root) {
		return fmt.Errorf("volume %s does not lie in %s; not deleting", volume.Name, h.root)
	}
	return os.RemoveAll(volume.Spec.HostPath.Path)
}

// checkAccess refuses modes the class does not offer. Kubernetes leaves this to the provisioner.
func checkAccess(modes []core.PersistentVolumeAccessMode, parameters map[string]string) error {
	shared, err := strconv.ParseBool(parameters[sharedParameter])
	if err != nil {
		return fmt.Errorf("StorageClass parameter %q must be true or false, not %q", sharedParameter, parameters[sharedParameter])
	}
	offered := []core.PersistentVolumeAccessMode{core.ReadWriteOnce, core.ReadWriteOncePod}
	if shared {
		offered = append(offered, core.ReadWriteMany, core.ReadOnlyMany)
	}
	var refused []string
	for _, mode := range modes {
		if !slices.Contains(offered, mode) {
			refused = append(refused, string(mode))
		}
	}
	if len(refused) > 0 {
		return errors.New("this StorageClass does not offer " + strings.Join(refused, ", "))
	}
	return nil
}

// makeWritable makes a directory any user may write: the user id of a pod is not known when its volume is made.
func makeWritable(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	return os.Chmod(path, 0o777) // MkdirAll applies the umask
}
