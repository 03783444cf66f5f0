package chatblock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"example.invalid/chatblock"
)

func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(example)+"```") {
		t.Fatal("README.md does not show example/main.go")
	}
}

func ExampleClient_Submit() {
	client, err := chatblock.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	err = client.Submit(42, "black_list_add", `{"From_Account":"ann","To_Account":["bob"]}`)
	if err != nil {
		log.Fatal(err)
	}
	done := <-client.Completions()
	fmt.Println(done.Tag, done.Status, done.Err)
	// Output: 42 OK <nil>
}

func ExampleError() {
	client, err := chatblock.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, err = client.Add(context.Background(), "ann", "ann")
	var failure *chatblock.Error
	switch {
	case errors.Is(err, chatblock.ErrBusy): // nothing was accepted, try again later
	case errors.As(err, &failure) && failure.ServiceCode == 30013: // the list is full
	}
	fmt.Println(failure.Status, failure.ServiceCode)
	// Output: ERR_SERVICE 30001
}
