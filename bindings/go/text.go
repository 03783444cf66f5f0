package chatblock

// #include <stdlib.h>
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// text is a NUL-terminated copy of a string in Go's memory, which C may read during a call.
type text []byte

// newText refuses what C would read as a shorter text.
func newText(argument, value string) (text, error) {
	if strings.IndexByte(value, 0) >= 0 {
		return nil, invalid(argument, "contains a NUL byte")
	}
	copied := make(text, len(value)+1)
	copy(copied, value)
	return copied, nil
}

func (t text) c() *C.char { return (*C.char)(unsafe.Pointer(&t[0])) }

// wipe overwrites a secret.
func (t text) wipe() {
	for i := range t {
		t[i] = 0
	}
}

// list is an array of NUL-terminated texts in one block of C memory: Go's memory cannot hold it, because C must
// not be given Go pointers to Go pointers.
type list struct {
	block unsafe.Pointer
	count C.size_t
}

// newList copies values into a block that has to be freed.
func newList(argument string, values []string) (list, error) {
	const word = int(unsafe.Sizeof(uintptr(0)))
	table := (len(values) + 1) * word // never empty, so that it has an address
	size := table
	for i, value := range values {
		if strings.IndexByte(value, 0) >= 0 {
			return list{}, invalid(fmt.Sprintf("%s[%d]", argument, i), "contains a NUL byte")
		}
		size += len(value) + 1
	}
	block := C.malloc(C.size_t(size)) // never nil: the process ends instead
	// Numbers, because storing a pointer lets the garbage collector look at what was there before: anything.
	pointers := unsafe.Slice((*uintptr)(block), len(values))
	texts := unsafe.Slice((*byte)(unsafe.Add(block, table)), size-table)
	for i, value := range values {
		pointers[i] = uintptr(unsafe.Pointer(&texts[0]))
		copy(texts, value)
		texts[len(value)] = 0
		texts = texts[len(value)+1:]
	}
	return list{block, C.size_t(len(values))}, nil
}

func (l list) c() **C.char { return (**C.char)(l.block) }

func (l list) free() { C.free(l.block) }
