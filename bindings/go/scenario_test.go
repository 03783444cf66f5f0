package chatblock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"example.invalid/chatblock"
)

// step is one step of the scenario that all bindings go through; ../README.md says what each does.
type step struct {
	Do         string
	Config     json.RawMessage
	From       string
	To         []string
	Type       string
	Start, Max uint32
	Command    string
	Request    string
	Owner      string
	Peer       string
	Owners     []string
	Accounts   []string
	Count      int
	Tag        uint64
	SDKAppID   uint32
	Key        string
	Identifier string
	Expire     int
	UserSig    string
	Query      string
	Body       string
	MaxGrowth  int `json:"max_growth_mib"`
	Function   string
	Argument   string
	Index      int
	Value      any
	Expect     map[string]any
}

// facts are what a step found, under the names of the expectations.
type facts map[string]any

func TestScenario(t *testing.T) {
	text, err := os.ReadFile("../scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	var scenario struct {
		About string
		Steps []step
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&scenario); err != nil {
		t.Fatal(err)
	}
	actor := actor{ctx: context.Background()}
	for number, step := range scenario.Steps {
		do, known := doers[step.Do]
		if !known {
			t.Fatalf("step %d: %q is unknown", number+1, step.Do)
		}
		found, err := do(&actor, step)
		if err != nil {
			t.Fatalf("step %d, %s: %v", number+1, step.Do, err)
		}
		for name, expected := range step.Expect {
			if why := differs(name, expected, found); why != "" {
				t.Fatalf("step %d, %s: %s", number+1, step.Do, why)
			}
		}
	}
	fmt.Printf("scenario: %d steps\n", len(scenario.Steps))
}

// differs says how what was found is not as expected; "" when it is.
func differs(name string, expected any, found facts) string {
	actual, isThere := found[name]
	if !isThere {
		return fmt.Sprintf("%s is expected, and nothing was found about it", name)
	}
	actual = asJSON(actual)
	if matches(name, expected, actual) {
		return ""
	}
	return fmt.Sprintf("%s: expected %v, found %v", name, expected, actual)
}

// asJSON is a value as it would come out of a JSON text.
func asJSON(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	return out
}

// resultFacts are those of a call.
func resultFacts(result *chatblock.Result, err error) (facts, error) {
	if err != nil {
		return errorFacts(err)
	}
	return factsOf(result), nil
}
