package torture

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestShutdownAnswersWhatIsUnderWayAndRefusesTheRest(t *testing.T) {
	database := storetest.SQLite(t)
	s := start(t, database)
	admin := newClient("admin")
	admin.createPool(t, s.URL, poolName(0), "10.0.0.0/16", "")
	admin.http.CloseIdleConnections()

	// Half a request makes the shutdown happen in the middle of it, whatever the machine's speed.
	address := strings.TrimPrefix(s.URL, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"pool":"pool-00","name":"under-way","prefix_length":24}`
	head := fmt.Sprintf("POST /api/v1/allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", secret, len(body))
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	// "100 Continue" says that the server has begun to read the body, so the request is under way.
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	s.terminate(t)
	var dialer net.Dialer
	for { // until it refuses, or the tests' own time is over
		probe, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			break
		}
		probe.Close()
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatalf("the request under way got no answer: %v", err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("the request under way got %s: %s, %v", res.Status, text, err)
	}
	got, err := decode(answer{body: text})
	if err != nil {
		t.Fatal(err)
	}
	s.exited(t)

	var held ledger
	if err := held.hold(got.block("allocation")); err != nil {
		t.Fatal(err)
	}
	held.compare(t, admin.blocks(t, start(t, database).URL))
	verify(t, database)
}

func TestASecondServerOnTheSameFileIsRefused(t *testing.T) {
	database := storetest.SQLite(t)
	first := start(t, database)
	second := launch(t, database)
	if err := second.Ready(t.Context()); err == nil {
		t.Fatal("the second server runs")
	}
	<-second.Ended
	if code := second.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	want := fmt.Sprintf("another CloudPAM (process %d) has the database open", first.PID())
	if said := second.Log(); !strings.Contains(said, want) {
		t.Errorf("it says %q, want %q in it", said, want)
	}
	admin := newClient("admin")
	admin.createPool(t, first.URL, poolName(0), "10.0.0.0/16", "") // the first one is as well as before
}
