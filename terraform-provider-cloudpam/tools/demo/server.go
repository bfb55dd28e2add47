//go:build unix

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"os"
	"strings"

	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/internal/devserver"
)

// server is the demo's, and the token to talk to it.
type server struct {
	*devserver.Server
	token string
}

// startServer runs the binary on an empty database in dir, with more settings, and returns when it is ready.
func startServer(ctx context.Context, binary, dir string, settings ...string) (*server, error) {
	listen, url, err := devserver.Address(cmp.Or(os.Getenv("CLOUDPAM_LISTEN"), "127.0.0.1:8080"))
	if err != nil {
		return nil, err
	}
	token := rand.Text() + rand.Text()
	// A process group of its own: Ctrl-C reaches the demo, and the demo stops the server in order.
	s := &devserver.Server{Binary: binary, Dir: dir, Env: append(append(cleanEnv(), settings...), "CLOUDPAM_BOOTSTRAP_TOKEN="+token), Listen: listen, URL: url, OwnGroup: true}
	return &server{s, token}, s.Start(ctx)
}

// cleanEnv is the environment without settings of another CloudPAM or Terraform, which would reach into the demo.
func cleanEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "CLOUDPAM_") && !strings.HasPrefix(entry, "TF_") {
			env = append(env, entry)
		}
	}
	return env
}
