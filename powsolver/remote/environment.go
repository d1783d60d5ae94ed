package remote

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

// environment names the variables that drivers, their loaders and their compilers
// read. Whatever else the environment holds stays here: it may be a password.
var environment = []string{
	// where programs, libraries, caches and temporary files are
	"PATH", "LD_LIBRARY_PATH", "HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR", "TEMP", "TMP",
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "PROGRAMDATA", "PROGRAMFILES", "LOCALAPPDATA", "APPDATA", "USERPROFILE",
	// which drivers are loaded
	"OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "OPENCL_VENDOR_PATH", "OPENCL_LAYERS",
	// which devices they show
	"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES",
	"ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HSA_OVERRIDE_GFX_VERSION",
	"ZE_AFFINITY_MASK", "ONEAPI_DEVICE_SELECTOR", "RUSTICL_ENABLE", "POCL_DEVICES", "POCL_MAX_PTHREAD_COUNT",
	// what they keep
	"CUDA_CACHE_DISABLE", "CUDA_CACHE_PATH", "CUDA_CACHE_MAXSIZE", "POCL_CACHE_DIR", "POCL_KERNEL_CACHE",
}

// Environment picks from the environment what OpenCL's drivers need, for
// [Program.Env].
func Environment(getenv func(string) string) []string {
	list := []string{}
	for _, name := range environment {
		if value := getenv(name); value != "" {
			list = append(list, name+"="+value)
		}
	}
	return list
}

// name is what the program is called.
const name = "taoctl-opencl"

// ErrNotFound says that the program is not installed.
var ErrNotFound = errors.New("the program " + name + " is not installed")

// Find looks for taoctl-opencl in the folder where the running program is, and
// then in the folders of a search path as $PATH holds it. Folders that depend on
// where one happens to be are passed over. The error wraps [ErrNotFound].
func Find(beside, path string) (string, error) {
	file := name
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	for _, folder := range append([]string{beside}, filepath.SplitList(path)...) {
		if !filepath.IsAbs(folder) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(folder, file)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%w: it is neither in %s nor on the PATH", ErrNotFound, beside)
}
