package chatblock_test

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"example.invalid/chatblock"
)

// matches compares values of JSON; "<any>" is any value, and some names compare in their own way.
func matches(name string, expected, actual any) bool {
	switch name {
	case "message_has":
		return strings.Contains(actual.(string), expected.(string))
	case "starts_with":
		return strings.HasPrefix(actual.(string), expected.(string))
	case "has":
		return hasMembers(expected.(map[string]any), actual)
	case "pairs":
		return fmt.Sprint(sorted(expected)) == fmt.Sprint(sorted(actual))
	}
	return equal(expected, actual)
}

func equal(expected, actual any) bool {
	if expected == "<any>" {
		return true
	}
	switch expected := expected.(type) {
	case map[string]any:
		actual, isObject := actual.(map[string]any)
		if !isObject || len(actual) != len(expected) {
			return false
		}
		for name, value := range expected {
			member, isThere := actual[name]
			if !isThere || !equal(value, member) {
				return false
			}
		}
		return true
	case []any:
		actual, isArray := actual.([]any)
		if !isArray || len(actual) != len(expected) {
			return false
		}
		for i, value := range expected {
			if !equal(value, actual[i]) {
				return false
			}
		}
		return true
	}
	return expected == actual
}

// hasMembers looks for members by their path, such as "calls.add.pending".
func hasMembers(expected map[string]any, document any) bool {
	for path, value := range expected {
		member := document
		for _, name := range strings.Split(path, ".") {
			object, isObject := member.(map[string]any)
			if !isObject {
				return false
			}
			member = object[name]
		}
		if !equal(value, member) {
			return false
		}
	}
	return true
}

func sorted(array any) []string {
	var texts []string
	for _, value := range array.([]any) {
		texts = append(texts, fmt.Sprint(value))
	}
	sort.Strings(texts)
	return texts
}

func factsOf(result *chatblock.Result) facts {
	items, timed := [][]any{}, true
	for _, item := range result.Items {
		items = append(items, []any{item.Account, item.Status.String(), item.Code, item.Relation.String()})
		age := time.Since(item.Time)
		timed = timed && age > -time.Minute && age < time.Minute
	}
	found := facts{
		"status":       result.Status.String(),
		"service_code": result.ServiceCode,
		"retryable":    result.Retryable,
		"message_has":  result.Message,
		"command":      result.Command,
		"from":         result.Owner,
		"next_index":   result.NextIndex,
		"items":        items,
		"timed":        timed,
	}
	if len(result.JSON) > 0 {
		found["json"] = result.JSON
	}
	return found
}

// errorFacts are those of an error of the library; any other error fails the step.
func errorFacts(err error) (facts, error) {
	var failure *chatblock.Error
	if !errors.As(err, &failure) || !errors.Is(err, failure.Status) {
		return nil, fmt.Errorf("%T is no error of the library: %w", err, err)
	}
	found := facts{}
	if failure.Result != nil {
		found = factsOf(failure.Result)
	}
	found["status"] = failure.Status.String()
	found["service_code"] = failure.ServiceCode
	found["retryable"] = failure.Retryable
	found["message_has"] = failure.Message
	return found, nil
}
