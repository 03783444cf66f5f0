#ifndef CHATBLOCK_H
#define CHATBLOCK_H

/* Made by cbindgen from src/ffi; change it there and run `make header`. */

#include <stddef.h>
#include <stdint.h>

/*
 * chatblock - Tencent Cloud Chat blocklists for C and for every language that can call C.
 *
 * Rules that hold for every function (each comment only says what differs):
 *
 *   Strings     in: UTF-8, NUL-terminated, borrowed until the call returns.
 *               out: UTF-8, NUL-terminated, owned by the object they came from.
 *   Ownership   open/close for the client, free for a result. Nothing else is ever freed.
 *   Threads     a `const chatblock_client *` may be used by any number of threads at once.
 *               A result belongs to one thread at a time.
 *   NULL        never crashes: a NULL argument is CHATBLOCK_ERR_ARGUMENT, a NULL result
 *               reads as that error with empty text, freeing or closing NULL does nothing.
 *   Lifetime    a result outlives its client; free them in any order.
 *   Time        `timeout_ms`: 0 = do not wait, -1 = wait without limit.
 *   Errors      0 or more = done, negative = not done. No errno, no thread-local state.
 *   fork()      a client works only in the process that opened it (CHATBLOCK_ERR_FORKED).
 */

#define CHATBLOCK_VERSION_MAJOR 0
#define CHATBLOCK_VERSION_MINOR 1
#define CHATBLOCK_VERSION_PATCH 0
#define CHATBLOCK_VERSION_NUMBER 0x000100

#if defined(_WIN32) && !defined(CHATBLOCK_STATIC)
#define CHATBLOCK_API __declspec(dllimport)
#else
#define CHATBLOCK_API
#endif


/**
 * Outcome of a call. Values are never renumbered or reused; new ones may appear.
 */
enum chatblock_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Items only: was as wanted already.
     */
    CHATBLOCK_UNCHANGED = 2,
    /**
     * Done for some accounts, not for others: read the items.
     */
    CHATBLOCK_PARTIAL = 1,
    /**
     * Done; every account is as wanted now.
     */
    CHATBLOCK_OK = 0,
    /**
     * NULL, not UTF-8, or out of range.
     */
    CHATBLOCK_ERR_ARGUMENT = -1,
    /**
     * Bad configuration; message names the key.
     */
    CHATBLOCK_ERR_CONFIG = -2,
    /**
     * Bad request JSON; nothing was sent.
     */
    CHATBLOCK_ERR_REQUEST = -3,
    /**
     * The service said FAIL: see service_code.
     */
    CHATBLOCK_ERR_SERVICE = -4,
    /**
     * No valid answer; a write may have happened.
     */
    CHATBLOCK_ERR_NETWORK = -5,
    /**
     * Out of time; a write may have happened.
     */
    CHATBLOCK_ERR_TIMEOUT = -6,
    /**
     * Queue full; nothing was accepted.
     */
    CHATBLOCK_ERR_BUSY = -7,
    /**
     * Cancelled before it was sent.
     */
    CHATBLOCK_ERR_CANCELLED = -8,
    /**
     * The client is closing.
     */
    CHATBLOCK_ERR_CLOSED = -9,
    /**
     * The store or the outbox failed.
     */
    CHATBLOCK_ERR_STORAGE = -10,
    /**
     * Local state has no answer: use check.
     */
    CHATBLOCK_ERR_UNKNOWN = -11,
    /**
     * UserSig or webhook did not verify.
     */
    CHATBLOCK_ERR_SIGNATURE = -12,
    /**
     * Not on this platform or backend.
     */
    CHATBLOCK_ERR_UNSUPPORTED = -13,
    /**
     * Client used after fork().
     */
    CHATBLOCK_ERR_FORKED = -14,
    /**
     * A bug in the library; the client answers only this.
     */
    CHATBLOCK_ERR_PANIC = -15,
    /**
     * Name, connection or TLS failed, or no turn came in time; nothing was sent.
     */
    CHATBLOCK_ERR_CONNECT = -16,
    /**
     * Not answered; the write is recorded in the outbox and will be sent: do not repeat it.
     */
    CHATBLOCK_ERR_QUEUED = -17,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum chatblock_status chatblock_status;
#else
typedef int32_t chatblock_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which directions chatblock_blocklist_check() looks at.
 */
enum chatblock_check_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Does the owner block the account?
     */
    CHATBLOCK_CHECK_SINGLE = 1,
    /**
     * The same, and does the account block the owner?
     */
    CHATBLOCK_CHECK_BOTH = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum chatblock_check_type chatblock_check_type;
#else
typedef int32_t chatblock_check_type;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Who blocks whom between the owner A and the account B.
 */
enum chatblock_relation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Not a check, or the item failed: no statement.
     */
    CHATBLOCK_RELATION_NONE = 0,
    /**
     * No block, in the directions asked about.
     */
    CHATBLOCK_RELATION_NO = 1,
    /**
     * A blocks B; with CHATBLOCK_CHECK_BOTH also: B does not block A.
     */
    CHATBLOCK_RELATION_A_WITH_B = 2,
    /**
     * B blocks A, A does not block B.
     */
    CHATBLOCK_RELATION_B_WITH_A = 3,
    /**
     * Each blocks the other.
     */
    CHATBLOCK_RELATION_BOTH_WAY = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum chatblock_relation chatblock_relation;
#else
typedef int32_t chatblock_relation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Blocklists behind one handle: opened once, shared by any number of threads, closed once.
 */
typedef struct chatblock_client chatblock_client;

/**
 * What a call answered: status, message, JSON and items. Never changes; outlives its client.
 */
typedef struct chatblock_result chatblock_result;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * VERSION. The version of the library that is running, as 0xMMmmpp.
 *
 * Compare it with CHATBLOCK_VERSION_NUMBER, the version of the header a program was built with.
 *
 * @return major << 16 | minor << 8 | patch.
 *
 * Threads: any.  Blocks: never.  Since: 0.1.
 */
CHATBLOCK_API uint32_t chatblock_version_number(void);

/**
 * The version of the library that is running, as text, for example "0.1.0".
 *
 * @return a constant text; never NULL.
 *
 * Threads: any.  Blocks: never.  Since: 0.1.
 */
CHATBLOCK_API const char *chatblock_version(void);

/**
 * The name of a status, for example "CHATBLOCK_ERR_TIMEOUT".
 *
 * @param status  any number.
 * @return a constant text; "CHATBLOCK_ERR_?" for a number that this version does not know.
 *
 * Threads: any.  Blocks: never.  Since: 0.1.
 */
CHATBLOCK_API const char *chatblock_status_name(chatblock_status status);

/**
 * CLIENT. Open a client with a configuration in JSON.
 *
 * "{}" is the engine inside this process, in memory. With "sdkappid" and a secret key the calls go to
 * the cloud service. The README lists every key with its default and unit. Unknown keys are errors.
 *
 * @param config_json  one JSON object. It may contain a secret key: wipe your copy after the call.
 * @param out_error    may be NULL. Receives NULL on success, else a result that says why: CONFIG names
 *                     the key or file, STORAGE the store; free it with chatblock_result_free().
 * @return a client for chatblock_client_close(), or NULL; nothing is left behind then.
 *
 * Owns: the caller owns the client and the error.  Threads: any.  Blocks: while a durable store is
 * read.  Since: 0.1.
 *
 * # Safety
 * Strings are NULL or NUL-terminated; out_error is NULL or points to a writable pointer.
 */
CHATBLOCK_API
chatblock_client *chatblock_client_open(const char *config_json,
                                        chatblock_result **out_error);

/**
 * End a client: refuse new calls, wake those that wait, give everything back.
 *
 * Calls under way return CLOSED, and a write among them may have happened; what was accepted and is not
 * done is dropped: flush before, to let it finish. With an outbox, writes are recorded first, return
 * QUEUED, and go out when it is opened again. Results stay valid. Starting a call concurrently with
 * or after close is undefined. In a forked child this frees the handle and touches nothing else.
 *
 * @param client      may be NULL: nothing happens then.
 * @param timeout_ms  milliseconds to wait for threads of the library that are still on the network;
 *                    0 = do not wait, negative = no limit.
 * @return OK, or TIMEOUT when work was dropped or such a thread is left; it ends by itself.
 *
 * Owns: takes the client.  Threads: one, and nobody uses the client any more.  Blocks: up to
 * timeout_ms.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or came from chatblock_client_open() and is not closed.
 */
CHATBLOCK_API
chatblock_status chatblock_client_close(chatblock_client *client,
                                        int32_t timeout_ms);

/**
 * BLOCKING CALLS. Block accounts: owner no longer wants to hear targets.
 *
 * Lists of more than 1000 accounts go out in parts; after a part that fails as a whole the rest is
 * not sent. An account that is blocked already counts as done (item status UNCHANGED).
 *
 * @param owner  the owner of the list, 1 to 32 bytes.
 * @param targets   count account ids.
 * @param count         1 to 100,000.
 * @return a result, never NULL: OK, PARTIAL, SERVICE (30003 not imported, 30013 list full, ...);
 *         NETWORK, TIMEOUT (a write may have happened), CONNECT (nothing was sent), QUEUED (recorded in
 *         the outbox and will be sent: do not repeat it), BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_add.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; targets has count elements.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_add(const chatblock_client *client,
                                          const char *owner,
                                          const char *const *targets,
                                          size_t count);

/**
 * Unblock accounts.
 *
 * An account that is not blocked counts as done (item status UNCHANGED). Everything else is as with
 * chatblock_blocklist_add().
 *
 * @param owner  the owner of the list, 1 to 32 bytes.
 * @param targets   count account ids.
 * @param count         1 to 100,000.
 * @return as chatblock_blocklist_add().
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_delete.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; targets has count elements.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_delete(const chatblock_client *client,
                                             const char *owner,
                                             const char *const *targets,
                                             size_t count);

/**
 * Read one page of a list, oldest entry first.
 *
 * Each item is an entry: account and time. Go on with chatblock_result_next_index() until it is 0;
 * entries that are removed meanwhile shift the pages.
 *
 * @param owner  the owner of the list, 1 to 32 bytes.
 * @param start_index   offset of the first entry; 0 at first.
 * @param limit   size of the page, 1 to 1000.
 * @return a result, never NULL: OK (also for an empty list), SERVICE, NETWORK, TIMEOUT, CONNECT,
 *         BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_get.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; owner is NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_get(const chatblock_client *client,
                                          const char *owner,
                                          uint32_t start_index,
                                          uint32_t limit);

/**
 * Ask who blocks whom.
 *
 * Each item has a relation between owner (A) and the account (B). Read the item's status
 * first: a failed item has relation NONE.
 *
 * @param owner  the owner A, 1 to 32 bytes.
 * @param targets   count account ids, each one B.
 * @param count         1 to 100,000.
 * @param check_type    CHATBLOCK_CHECK_SINGLE or CHATBLOCK_CHECK_BOTH.
 * @return a result, never NULL: OK, PARTIAL, SERVICE, NETWORK, TIMEOUT, CONNECT, BUSY, STORAGE,
 *         ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_check.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; targets has count elements.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_check(const chatblock_client *client,
                                            const char *owner,
                                            const char *const *targets,
                                            size_t count,
                                            int32_t check_type);

/**
 * Make one call with the service's own request JSON.
 *
 * The same way and the same result as the typed functions, for hosts to which JSON comes easier.
 *
 * @param command       "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
 * @param request_json  the request object of that command; at most 1000 accounts.
 * @return as the typed function of that command; ARGUMENT for another command, REQUEST for a request
 *         that is refused before anything is sent (the message names the member).
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: the named command.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_call(const chatblock_client *client,
                                        const char *command,
                                        const char *request_json);

/**
 * CALLS WITHOUT WAITING. Block accounts; the answer comes as one completion with this tag.
 *
 * The call is copied and accepted; chatblock_client_poll() finds what became of it. Writes of one
 * owner keep their order, and those that wait are merged into one request; a check sees the writes before it,
 * and perhaps some after it.
 *
 * @param owner  the owner of the list, 1 to 32 bytes.
 * @param targets   count account ids.
 * @param count         1 to 100,000.
 * @param tag           comes back with chatblock_result_tag(); need not be unique.
 * @return OK = accepted, exactly one completion follows; ARGUMENT, BUSY (queue full), CLOSED, FORKED,
 *         PANIC: nothing was accepted.
 *
 * Owns: nothing; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_add.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; targets has count elements.
 */
CHATBLOCK_API
chatblock_status chatblock_blocklist_add_async(const chatblock_client *client,
                                               const char *owner,
                                               const char *const *targets,
                                               size_t count,
                                               uint64_t tag);

/**
 * Unblock accounts; the answer comes as one completion with this tag.
 *
 * @param owner  the owner of the list, 1 to 32 bytes.
 * @param targets   count account ids.
 * @param count         1 to 100,000.
 * @param tag           comes back with chatblock_result_tag().
 * @return as chatblock_blocklist_add_async().
 *
 * Owns: nothing; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_delete.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; targets has count elements.
 */
CHATBLOCK_API
chatblock_status chatblock_blocklist_delete_async(const chatblock_client *client,
                                                  const char *owner,
                                                  const char *const *targets,
                                                  size_t count,
                                                  uint64_t tag);

/**
 * Ask who blocks whom; the answer comes as one completion with this tag.
 *
 * It sees every write of owner that was accepted before, except those in an outbox that keep
 * failing (stats key queue.set_aside): the message of the result says so. Behind other writes in an
 * outbox it waits at most "call_ms" from now, and completes with CONNECT then; otherwise its time
 * begins when it is sent.
 *
 * @param owner  the owner A, 1 to 32 bytes.
 * @param targets   count account ids, each one B.
 * @param count         1 to 100,000.
 * @param check_type    CHATBLOCK_CHECK_SINGLE or CHATBLOCK_CHECK_BOTH.
 * @param tag           comes back with chatblock_result_tag().
 * @return as chatblock_blocklist_add_async().
 *
 * Owns: nothing; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_check.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; targets has count elements.
 */
CHATBLOCK_API
chatblock_status chatblock_blocklist_check_async(const chatblock_client *client,
                                                 const char *owner,
                                                 const char *const *targets,
                                                 size_t count,
                                                 int32_t check_type,
                                                 uint64_t tag);

/**
 * Make one call with the service's own request JSON; the answer comes as one completion with this tag.
 *
 * @param command       "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
 * @param request_json  the request object of that command; at most 1000 accounts.
 * @param tag           comes back with chatblock_result_tag().
 * @return as chatblock_blocklist_add_async(); REQUEST for a request that is refused at once.
 *
 * Owns: nothing; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: the named command.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_status chatblock_client_submit(const chatblock_client *client,
                                         const char *command,
                                         const char *request_json,
                                         uint64_t tag);

/**
 * Take the next completion.
 *
 * Several threads may poll: each completion is taken once. With an outbox, a write of an earlier client
 * completes only when it is refused, with tag 0.
 *
 * @param timeout_ms  milliseconds; 0 = only look, negative = no limit.
 * @return a result for chatblock_result_free(); NULL on timeout, after chatblock_client_wakeup(), when
 *         the client is closing, and for a client that is NULL, forked or met a bug
 *         (chatblock_client_flush(client, 0) tells which).
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_poll(const chatblock_client *client,
                                        int32_t timeout_ms);

/**
 * A descriptor that is readable while a completion or a wake-up waits, for select, poll and epoll.
 *
 * With EPOLLET, poll the client until it returns NULL: each arrival after that is an edge. A read of
 * the descriptor fails and changes nothing. Do not close it.
 *
 * @return a descriptor that lives as long as the client, or a negative status: UNSUPPORTED, ARGUMENT,
 *         FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open.
 */
CHATBLOCK_API
int32_t chatblock_client_event_fd(const chatblock_client *client);

/**
 * Wake one chatblock_client_poll(), now or next: it gives NULL.
 *
 * @return OK, ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open.
 */
CHATBLOCK_API chatblock_status chatblock_client_wakeup(const chatblock_client *client);

/**
 * Cancel the calls with this tag that were not sent yet. Each still completes, with CANCELLED.
 *
 * @param tag  as given to the call.
 * @return how many were cancelled, or a negative status: ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never on network or disk; briefly on a lock.
 * Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open.
 */
CHATBLOCK_API int32_t chatblock_client_cancel(const chatblock_client *client, uint64_t tag);

/**
 * Wait until everything accepted before this call is on disk.
 *
 * @param timeout_ms  milliseconds; 0 = only look, negative = no limit.
 * @return OK, TIMEOUT when work is left (it goes on), STORAGE when the outbox failed and it never will
 *         be, or when a write since the last sync found no room (its completion says so too),
 *         UNSUPPORTED without "path" or "outbox.path", ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open.
 */
CHATBLOCK_API
chatblock_status chatblock_client_sync(const chatblock_client *client,
                                       int32_t timeout_ms);

/**
 * Wait until everything accepted before this call has its completion queued, polled or not.
 *
 * @param timeout_ms  milliseconds; 0 = only look, negative = no limit.
 * @return OK, TIMEOUT when work is left (it goes on), ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open.
 */
CHATBLOCK_API
chatblock_status chatblock_client_flush(const chatblock_client *client,
                                        int32_t timeout_ms);

/**
 * HOT PATH. Does owner block peer? In about the time of one memory access.
 *
 * The embedded engine knows every owner. On the remote backend an owner is known after
 * chatblock_client_watch() has read the list, or a complete listing; UNKNOWN is never "no": treat it as
 * your game wants (deliver and watch, or ask with chatblock_blocklist_check()). A write of this client
 * shows when it is confirmed. An account never blocks itself.
 *
 * @param owner  whose list is asked about, 1 to 32 bytes; not checked to be UTF-8.
 * @param peer   who may be on it, likewise.
 * @return 1 = blocked, 0 = not blocked, or a negative status: UNKNOWN (nothing is known of the owner),
 *         ARGUMENT (NULL, empty or too long), FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
int32_t chatblock_client_is_blocked(const chatblock_client *client,
                                    const char *owner,
                                    const char *peer);

/**
 * Who may hear this player: which of these owners block peer? Faster than one by one when
 * the lists are larger than the processor's caches.
 *
 * @param owners  count account ids; the same one may stand there twice.
 * @param count   1 to 2147483647.
 * @param peer    who may be on their lists, 1 to 32 bytes.
 * @param out     room for count answers: 1 = blocked, 0 = not blocked, or a negative status of this owner:
 *                UNKNOWN, ARGUMENT (NULL, empty or too long).
 * @return how many are 1, or a negative status, and nothing is written then: ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; owners and out have count elements.
 */
CHATBLOCK_API
int32_t chatblock_client_is_blocked_many(const chatblock_client *client,
                                         const char *const *owners,
                                         size_t count,
                                         const char *peer,
                                         int8_t *out);

/**
 * May these share a match: which of these accounts block which?
 *
 * @param accounts     count account ids; the same one may stand there twice.
 * @param count        1 to 10,000: each is asked about each.
 * @param out_pairs    room for 2 * capacity indices: the owner and the blocked account of each pair, in
 *                     order of owners. NULL when capacity is 0.
 * @param capacity     how many pairs fit; what is beyond is counted and not written.
 * @param out_unknown  may be NULL. Receives how many of the accounts are not known as owners.
 * @return how many pairs there are, also beyond capacity, or a negative status, and nothing is written
 *         then: ARGUMENT (also when an account is NULL, empty or too long), FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; accounts has count elements, out_pairs
 * 2 * capacity; out_unknown is NULL or writable.
 */
CHATBLOCK_API
int32_t chatblock_client_blocked_pairs(const chatblock_client *client,
                                       const char *const *accounts,
                                       size_t count,
                                       uint32_t *out_pairs,
                                       size_t capacity,
                                       size_t *out_unknown);

/**
 * Know these owners from now on, such as players who log in: their lists are read in the background,
 * and again and again ("cache.refresh_s").
 *
 * @param owners  count account ids.
 * @param count   1 to 100,000.
 * @return OK (at once, and always on the embedded engine, which knows everybody), ARGUMENT (also
 *         for an invalid account: nothing is watched then), BUSY, CLOSED, FORKED, PANIC.
 *
 * Owns: nothing; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_get.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; owners has count elements.
 */
CHATBLOCK_API
chatblock_status chatblock_client_watch(const chatblock_client *client,
                                        const char *const *owners,
                                        size_t count);

/**
 * Let go of owners, such as players who log out: their lists are not read again, and forgotten first when
 * room is needed.
 *
 * @param owners  count account ids; one that is not watched does no harm.
 * @param count   1 to 100,000.
 * @return as chatblock_client_watch().
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; strings are NULL or NUL-terminated; owners has count elements.
 */
CHATBLOCK_API
chatblock_status chatblock_client_unwatch(const chatblock_client *client,
                                          const char *const *owners,
                                          size_t count);

/**
 * RESULT. How the call ended.
 *
 * @param result  may be NULL: reads as ARGUMENT.
 * @return a chatblock_status; zero or more = done.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API chatblock_status chatblock_result_status(const chatblock_result *result);

/**
 * The service's own code: of the first account that failed, or the ErrorCode of a refusal.
 *
 * @param result  may be NULL.
 * @return the code, for example 30013 for a full list; 0 when there is none.
 *
 * Threads: one at a time.  Blocks: never.  Service: ResultCode, ErrorCode.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API int32_t chatblock_result_service_code(const chatblock_result *result);

/**
 * Whether the same call may succeed later without anybody changing anything.
 *
 * Repeating is safe: blocking twice or unblocking twice is not an error. Do not repeat an add after a
 * later delete of the same account.
 *
 * @param result  may be NULL.
 * @return 1 or 0.
 *
 * Threads: one at a time.  Blocks: never.  Service: none.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
int32_t chatblock_result_retryable(const chatblock_result *result);

/**
 * A sentence for people: what failed, why, and the next step. Not for branching.
 *
 * @param result  may be NULL.
 * @return a text that lives as long as the result; "" when everything is as wanted. A get or check
 *         that did not wait for writes that are set aside is OK and says so here.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API const char *chatblock_result_message(const chatblock_result *result);

/**
 * The service's answer object as JSON, with the service's field names; also for PARTIAL and SERVICE.
 *
 * For a call that was sent in parts it is one object: items in request order, the accounts that failed
 * in Fail_Account, accounts without an answer only there.
 *
 * @param result  may be NULL.
 * @return a text that lives as long as the result; "" when there was no answer.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
 * Service: all four commands.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
const char *chatblock_result_json(const chatblock_result *result);

/**
 * The length of chatblock_result_json() in bytes, without the NUL.
 *
 * @param result  may be NULL.
 * @return bytes.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API size_t chatblock_result_json_len(const chatblock_result *result);

/**
 * The number that the caller gave the call.
 *
 * @param result  may be NULL.
 * @return the tag of a call that was not waited for; 0 for a blocking call.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API uint64_t chatblock_result_tag(const chatblock_result *result);

/**
 * The command of the call, in the service's words.
 *
 * @param result  may be NULL.
 * @return "black_list_add", "black_list_delete", "black_list_get", "black_list_check", or "".
 *
 * Owns: a constant.  Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API const char *chatblock_result_command(const chatblock_result *result);

/**
 * The owner of the list that was read or changed.
 *
 * @param result  may be NULL.
 * @return a text that lives as long as the result; "" when the call did not get that far.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API const char *chatblock_result_from_account(const chatblock_result *result);

/**
 * How many items there are: one per account of the request, in its order; for get one per entry.
 *
 * @param result  may be NULL.
 * @return the number of items; 0 when the call did not become a request.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API size_t chatblock_result_item_count(const chatblock_result *result);

/**
 * The account of an item.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return a text that lives as long as the result; "" when there is no such item.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
const char *chatblock_result_item_account(const chatblock_result *result,
                                          size_t index);

/**
 * What became of one account.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return OK, UNCHANGED (was so already), SERVICE (see the item's code), or why there is no answer for
 *         this account: NETWORK, TIMEOUT, CONNECT, QUEUED, CANCELLED, CLOSED; ARGUMENT when there is no such
 *         item.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
chatblock_status chatblock_result_item_status(const chatblock_result *result,
                                              size_t index);

/**
 * The service's raw ResultCode for one account.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return the code; 0 for success, for entries of get, and where there is no code.
 *
 * Threads: one at a time.  Blocks: never.  Service: ResultCode.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API int32_t chatblock_result_item_code(const chatblock_result *result, size_t index);

/**
 * Check: who blocks whom.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return a chatblock_relation; CHATBLOCK_RELATION_NONE for a failed item and for other commands.
 *
 * Threads: one at a time.  Blocks: never.  Service: black_list_check.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API int32_t chatblock_result_item_relation(const chatblock_result *result, size_t index);

/**
 * Get: when the account was blocked.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return Unix seconds (AddBlackTimeStamp); 0 for other commands.
 *
 * Threads: one at a time.  Blocks: never.  Service: black_list_get.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API int64_t chatblock_result_item_time(const chatblock_result *result, size_t index);

/**
 * Get: where the next page starts.
 *
 * @param result  may be NULL.
 * @return the start_index of the next call; 0 when the listing is complete, and for other commands.
 *
 * Threads: one at a time.  Blocks: never.  Service: black_list_get.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API uint32_t chatblock_result_next_index(const chatblock_result *result);

/**
 * The signature that chatblock_usersig_generate() made. A secret: do not log it.
 *
 * @param result  may be NULL.
 * @return a text that lives as long as the result and is wiped with it; "" for other results.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
 * Service: UserSig version 2.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API const char *chatblock_result_usersig(const chatblock_result *result);

/**
 * Give a result back. Every text that was read from it is gone then.
 *
 * @param result  may be NULL: nothing happens then.
 *
 * Owns: takes the result.  Threads: one at a time; the client may be closed already.
 * Blocks: never.  Since: 0.1.
 *
 * # Safety
 * `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API void chatblock_result_free(chatblock_result *result);

/**
 * USERSIG. Make the signature with which an identifier logs in or a REST call is signed.
 *
 * The clients of the library sign by themselves; this is for handing signatures to players.
 *
 * @param sdkappid        the app, from the console; not 0.
 * @param secret_key      the app's secret key, used as text. Never kept, never in a message.
 * @param identifier      the user, 1 to 32 bytes without control characters.
 * @param expire_seconds  life of the signature in seconds, at most 50 years (1,576,800,000); with 0 it
 *                        is valid only within the second in which it was made.
 * @return a result, never NULL: OK with chatblock_result_usersig(), or ARGUMENT.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: never.
 * Service: UserSig version 2.  Since: 0.1.
 *
 * # Safety
 * Strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_usersig_generate(uint32_t sdkappid,
                                             const char *secret_key,
                                             const char *identifier,
                                             uint32_t expire_seconds);

/**
 * Verify a signature at the present time: was it made with this key, for this app and user, and is it
 * still valid?
 *
 * @param sdkappid    the app it should be for; not 0.
 * @param secret_key  the app's secret key, used as text. Never kept, never in a message.
 * @param identifier  the user it should be for, 1 to 32 bytes without control characters.
 * @param usersig     the signature.
 * @return a result, never NULL: OK; SIGNATURE with service_code 70003 (not a signature), 70014 (other
 *         app), 70013 (other user), 70001 (expired) or 70009 (other key), and a message in plain words;
 *         ARGUMENT.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: never.
 * Service: UserSig version 2.  Since: 0.1.
 *
 * # Safety
 * Strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_usersig_verify(uint32_t sdkappid,
                                           const char *secret_key,
                                           const char *identifier,
                                           const char *usersig);

/**
 * Take a webhook of the service: verify it, and learn what it says.
 *
 * Give it what your HTTP server received, and send chatblock_result_json() back as the body, with HTTP
 * status 200, in every case. An add blocks its pairs for chatblock_client_is_blocked() at once; after an add
 * and after a delete the lists concerned are read again, so duplicates, loss and reordering do no harm.
 * Owners of whom nothing is known are ignored. Without "webhook.token" every webhook is refused, unless
 * "webhook.unsigned" is true.
 *
 * @param query     the query string of the request, after the question mark.
 * @param body      its body; need not be NUL-terminated. May be NULL when body_len is 0.
 * @param body_len  bytes of body.
 * @return a result, never NULL: OK; SIGNATURE (forged, stale, another app), REQUEST (not a webhook of a
 *         blocklist), UNSUPPORTED (embedded engine), ARGUMENT, BUSY, CLOSED, FORKED, PANIC: nothing was
 *         learned.
 *
 * Owns: the caller owns the result.  Threads: any, at once.
 * Blocks: never on network or disk; briefly on a lock.
 * Service: Sns.CallbackBlackListAdd, Sns.CallbackBlackListDelete.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; query is NULL or NUL-terminated; body is NULL or has body_len bytes.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_apply_webhook(const chatblock_client *client,
                                                 const char *query,
                                                 const char *body,
                                                 size_t body_len);

/**
 * BACKUP. Copy the durable store ("path") or the outbox ("outbox.path") of a client while it goes on.
 *
 * The copy is one file with everything that was on disk when the function was called; call
 * chatblock_client_sync() before to have all accepted writes in it. Do not copy the files of an open client by other
 * means: each is three files, and they change. The command `chatblock restore` puts a copy back.
 *
 * @param client  the client.
 * @param path    a new file: what is there already is never replaced. A relative path is taken from the current
 *                directory. Mode 0600.
 * @return a result, never NULL: OK when the copy is on disk; UNSUPPORTED where nothing is on disk, STORAGE,
 *         ARGUMENT, BUSY when no thread can start, CLOSED, FORKED, PANIC: there is no copy then.
 *
 * Owns: the caller owns the result.  Threads: any, at once; other calls go on.  Blocks: until the file is copied and
 * synced.  Service: none.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or open; path is NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_backup(const chatblock_client *client,
                                          const char *path);

/**
 * LOOKING INSIDE. What a client says about itself, as one JSON object, taken at one moment.
 *
 * Its groups: "calls" (what became of them, by command: accepted = confirmed + refused + in_doubt +
 * not_sent + cancelled + pending, always), "queue" (what waits), "requests" (what was sent), "latency" (whole calls,
 * in microseconds), "log"; on the remote backend also "retries" (by reason), "rate" (calls per second)
 * and "service" (breaker, host, connections, expiry of the signature). The README lists every key with
 * its unit under "Stats". Later versions may add keys. It contains no secret and no account.
 *
 * @param client  the client.
 * @return a result, never NULL: OK with chatblock_result_json(); ARGUMENT, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: never on network or disk. While it
 * looks, other calls wait, and it looks at every owner that has work.  Service: none.  Since: 0.1.
 *
 * # Safety
 * `client` is NULL or came from chatblock_client_open() and is not closed.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_stats(const chatblock_client *client);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CHATBLOCK_H */
