package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

type stateCommand struct {
	Push pushCommand `cmd:"" help:"Read states of Terraform or OpenTofu, and say of each subnet of clouds which of them manages it."`
}

type pushCommand struct {
	asks
	Account string   `help:"Only subnets of this account."`
	Scope   string   `help:"Only subnets in this scope."`
	Files   []string `arg:"" help:"State files, as terraform state pull writes them."`
}

// Run sends addresses and ids of subnets, and nothing else that a state has. It ends with 3 where a subnet is managed by no state, or
// by two, or where a state has one that no cloud shows.
func (c *pushCommand) Run(ctx context.Context) error {
	ask := cloudpam.NewStateJoin{States: []cloudpam.TerraformState{}}
	if c.Account != "" {
		ask.Account = &c.Account
	}
	if c.Scope != "" {
		ask.Scope = &c.Scope
	}
	for _, name := range c.Files {
		s, err := readState(name)
		if err != nil {
			return usage(err)
		}
		ask.States = append(ask.States, s)
	}
	s, err := c.open()
	if err != nil {
		return err
	}
	joined, err := s.JoinStates(ctx, ask)
	if err != nil {
		return err
	}
	differ := len(joined.Gone)
	var rows [][]string
	for _, subnet := range joined.Items {
		if subnet.Managed != cloudpam.JoinedSubnetManagedOnce {
			differ++
		}
		places := subnet.By
		if len(places) == 0 {
			places = []cloudpam.StatePlace{{}}
		}
		for _, at := range places {
			rows = append(rows, []string{subnet.CIDR, subnet.ID, subnet.Account, string(subnet.Managed), at.State, at.Address})
		}
	}
	for _, at := range joined.Gone {
		rows = append(rows, []string{"", at.ID, "", "gone", at.State, at.Address})
	}
	err = c.show(joined, []string{"CIDR", "SUBNET", "ACCOUNT", "MANAGED", "STATE", "ADDRESS"}, rows,
		fmt.Sprintf("%s in clouds, %d in states and in no cloud", count(len(joined.Items), "subnet", "subnets"), len(joined.Gone)))
	if err == nil && differ > 0 {
		return errPending
	}
	return err
}

// stateFile is what we read of a state: version 4 of Terraform's format, which OpenTofu writes too.
type stateFile struct {
	Version   int
	Lineage   string
	Serial    int64
	Resources []struct {
		Mode, Type, Name, Module string
		Instances                []struct {
			Key        any `json:"index_key"`
			Attributes struct {
				ID      string
				Project string
				Region  string
				Name    string
			}
		}
	}
}

func readState(name string) (cloudpam.TerraformState, error) {
	s := cloudpam.TerraformState{Name: name, Resources: []cloudpam.StateResource{}}
	text, err := os.ReadFile(name)
	if err != nil {
		return s, err
	}
	var file stateFile
	if err := json.Unmarshal(text, &file); err != nil {
		return s, fmt.Errorf("%s is no state: %w", name, err)
	}
	if file.Version != 4 {
		return s, fmt.Errorf("%s: %w", name, errors.New("it is no state of version 4; terraform state pull writes one"))
	}
	s.Lineage, s.Serial = &file.Lineage, &file.Serial
	for _, r := range file.Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, i := range r.Instances {
			id := ""
			switch r.Type {
			case "aws_subnet", "aws_default_subnet":
				id = "aws:" + i.Attributes.ID
			case "google_compute_subnetwork":
				id = "gcp:" + i.Attributes.Project + "/" + i.Attributes.Region + "/" + i.Attributes.Name
			default:
				continue
			}
			address := strings.TrimPrefix(r.Module+"."+r.Type+"."+r.Name, ".")
			switch key := i.Key.(type) {
			case string:
				address += fmt.Sprintf("[%q]", key)
			case float64:
				address += fmt.Sprintf("[%d]", int(key))
			}
			s.Resources = append(s.Resources, cloudpam.StateResource{ID: id, Address: address})
		}
	}
	return s, nil
}
