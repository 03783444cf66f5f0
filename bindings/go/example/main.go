package main

import (
	"context"
	"fmt"
	"log"

	"example.invalid/chatblock"
)

func main() {
	client, err := chatblock.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.Add(context.Background(), "ann", "bob")
	answer, _ := client.IsBlocked("ann", "bob")
	fmt.Println(err, result.Status, string(result.JSON), answer)
}
