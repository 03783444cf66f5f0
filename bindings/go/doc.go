// SPDX-License-Identifier: MIT OR Apache-2.0

// Package chatblock implements per-player block lists for game servers.
//
// It speaks the blocklist calls of Tencent Cloud Chat to the cloud service, or answers them by an engine inside
// this process, with the same answers. It needs libchatblock, which it finds with pkg-config.
//
//	client, err := chatblock.Open(nil) // the engine inside this process, in memory
//	...
//	defer client.Close()
//	result, err := client.Add(ctx, "ann", "bob") // ann no longer wants to hear bob
//	answer, err := client.IsBlocked("ann", "bob") // from memory, per message
//
// # Calls
//
// Add, Delete, Get, Check and Call wait for the answer of the service and hold only their goroutine meanwhile, no
// thread. For many calls at once start many goroutines. When the context ends first, the call is cancelled: if it
// was not sent yet, the error is also ErrCancelled and nothing happened; otherwise a write may still happen.
// Submit hands a call over without waiting, and Completions says what became of it.
//
// # Errors
//
// An error of the library is an *Error. Ask for a reason with errors.Is and a Status, such as
//
//	if errors.Is(err, chatblock.ErrBusy) { ... }
//
// and for details with errors.As. Partial is not an error: the items of the result say what happened.
//
// # Goroutines
//
// A Client may be used by any number of goroutines at once, also while it is closed: what comes too late is
// ErrClosed. Results and errors are plain values; there is nothing to free. A Client that is no longer reachable
// is closed by the garbage collector.
package chatblock
