package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type importCommand struct {
	CSV  importCSV  `cmd:"" name:"csv" help:"Make and change what the rows of a file say, all or nothing."`
	List importList `cmd:"" help:"List imports."`
	Undo importUndo `cmd:"" help:"Take back what an import did, unless something has changed since."`
}

type importCSV struct {
	asks
	Kind   string            `arg:"" enum:"pools,allocations,reservations,accounts" help:"What the rows are: pools, allocations, reservations or accounts."`
	File   string            `arg:"" help:"File to import; - is standard input."`
	Column map[string]string `placeholder:"TITLE=COLUMN" help:"What a column of the file is: Tenant=owner, Site=label.site; Site= leaves it out."`
	Yes    bool              `help:"Do not ask."`
	DryRun bool              `help:"Say what would become of each row, and change nothing."`
}

// Run shows what would become of each row, and does that. It ends with 3 where it was not done.
func (c *importCSV) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	if !c.Yes && !c.DryRun && (c.File == "-" || !term.IsTerminal(int(os.Stdin.Fd()))) {
		return usage(errors.New("nobody can be asked here; look with --dry-run, or do it with --yes"))
	}
	text, err := c.read()
	if err != nil {
		return err
	}
	ask := cloudpam.NewImport{Kind: cloudpam.ImportKind(c.Kind), CSV: string(text), Columns: c.Column}
	out, err := s.TryImport(ctx, ask)
	if err != nil {
		return err
	}
	stop := c.DryRun || out.Refused > 0
	if stop && c.JSON {
		err = printJSON(os.Stdout, out)
	} else if !c.JSON {
		showImport(out, "would be created")
	}
	switch {
	case err != nil:
		return err
	case out.Refused > 0:
		fmt.Fprintln(os.Stderr, "Nothing can be imported before each row can. Mend the file, and try again.")
		return errPending
	case stop:
		return nil
	case !c.Yes && !agreed():
		return errPending
	}
	ask.Digest = &out.Digest
	if out, err = s.CreateImport(ctx, ask); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(os.Stdout, out)
	}
	fmt.Printf("Imported. To take it back: cloudpam import undo %s\n", out.ID)
	return nil
}

func (c *importCSV) read() ([]byte, error) {
	if c.File == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(c.File)
}

func agreed() bool {
	fmt.Print("Do it? (yes/no) ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(answer) == "yes"
}

func showImport(out cloudpam.Import, created string) {
	var rows [][]string
	for _, r := range out.Rows {
		row := []string{fmt.Sprint(r.Row), string(r.Verdict), "", "", strings.Join(r.Changed, ", ")}
		if r.CIDR != nil {
			row[2] = *r.CIDR
		}
		if r.Name != nil {
			row[3] = *r.Name
			if r.Pool != nil {
				row[3] = *r.Pool + "/" + *r.Name
			}
		}
		if r.Problem != nil {
			row[4] = r.Problem.Code + ": " + r.Problem.Detail
		}
		rows = append(rows, row)
	}
	table(os.Stdout, width(os.Stdout), []string{"ROW", "VERDICT", "CIDR", "NAME", "WHAT"}, rows)
	fmt.Printf("\n%d %s, %d updated, %d are unchanged, %d refused\n", out.Created, created, out.Updated, out.Unchanged, out.Refused)
	if out.NeedsApproval != nil {
		fmt.Printf("A second person must approve %d of the blocks. To import the file asks for that, and once more does it then.\n", *out.NeedsApproval)
	}
}

type importList struct {
	asks
}

// Run lists imports.
func (c *importList) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	all, err := listed(cloudpam.Collect(s.Imports(ctx, cloudpam.ListImportsParams{Limit: new(1000)})))
	if err != nil {
		return err
	}
	var rows [][]string
	for _, i := range all {
		state := "done"
		if i.UndoneAt != nil {
			state = "undone"
		}
		rows = append(rows, []string{i.ID, string(i.Kind), i.CreatedAt.Format("2006-01-02 15:04"), i.Actor, fmt.Sprint(i.Created), fmt.Sprint(i.Updated), fmt.Sprint(i.Unchanged), state})
	}
	return c.show(all, []string{"ID", "KIND", "AT", "BY", "CREATED", "UPDATED", "UNCHANGED", "STATE"}, rows, count(len(all), "import", "imports"))
}

type importUndo struct {
	asks
	ID string `arg:"" help:"Id of the import."`
}

// Run takes an import back.
func (c *importUndo) Run(ctx context.Context) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	out, err := s.UndoImport(ctx, c.ID)
	if err != nil {
		return err
	}
	return c.show(out, nil, nil, fmt.Sprintf("%d are gone, %d are as before", out.Created, out.Updated))
}
