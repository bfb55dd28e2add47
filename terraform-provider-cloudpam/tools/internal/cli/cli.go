// Package cli finds the Terraform command line that our tools and tests run.
package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

// What is fetched where neither Terraform nor OpenTofu is installed.
const pinned = "1.11.4"

// Find answers with the path of `terraform`, else of `tofu`, from PATH. Where there is neither it fetches the pinned
// Terraform into dir, its checksum and signature verified by HashiCorp's own installer, and finds it there from then on.
func Find(ctx context.Context, dir string) (string, error) {
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}

	fetched := filepath.Join(dir, product.Terraform.BinaryName())
	if _, err := os.Stat(fetched); err == nil {
		return fetched, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a place for terraform: %w", err)
	}
	release := &releases.ExactVersion{
		Product:    product.Terraform,
		Version:    version.Must(version.NewVersion(pinned)),
		InstallDir: dir,
	}
	path, err := release.Install(ctx)
	if err != nil {
		return "", fmt.Errorf("neither terraform nor tofu is on PATH (install either, any version from 1.8 on), and fetching Terraform %s failed: %w", pinned, err)
	}
	return path, nil
}
