package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Login is what "cloudpam login" keeps in the user's own configuration: a server, and a token of it.
type Login struct {
	Endpoint string `json:"endpoint"`
	Token    string `json:"token"`
	CACert   string `json:"ca_cert,omitempty"`
}

// loginFile is where the login is; the empty string where nobody has a configuration of his own, as in a job of cron.
func loginFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "cloudpam", "login.json")
}

// ReadLogin returns the login, which is empty where there is none. One that others may read is refused: its token is theirs as well.
func ReadLogin() (l Login, err error) {
	name := loginFile()
	info, err := os.Stat(name)
	switch {
	case name == "" || errors.Is(err, fs.ErrNotExist):
		return l, nil
	case err != nil:
		return l, fmt.Errorf("read the login: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return l, fmt.Errorf("others can read the token in %s; end it, and log in again", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return l, fmt.Errorf("read the login: %w", err)
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("%s is no login, %w; remove it, and log in again", name, err)
	}
	return l, nil
}

// Save keeps the login in place of the one before, for nobody but its user, and returns where.
func (l Login) Save() (string, error) {
	name := loginFile()
	if name == "" {
		return "", errors.New("there is no place to keep a login: set HOME or XDG_CONFIG_HOME, or use CLOUDPAM_ENDPOINT and CLOUDPAM_TOKEN")
	}
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the login: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", fmt.Errorf("keep the login: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".login-") // of mode 0600, and whole before it has the name
	if err != nil {
		return "", fmt.Errorf("keep the login: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return "", fmt.Errorf("keep the login: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return name, nil
}

// Forget removes the login and reports whether there was one.
func Forget() (bool, error) {
	err := os.Remove(loginFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("remove the login: %w", err)
	}
	return true, nil
}
