package chatblock

import (
	"sync"
	"unsafe"
)

// guard is a lock for many readers. A sync.RWMutex alone has one place to which all readers write, and with many
// cores the hot path would wait for that; here goroutines are spread over several.
type guard [16]struct {
	sync.RWMutex
	_ [128 - unsafe.Sizeof(sync.RWMutex{})%128]byte // lines of their own
}

// enter keeps closers out until the lock that it gives is unlocked for reading.
func (g *guard) enter() *sync.RWMutex {
	var here byte // on the stack of the goroutine, and stacks are at least 2 KiB apart
	lock := &g[uintptr(unsafe.Pointer(&here))>>11%uintptr(len(g))].RWMutex
	lock.RLock()
	return lock
}

// exclude runs change while nobody is inside.
func (g *guard) exclude(change func()) {
	for i := range g {
		g[i].Lock()
		defer g[i].Unlock()
	}
	change()
}
