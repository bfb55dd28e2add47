// Package remote says which CloudPAM server the commands ask, and as whom.
package remote

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	cloudpam "github.com/cloudpam/cloudpam/client"
)

// local is the server of this machine, asked where nothing else is said.
const local = "http://127.0.0.1:8080"

// patience bounds one attempt: a look into a large account, and the file of a large import, take their time.
const patience = 6 * time.Minute

// Config says which server, and as whom. The names are those that the Terraform provider reads, too. What is given wins over the login.
type Config struct {
	Endpoint  string `group:"Which server" env:"CLOUDPAM_ENDPOINT" placeholder:"URL" help:"Address of the server; where absent that of \"cloudpam login\", and without one http://127.0.0.1:8080."`
	Token     string `group:"Which server" env:"CLOUDPAM_TOKEN" help:"Token that asks."`
	TokenFile string `group:"Which server" env:"CLOUDPAM_TOKEN_FILE" placeholder:"FILE" help:"File that holds the token."`
	CACert    string `group:"Which server" name:"ca-cert" env:"CLOUDPAM_CA_CERT" placeholder:"FILE" help:"PEM file of the authority that signed the server's certificate."`
}

// Open reads what the configuration names, and the login. It asks nothing yet.
func (c Config) Open(opts ...cloudpam.Option) (*cloudpam.Client, error) {
	stored, err := ReadLogin()
	if err != nil {
		return nil, err
	}
	to := Login{Endpoint: cmp.Or(c.Endpoint, stored.Endpoint, local), Token: c.Token, CACert: c.CACert}
	if c.TokenFile != "" && c.Token == "" {
		text, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("CLOUDPAM_TOKEN_FILE: %w", err)
		}
		to.Token = strings.TrimSpace(string(text))
	}
	if sameServer(to.Endpoint, stored.Endpoint) { // a stored token is told to nobody else
		to.Token, to.CACert = cmp.Or(to.Token, stored.Token), cmp.Or(to.CACert, stored.CACert)
	}
	if to.Token == "" {
		return nil, fmt.Errorf("no token for %s; set CLOUDPAM_TOKEN, or CLOUDPAM_TOKEN_FILE to a file that holds one, or log in: cloudpam login %s", to.Endpoint, to.Endpoint)
	}
	return to.Open(opts...)
}

// Open returns a client of the server that the login is of. It asks nothing yet.
func (l Login) Open(opts ...cloudpam.Option) (*cloudpam.Client, error) {
	opts = append([]cloudpam.Option{cloudpam.WithUserAgent("cloudpam-cli"), cloudpam.WithRequestTimeout(patience), cloudpam.WithRetries(2)}, opts...)
	if l.CACert != "" {
		opts = append(opts, cloudpam.WithCAFile(l.CACert))
	}
	return cloudpam.New(l.Endpoint, l.Token, opts...)
}

func sameServer(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }
