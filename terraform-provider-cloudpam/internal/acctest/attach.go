package acctest

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Terraform starts a provider three or four times in a command and asks each for its schemas, which is more than half of what a small
// command costs. So the commands of these tests find it started: once for each, in Terraform's folder and environment, under a
// process of the command's own, which is how the provider tells its runs apart.

// attachScript serves the provider until its standard input ends, which it does with whoever started it.
const attachScript = `"$0" -debug & provider=$!; read -r end; kill -INT $provider; wait $provider`

// attached are the commands that use a provider, and that Terraform asks one instance of.
var attached = []string{"plan", "apply", "destroy", "refresh", "show", "import", "validate"}

// attach starts the provider for a command, where that needs it, and returns what Terraform is to be told about it.
func (tf *Terraform) attach(args []string) (env []string, stop func(), err error) {
	program := filepath.Join(tf.overrides["registry.terraform.io/cloudpam/cloudpam"], providerBuild.name)
	if tf.alone || program != providerBuild.path || len(args) == 0 || !slices.Contains(attached, args[0]) {
		return nil, func() {}, nil
	}
	cmd := exec.Command("sh", "-c", attachScript, program)
	cmd.Dir, cmd.Env = tf.Dir, append(slices.Clone(tf.env), "PLUGIN_UNIX_SOCKET_DIR="+tf.sockets)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = stdin.Close()
		_ = cmd.Wait() // it was interrupted
	}
	const variable = "TF_REATTACH_PROVIDERS"
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, value, found := strings.Cut(lines.Text(), variable+"='"); found {
			value = strings.TrimSuffix(strings.TrimSpace(value), "'")
			tofu := strings.Replace(value, "registry.terraform.io", "registry.opentofu.org", 1)
			return []string{variable + "=" + strings.TrimSuffix(value, "}") + "," + strings.TrimPrefix(tofu, "{")}, stop, nil
		}
	}
	stop()
	return nil, nil, fmt.Errorf("%s -debug did not say how Terraform reaches it", program)
}
