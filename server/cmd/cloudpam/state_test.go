package main

import (
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/server/internal/cloud/aws/awsfake"
)

func TestStatesSayWhoManagesWhatAWSHas(t *testing.T) {
	const secret, account = "cpam_test_0123456789abcdefghijklmnopqrstuv", "111122223333"
	cloud := awsfake.New([]string{"eu-west-1"}, account)
	vpc := cloud.AddNetwork(account, "eu-west-1", "prod", netip.MustParsePrefix("10.64.0.0/16"))
	ids := make([]string, 3)
	for i := range ids {
		ids[i] = cloud.AddSubnet(account, "eu-west-1", vpc, "app", netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 64, byte(i), 0}), 24))
	}
	aws := httptest.NewServer(cloud)
	defer aws.Close()
	p := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_BOOTSTRAP_TOKEN=" + secret, "CLOUDPAM_CLOUDS=aws", "AWS_ENDPOINT_URL=" + aws.URL, "AWS_ACCESS_KEY_ID=" + awsfake.AccessKey(account), "AWS_SECRET_ACCESS_KEY=none", "AWS_REGION=eu-west-1"}}
	address, _, stop := p.serve(t)
	defer stop()
	if code, body := ask(t, "POST", "http://"+address+"/api/v1/accounts", secret, `{"cloud":"aws","external_id":"`+account+`","name":"prod"}`); code != 201 {
		t.Fatal(code, body)
	}
	client := place{dir: t.TempDir(), settings: []string{"CLOUDPAM_ENDPOINT=http://" + address, "CLOUDPAM_TOKEN=" + secret}}
	client.want(t, 0, "sync", "aws:"+account)

	write := func(name, text string) string {
		path := filepath.Join(client.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	first := write("prod.tfstate", `{"version":4,"serial":7,"lineage":"one","outputs":{"password":{"value":"hunter2"}},"resources":[
		{"mode":"managed","type":"aws_subnet","name":"zone","module":"module.net","instances":[
			{"index_key":"a","attributes":{"id":"`+ids[0]+`","tags":{"secret":"hunter2"}}},{"index_key":"b","attributes":{"id":"`+ids[1]+`"}}]},
		{"mode":"data","type":"aws_subnet","name":"seen","instances":[{"attributes":{"id":"`+ids[2]+`"}}]},
		{"mode":"managed","type":"aws_subnet","name":"old","instances":[{"index_key":0,"attributes":{"id":"subnet-gone"}}]}]}`)
	second := write("other.tfstate", `{"version":4,"serial":1,"lineage":"two","resources":[{"mode":"managed","type":"aws_subnet","name":"b","instances":[{"attributes":{"id":"`+ids[1]+`"}}]}]}`)
	out, _ := client.want(t, 3, "state", "push", "--json", first, second)
	var joined cloudpam.StateJoin
	if err := json.Unmarshal([]byte(out), &joined); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, s := range joined.Items {
		places := string(s.Managed)
		for _, at := range s.By {
			places += " " + at.State + ":" + at.Address
		}
		said[strings.TrimPrefix(s.ID, "aws:")] = places
	}
	for id, want := range map[string]string{
		ids[0]: `once prod.tfstate:module.net.aws_subnet.zone["a"]`,
		ids[1]: `twice other.tfstate:aws_subnet.b prod.tfstate:module.net.aws_subnet.zone["b"]`,
		ids[2]: "no",
	} {
		if said[id] != want {
			t.Errorf("of %s it says %q, want %q", id, said[id], want)
		}
	}
	if len(joined.Items) != 3 || len(joined.Gone) != 1 || joined.Gone[0].Address != "aws_subnet.old[0]" {
		t.Errorf("it says %s", out)
	}
	if out, _ := client.want(t, 3, "state", "push", first, second); !strings.Contains(out, "3 subnets in clouds, 1 in states and in no cloud") || strings.Contains(out, "hunter2") {
		t.Errorf("it says %s", out)
	}
	if _, problem := client.want(t, 2, "state", "push", write("old.tfstate", `{"version":3}`)); !strings.Contains(problem, "terraform state pull") {
		t.Errorf("of an old state it says %s", problem)
	}
	if _, problem := client.want(t, 2, "state", "push", "nothing.tfstate"); !strings.Contains(problem, "nothing.tfstate") {
		t.Errorf("of no state it says %s", problem)
	}
}
