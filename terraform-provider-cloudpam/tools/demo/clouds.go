//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/terraform-provider-cloudpam/tools/internal/cli"
)

const account = "aws:111111111111"

// runClouds shows what becomes of an estate that is there already.
func runClouds(ctx context.Context, out io.Writer) error {
	root, err := workspace()
	if err != nil {
		return err
	}
	dir, err := folder(root)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	step := steps(out)
	fmt.Fprintln(out, "\nCloudPAM and clouds: a demo")

	step("Start an AWS in memory, and the server")
	keys, stop, err := startCloud(ctx, filepath.Join(root, "bin", "fakecloud"))
	if err != nil {
		return err
	}
	defer stop()
	binary := filepath.Join(root, "bin", "cloudpam")
	server, err := startServer(ctx, binary, dir, append(keys, "CLOUDPAM_CLOUDS=aws")...)
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	client, err := cloudpam.New(server.URL, server.token)
	if err != nil {
		return err
	}
	if _, err := client.CreateAccount(ctx, cloudpam.NewAccount{Cloud: "aws", ExternalID: strings.TrimPrefix(account, "aws:"), Name: "payments"}); err != nil {
		return err
	}
	fmt.Fprintf(out, "     ready on %s, with the account %s\n", server.URL, account)

	// 3 says that something is pending or differs.
	command := func(title string, code int, args ...string) error {
		step(title)
		c := exec.CommandContext(ctx, binary, args...)
		c.Env = append(cleanEnv(), "CLOUDPAM_ENDPOINT="+server.URL, "CLOUDPAM_TOKEN="+server.token)
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		err := c.Run()
		for line := range strings.Lines(said.String()) {
			fmt.Fprint(out, "     ", line)
		}
		exit := &exec.ExitError{}
		if code != 0 && errors.As(err, &exit) && exit.ExitCode() == code {
			return nil
		}
		if err == nil && code != 0 {
			return fmt.Errorf("%s did not end with %d", title, code)
		}
		return err
	}
	modules := filepath.Join(dir, "modules")
	for _, err := range []func() error{
		func() error { return command("cloudpam sync "+account, 0, "sync", account) },
		func() error { return command("cloudpam drift", 3, "drift") },
		func() error {
			return command("cloudpam adopt --account "+account+" --out DIR", 0, "adopt", "--account", account, "--half", "cloudpam", "--out", modules)
		},
		func() error { return command("cloudpam drift, again", 0, "drift") },
	} {
		if err := err(); err != nil {
			return err
		}
	}

	step("terraform plan")
	cli, err := cli.Find(ctx, filepath.Join(root, "bin"))
	if err != nil {
		return err
	}
	terraform := &terraform{binary: cli, dir: filepath.Join(modules, strings.ReplaceAll(account, ":", "-"))}
	if err := terraform.setUp(root, dir, server); err != nil {
		return err
	}
	if err := terraform.init(ctx); err != nil {
		return err
	}
	summary, err := terraform.plan(ctx)
	if err != nil {
		return err
	}
	if !strings.Contains(summary, "0 to add, 0 to change, 0 to destroy") {
		return fmt.Errorf("the plan changes something: %s", summary)
	}
	fmt.Fprintf(out, "     %s\n", summary)

	step("terraform apply, and plan again")
	if summary, err = terraform.apply(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "     %s\n", summary)
	if err := terraform.planIsEmpty(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "     The plan is empty: what the cloud has is what Terraform and CloudPAM know.")
	return stay(ctx, out, server, "Terraform  cd "+relative(root, terraform.dir)+" && . "+filepath.Join(dir, "env")+" && terraform plan")
}

// startCloud starts a cloud, and answers the environment of whoever talks to it.
func startCloud(ctx context.Context, binary string) (keys []string, stop func(), err error) {
	c := exec.CommandContext(ctx, binary)
	said, err := c.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := c.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the cloud: %w", err)
	}
	stop = func() { _ = c.Process.Kill(); _ = c.Wait() }
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("the cloud did not start: %w", err)
	}
	return append(strings.Fields(strings.TrimPrefix(line, "export ")), "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true"), stop, nil
}
