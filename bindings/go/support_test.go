package chatblock_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.invalid/chatblock"
)

const (
	testApp = 1400000001
	testKey = "synthetic-key-for-tests-0001"
)

// everyCall is every way to use a client, by name.
func everyCall(client *chatblock.Client) map[string]func() error {
	ctx := context.Background()
	return map[string]func() error{
		"Add":           func() error { _, err := client.Add(ctx, "ann", "bob"); return err },
		"Delete":        func() error { _, err := client.Delete(ctx, "ann", "bob"); return err },
		"Check":         func() error { _, err := client.Check(ctx, "ann", chatblock.CheckBoth, "bob"); return err },
		"Get":           func() error { _, err := client.Get(ctx, "ann", 0, 10); return err },
		"Call":          func() error { _, err := client.Call(ctx, "black_list_get", "{}"); return err },
		"Submit":        func() error { return client.Submit(1, "black_list_get", "{}") },
		"Cancel":        func() error { _, err := client.Cancel(1); return err },
		"Flush":         func() error { return client.Flush(ctx) },
		"Sync":          func() error { return client.Sync(ctx) },
		"IsBlocked":     func() error { _, err := client.IsBlocked("ann", "bob"); return err },
		"IsBlockedMany": func() error { _, err := client.IsBlockedMany([]string{"ann"}, "bob"); return err },
		"BlockedPairs":  func() error { _, _, err := client.BlockedPairs([]string{"ann", "bob"}); return err },
		"Watch":         func() error { return client.Watch("ann") },
		"Unwatch":       func() error { return client.Unwatch("ann") },
		"ApplyWebhook":  func() error { _, err := client.ApplyWebhook("", nil); return err },
		"Stats":         func() error { _, err := client.Stats(); return err },
	}
}

func open(t testing.TB, config any) *chatblock.Client {
	t.Helper()
	client, err := chatblock.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// remote is the configuration of a client of the service at address.
func remote(address string, more map[string]any) map[string]any {
	config := map[string]any{"sdkappid": testApp, "secret_key": testKey, "base_url": "http://" + address}
	for key, value := range more {
		config[key] = value
	}
	return config
}

// serve runs the service of the command line on loopback until the test ends, and gives its address.
func serve(t *testing.T, more map[string]any) string {
	t.Helper()
	config := map[string]any{"backend": "embedded", "sdkappid": testApp, "secret_key": testKey}
	for key, value := range more {
		config[key] = value
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "serve.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Getenv("CHATBLOCK_PREFIX")+"/bin/chatblock", "serve", "--config", file)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), "listening on http://")
	return address
}

// silence is the address of a service that takes connections and never answers.
func silence(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			defer connection.Close()
		}
	}()
	return listener.Addr().String()
}

// eventually waits until what is true.
func eventually(t *testing.T, what string, isTrue func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !isTrue(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 seconds", what)
		}
	}
}
