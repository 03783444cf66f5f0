package chatblock

// #include "result.h"
import "C"

import (
	"encoding/json"
	"time"
	"unsafe"
)

// Result is what a call answered. It is a plain value and outlives its client.
type Result struct {
	Status      Status
	ServiceCode int    // of the first account that failed; 0 when there is none
	Retryable   bool   // the same call may succeed later without anybody changing anything
	Message     string // a sentence for people; "" when everything is as wanted

	Command   string // for example "black_list_add"
	Owner     string // the owner of the list that was read or changed
	Items     []Item // one for each account of the call, in its order; for Get one for each entry
	NextIndex uint32 // Get: where the next page starts; 0 when the listing is complete

	// JSON is the service's answer object with the service's field names; empty when there was no answer.
	JSON json.RawMessage

	// Tag is the number that was given to Submit; 0 for other calls.
	Tag uint64
}

// Item is what became of one account.
type Item struct {
	Account  string
	Status   Status    // OK, Unchanged, ErrService (see Code), or why there is no answer for this account
	Code     int       // the service's own code; 0 for success
	Relation Relation  // Check only
	Time     time.Time // Get only: when the account was blocked
}

// Relation says who blocks whom between the owner A and the account B of a Check.
type Relation int32

const (
	RelationNone    = Relation(C.CHATBLOCK_RELATION_NONE)     // not a Check, or the item failed: no statement
	RelationNo      = Relation(C.CHATBLOCK_RELATION_NO)       // no block, in the directions asked about
	RelationAWithB  = Relation(C.CHATBLOCK_RELATION_A_WITH_B) // A blocks B; with CheckBoth also: B does not block A
	RelationBWithA  = Relation(C.CHATBLOCK_RELATION_B_WITH_A) // B blocks A, A does not block B
	RelationBothWay = Relation(C.CHATBLOCK_RELATION_BOTH_WAY) // each blocks the other
)

// String is the name as in the service's documentation, for example "A_WITH_B".
func (r Relation) String() string {
	names := [...]string{"NONE", "NO", "A_WITH_B", "B_WITH_A", "BOTH_WAY"}
	if r < 0 || int(r) >= len(names) {
		return "?"
	}
	return names[r]
}

// take copies a result and frees it.
func take(result *C.chatblock_result) *Result {
	defer C.chatblock_result_free(result)
	var view C.struct_result_view
	C.view_result(result, &view)
	return &Result{
		Status:      Status(view.status),
		ServiceCode: int(view.service_code),
		Retryable:   view.retryable != 0,
		Message:     C.GoString(view.message),
		Command:     C.GoString(view.command),
		Owner:       C.GoString(view.owner),
		Items:       takeItems(result, int(view.item_count)),
		NextIndex:   uint32(view.next_index),
		JSON:        C.GoBytes(unsafe.Pointer(view.json), C.int(view.json_len)),
		Tag:         uint64(view.tag),
	}
}

func takeItems(result *C.chatblock_result, count int) []Item {
	if count == 0 {
		return nil
	}
	views := make([]C.struct_item_view, count)
	C.view_items(result, &views[0], C.size_t(count))
	items := make([]Item, count)
	for i, view := range views {
		items[i] = Item{
			Account:  C.GoString(view.account),
			Status:   Status(view.status),
			Code:     int(view.code),
			Relation: Relation(view.relation),
		}
		if view.time != 0 {
			items[i].Time = time.Unix(int64(view.time), 0)
		}
	}
	return items
}

// outcome is the result of a call in Go's manner: what is not done is an error, and carries the result.
func (r *Result) outcome() (*Result, error) {
	if r.Status >= 0 {
		return r, nil
	}
	return nil, &Error{
		Status:      r.Status,
		ServiceCode: r.ServiceCode,
		Retryable:   r.Retryable,
		Message:     r.Message,
		Result:      r,
	}
}
