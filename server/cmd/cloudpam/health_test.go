package main

import (
	"strings"
	"testing"
)

func TestTheHealthOfAServerIsAskedWhereItListens(t *testing.T) {
	p := place{dir: t.TempDir()}
	address, _, stop := p.serve(t)
	port := address[strings.LastIndex(address, ":"):]
	for _, listen := range []string{address, "localhost" + port} {
		p.settings = []string{"CLOUDPAM_LISTEN=" + listen}
		if out, _ := p.want(t, 0, "healthcheck"); out != "ready\n" {
			t.Errorf("%s: it says %q", listen, out)
		}
	}
	stop()
	if _, problem := p.want(t, 1, "healthcheck"); !strings.Contains(problem, "no answer") {
		t.Errorf("of a server that is gone it says %q", problem)
	}
	p.settings = []string{"CLOUDPAM_LISTEN=8080"}
	if _, problem := p.want(t, 2, "healthcheck"); !strings.Contains(problem, "127.0.0.1:8080") {
		t.Errorf("of a port without a host it says %q", problem)
	}
}
