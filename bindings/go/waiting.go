package chatblock

import "sync"

// ownTags is the first tag of the calls that a goroutine waits for; those below belong to users of Submit.
const ownTags = 1 << 63

// calls are those that a goroutine waits for, by tag.
type calls struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan *Result
}

func (c *calls) init() { c.waiting = make(map[uint64]chan *Result) }

// begin registers a call. The channel gets exactly one result, unless the call is forgotten.
func (c *calls) begin() (tag uint64, done <-chan *Result) {
	result := make(chan *Result, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	tag = ownTags | c.last
	c.waiting[tag] = result
	return tag, result
}

// forget drops a call whose result nobody wants.
func (c *calls) forget(tag uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, tag)
}

// end hands a result to the goroutine that waits for it, if one still does.
func (c *calls) end(result *Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if done, waits := c.waiting[result.Tag]; waits {
		delete(c.waiting, result.Tag)
		result.Tag = 0
		done <- result
	}
}

// endAll ends every call for which no completion will come.
func (c *calls) endAll(why *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for tag, done := range c.waiting {
		delete(c.waiting, tag)
		done <- &Result{Status: why.Status, Message: why.Message}
	}
}
