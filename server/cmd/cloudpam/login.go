package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/cloudpam/cloudpam/server/internal/remote"
)

type loginCommand struct {
	Endpoint  string `arg:"" name:"url" help:"Address of the server, like https://cloudpam.example.com."`
	TokenFile string `placeholder:"FILE" help:"File that holds the token; asked for, or read from standard input, where absent."`
	CACert    string `name:"ca-cert" placeholder:"FILE" help:"PEM file of the authority that signed the server's certificate."`
}

// Run keeps a server and a token of it, once the server knows the token.
func (c *loginCommand) Run(ctx context.Context) error {
	l := remote.Login{Endpoint: strings.TrimRight(c.Endpoint, "/"), CACert: c.CACert}
	if c.CACert != "" { // from whatever folder it is used later
		path, err := filepath.Abs(c.CACert)
		if err != nil {
			return err
		}
		l.CACert = path
	}
	text, err := c.token()
	if err != nil {
		return err
	}
	if l.Token = strings.TrimSpace(string(text)); l.Token == "" {
		return usage(errors.New("the token is empty"))
	}
	server, err := l.Open()
	if err != nil {
		return usage(err)
	}
	me, err := server.GetMe(ctx)
	if err != nil {
		return err
	}
	name, err := l.Save()
	if err != nil {
		return err
	}
	fmt.Printf("%s knows you as %s. Kept in %s, which nobody else can read.\n", l.Endpoint, me.Actor, name)
	return nil
}

func (c *loginCommand) token() ([]byte, error) {
	switch in := int(os.Stdin.Fd()); {
	case c.TokenFile != "":
		return os.ReadFile(c.TokenFile)
	case term.IsTerminal(in):
		fmt.Fprint(os.Stderr, "Token: ")
		defer fmt.Fprintln(os.Stderr)
		return term.ReadPassword(in)
	}
	return io.ReadAll(io.LimitReader(os.Stdin, 1<<16)) // a JWT may be long
}

type logoutCommand struct{}

// Run forgets the server and the token. The token stays good until somebody ends it.
func (logoutCommand) Run() error {
	was, err := remote.Forget()
	switch {
	case err != nil:
		return err
	case !was:
		fmt.Println("There was no login.")
	default:
		fmt.Println("The login is forgotten; its token stays good until somebody ends it.")
	}
	return nil
}
