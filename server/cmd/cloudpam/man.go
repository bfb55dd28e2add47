package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// manCommand writes the manual page that packages install, from the same model as --help.
type manCommand struct{}

func (manCommand) Run(parsed *kong.Context) error { return writeManual(os.Stdout, parsed.Model) }

// manualEnd is what --help has no place for.
const manualEnd = `.SH EXIT STATUS
.TP
0
Done.
.TP
1
Failed, or refused: the last word is the code of the problem.
.TP
2
Wrong usage; nothing was asked.
.TP
3
It was asked and the answer is no: it waits for approval, differs, does not fit, or is not there.
.SH FILES
.TP
/etc/cloudpam/env
Settings of the server as a service of systemd, one a line, such as CLOUDPAM_LISTEN=0.0.0.0:8443.
.TP
/var/lib/cloudpam/cloudpam.db
The database of that service, unless CLOUDPAM_DATABASE_URL says another.
.TP
~/.config/cloudpam/login.json
The login of the commands that ask a server.
.SH SEE ALSO
https://github.com/cloudpam/cloudpam/tree/main/docs
`

// writeManual has no date in it: the same source makes the same page on any day.
func writeManual(w io.Writer, app *kong.Application) error {
	page := &strings.Builder{}
	fmt.Fprintf(page, ".TH CLOUDPAM 1 \"\" \"cloudpam %s\" \"CloudPAM\"\n.SH NAME\ncloudpam \\- IP address management for people who write Terraform\n", troff(version))
	fmt.Fprintf(page, ".SH SYNOPSIS\n.B cloudpam\n.I command\n.RI [ argument... ]\n.SH DESCRIPTION\n%s\n", troff(app.Help))
	for _, group := range groups {
		var commands []*kong.Node
		takes := map[string]int{} // how many commands of the group
		for _, command := range app.Leaves(true) {
			if of := command.ClosestGroup(); of != nil && of.Key == group.Key {
				commands = append(commands, command)
				for _, flag := range flagsOf(command) {
					takes[flag.Name]++
				}
			}
		}
		common := func(flag *kong.Flag) bool { return takes[flag.Name] > len(commands)/2 }
		fmt.Fprintf(page, ".SH %s\n", strings.ToUpper(troff(group.Title)))
		told := map[string]bool{}
		for _, command := range commands {
			for _, flag := range flagsOf(command) {
				if common(flag) && !told[flag.Name] {
					if len(told) == 0 {
						page.WriteString("Most of these commands take\n")
					}
					told[flag.Name] = true
					describe(page, flag.Value)
				}
			}
		}
		for _, command := range commands {
			fmt.Fprintf(page, ".SS %s\n%s\n", troff("cloudpam "+command.Summary()), troff(command.Help))
			for _, argument := range command.Positional {
				describe(page, argument)
			}
			for _, flag := range flagsOf(command) {
				if !common(flag) {
					describe(page, flag.Value)
				}
			}
		}
	}
	page.WriteString(manualEnd)
	_, err := io.WriteString(w, page.String())
	return err
}

func flagsOf(command *kong.Node) (flags []*kong.Flag) {
	for _, flag := range slices.Concat(command.AllFlags(true)...) {
		if flag.Name != "help" {
			flags = append(flags, flag)
		}
	}
	return flags
}

func describe(page *strings.Builder, value *kong.Value) {
	fmt.Fprintf(page, ".TP\n.B %s\n%s\n", troff(value.Summary()), troff(value.Help))
	if len(value.Tag.Envs) > 0 {
		fmt.Fprintf(page, "Also by the environment: %s.\n", troff(strings.Join(value.Tag.Envs, ", ")))
	}
}

// troff writes text so that the formatter takes none of it for its own.
func troff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(strings.TrimSpace(text))
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
