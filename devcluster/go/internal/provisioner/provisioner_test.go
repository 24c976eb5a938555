package provisioner

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func claim(shared string, modes ...core.PersistentVolumeAccessMode) controller.ProvisionOptions {
	reclaim := core.PersistentVolumeReclaimDelete
	return controller.ProvisionOptions{
		PVName:       "pvc-1",
		PVC:          &core.PersistentVolumeClaim{Spec: core.PersistentVolumeClaimSpec{AccessModes: modes}},
		StorageClass: &storage.StorageClass{ReclaimPolicy: &reclaim, Parameters: map[string]string{sharedParameter: shared}},
	}
}

func TestAVolumeCanBeWrittenByAnyUserWhateverTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	root := t.TempDir()
	volume, _, err := (&hostDirectories{root: root}).Provision(context.Background(), claim("true", core.ReadWriteMany))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(volume.Spec.HostPath.Path)
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Fatalf("mode %v, error %v", info.Mode(), err)
	}
}

func TestAccessIsGrantedAsTheClassOffers(t *testing.T) {
	for _, example := range []struct {
		shared  string
		mode    core.PersistentVolumeAccessMode
		granted bool
	}{
		{"true", core.ReadWriteMany, true},
		{"true", core.ReadWriteOnce, true},
		{"false", core.ReadWriteOnce, true},
		{"false", core.ReadWriteOncePod, true},
		{"false", core.ReadWriteMany, false},
		{"false", core.ReadOnlyMany, false},
		{"perhaps", core.ReadWriteOnce, false},
	} {
		err := checkAccess([]core.PersistentVolumeAccessMode{example.mode}, map[string]string{sharedParameter: example.shared})
		if (err == nil) != example.granted {
			t.Errorf("shared=%s %s: %v", example.shared, example.mode, err)
		}
	}
}

func TestARefusedClaimLeavesNoDirectory(t *testing.T) {
	root := t.TempDir()
	_, state, err := (&hostDirectories{root: root}).Provision(context.Background(), claim("false", core.ReadWriteMany))
	if err == nil || state != controller.ProvisioningFinished {
		t.Fatalf("state %v, error %v", state, err)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 0 {
		t.Fatalf("left %v", entries)
	}
}

func volumeAt(path string) *core.PersistentVolume {
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: "pvc-1"},
		Spec: core.PersistentVolumeSpec{PersistentVolumeSource: core.PersistentVolumeSource{
			HostPath: &core.HostPathVolumeSource{Path: path},
		}},
	}
}

func TestDeletedVolumesAreRemoved(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "pvc-1")
	if err := makeWritable(filepath.Join(path, "inner")); err != nil {
		t.Fatal(err)
	}
	if err := (&hostDirectories{root: root}).Delete(context.Background(), volumeAt(path)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatalf("still there: %v", err)
	}
}

func TestNothingOutsideTheRootIsDeleted(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	for _, path := range []string{outside, root, filepath.Join(root, "..", filepath.Base(outside))} {
		if err := (&hostDirectories{root: root}).Delete(context.Background(), volumeAt(path)); err == nil {
			t.Errorf("deleted %s", path)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Fatal(err)
	}
}
