/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef CHATBLOCK_H
#define CHATBLOCK_H

/* Made by cbindgen from src/ffi; change it there and run `make header`. */

#include <stddef.h>
#include <stdint.h>

/**
 * @mainpage chatblock
 *
 * Per-player block lists for game servers, for C and for every language that can call C. The library speaks
 * the four blocklist calls of Tencent Cloud Chat (add, delete, get, check). It sends them to the cloud
 * service, or answers them itself with an engine inside the process. Configuration selects which; functions,
 * results and JSON are the same.
 *
 * @code{.c}
 * #include <chatblock.h>
 * #include <stdio.h>
 *
 * int main(void)
 * {
 *     chatblock_result *result = NULL;
 *     chatblock_client *client = chatblock_client_open("{}", &result);
 *     if (client != NULL) {
 *         const char *targets[] = {"bob", "cat"};
 *         result = chatblock_blocklist_add(client, "ann", targets, 2);
 *     }
 *     int failed = chatblock_result_status(result) != CHATBLOCK_OK;
 *     if (failed)
 *         fprintf(stderr, "%s\n", chatblock_result_message(result));
 *     else
 *         printf("ann blocks bob: %d\n", chatblock_client_is_blocked(client, "ann", "bob"));
 *     chatblock_result_free(result);
 *     chatblock_client_close(client, 1000);
 *     return failed;
 * }
 * @endcode
 *
 * Build: `cc example.c $(pkg-config --cflags --libs chatblock)`.
 *
 * | topic | functions |
 * | --- | --- |
 * | @ref group_client | open and close |
 * | @ref group_blocklist | add, delete, get, check: wait for the answer |
 * | @ref group_submit | the same without waiting; completions are polled |
 * | @ref group_cached_checks | who blocks whom, from memory, per message |
 * | @ref group_result, @ref group_items | what a call returned |
 * | @ref group_status | statuses, directions of a check, relations |
 * | @ref group_usersig, @ref group_webhook | signatures, and changes that the service reports |
 * | @ref group_backup, @ref group_stats, @ref group_version | operation |
 *
 * C++17 and later: @ref chatblock.hpp has the same functions with containers, views and lambdas.
 *
 * @section rules Rules for all functions
 *
 * The comment of a function says only what differs.
 *
 * - **Strings**: arguments are UTF-8, NUL-terminated, and borrowed until the call returns. Returned strings
 *   are UTF-8, NUL-terminated, and owned by the object they came from.
 * - **Ownership**: chatblock_client_close() ends a client, chatblock_result_free() frees a result. Nothing
 *   else is ever freed.
 * - **Threads**: any number of threads may use a `const chatblock_client *` at once. A result belongs to one
 *   thread at a time.
 * - **NULL** never crashes: a NULL argument is CHATBLOCK_ERR_ARGUMENT, a NULL result reads as that error with
 *   empty strings, and to free or close NULL does nothing.
 * - **pthread_cancel()** is held back inside a function and is acted on at the caller's next cancellation point
 *   after it; end a long wait with chatblock_client_wakeup() or a `timeout_ms`. A thread that calls the library
 *   does not use PTHREAD_CANCEL_ASYNCHRONOUS, which POSIX allows with three functions only.
 * - **Lifetime**: a result may outlive its client; free them in any order.
 * - **Time**: `timeout_ms` is in milliseconds; 0 = do not wait, -1 = no limit.
 * - **Errors**: a status of 0 or more = done, negative = not done. Comments name statuses without
 *   `CHATBLOCK_` and `ERR_`. There is no errno and no thread-local state.
 * - **Numbers** of enumerations never change and are never reused. Later versions may add some.
 * - **fork()**: a client works only in the process that opened it (CHATBLOCK_ERR_FORKED).
 *
 * The last lines of a comment name what a function owns, the threads that may call it, what it waits for, the
 * command or field of the service behind it, and the version that introduced it.
 */

/**
 * @file chatblock.h
 * @brief The C interface. Rules for all functions: @ref rules.
 */

/**
 * @addtogroup group_version
 * @{
 */
#define CHATBLOCK_VERSION_MAJOR 0
#define CHATBLOCK_VERSION_MINOR 1
#define CHATBLOCK_VERSION_PATCH 0
/** The version of this header as 0xMMmmpp; see chatblock_version_number(). */
#define CHATBLOCK_VERSION_NUMBER 0x000100
/** @} */

#if defined(_WIN32) && !defined(CHATBLOCK_STATIC)
#define CHATBLOCK_API __declspec(dllimport)
#else
#define CHATBLOCK_API
#endif

/**
 * @defgroup group_status Types and constants
 *
 * All enumerations have the size of int32_t. A function refuses a number that is not in the enumeration.
 *
 * @{
 */

/**
 * Outcome of a call. Values are never renumbered or reused; new ones may appear.
 */
enum chatblock_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Of items only: the account was as wanted already.
     */
    CHATBLOCK_UNCHANGED = 2,
    /**
     * Done for some accounts and not for others: read the items.
     */
    CHATBLOCK_PARTIAL = 1,
    /**
     * Done: every account is as wanted now.
     */
    CHATBLOCK_OK = 0,
    /**
     * An argument is NULL, not UTF-8, or out of range.
     */
    CHATBLOCK_ERR_ARGUMENT = -1,
    /**
     * Bad configuration; the message names the key.
     */
    CHATBLOCK_ERR_CONFIG = -2,
    /**
     * Bad request JSON; nothing was sent.
     */
    CHATBLOCK_ERR_REQUEST = -3,
    /**
     * The service answered FAIL: see chatblock_result_service_code().
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
     * The queue is full; nothing was accepted.
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
     * The owner is not cached: watch it, or use a check.
     */
    CHATBLOCK_ERR_UNKNOWN = -11,
    /**
     * The signature of a user or of a webhook did not verify.
     */
    CHATBLOCK_ERR_SIGNATURE = -12,
    /**
     * Not available on this platform or backend.
     */
    CHATBLOCK_ERR_UNSUPPORTED = -13,
    /**
     * The client was opened before fork(): open another one in the child.
     */
    CHATBLOCK_ERR_FORKED = -14,
    /**
     * A bug in the library; from now on every call of the client returns this.
     */
    CHATBLOCK_ERR_PANIC = -15,
    /**
     * Name resolution, connection or TLS failed, or the call was still queued when its time ended; nothing was
     * sent.
     */
    CHATBLOCK_ERR_CONNECT = -16,
    /**
     * Not answered yet: the write is recorded in the outbox and will be sent. Do not repeat it.
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
 * Who blocks whom between the owner A and the target B.
 */
enum chatblock_relation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Not a check, or the item failed.
     */
    CHATBLOCK_RELATION_NONE = 0,
    /**
     * No block in the directions asked about.
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
 * The directions that chatblock_blocklist_check() asks about.
 */
enum chatblock_check_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Does the owner block the target?
     */
    CHATBLOCK_CHECK_SINGLE = 1,
    /**
     * The same, and does the target block the owner?
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
 * A handle to block lists: opened once, shared by any number of threads, closed once.
 */
typedef struct chatblock_client chatblock_client;

/**
 * The result of a call: status, message, JSON and items. It never changes and may outlive its client.
 */
typedef struct chatblock_result chatblock_result;

/** @} */

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @defgroup group_version Version
 *
 * The version of the library at run time; the macros are the version of this header.
 *
 * @{
 */

/**
 * The version of the library at run time, as 0xMMmmpp.
 *
 * Compare it with CHATBLOCK_VERSION_NUMBER, the version of the header that a program was compiled with.
 *
 * @return major << 16 | minor << 8 | patch.
 *
 * Threads: any.  Blocks: never.  Since: 0.1.
 */
CHATBLOCK_API
uint32_t chatblock_version_number(void);

/**
 * The version of the library at run time as a string, for example "0.1.0".
 *
 * @return a constant string; never NULL.
 *
 * Threads: any.  Blocks: never.  Since: 0.1.
 */
CHATBLOCK_API const char *chatblock_version(void);

/**
 * The name of a status, for example "CHATBLOCK_ERR_TIMEOUT".
 *
 * @param status  any number.
 * @return a constant string; "CHATBLOCK_ERR_?" for a number that this version does not define.
 *
 * Threads: any.  Blocks: never.  Since: 0.1.
 */
CHATBLOCK_API const char *chatblock_status_name(chatblock_status status);

/** @} */

/**
 * @defgroup group_client Client
 *
 * A client is one configuration with its connections, queue, cache and store. Any number of threads share
 * it. It is opened once and closed once.
 *
 * @{
 */

/**
 * Open a client with a configuration in JSON.
 *
 * "{}" selects the embedded engine, in memory. With "sdkappid" and a secret key, calls go to the cloud
 * service. The manual page chatblock-config(5) lists every key with its default and unit. Unknown keys are
 * errors.
 *
 * @param config_json  one JSON object. It may contain a secret key: wipe your copy after the call.
 * @param out_error    may be NULL. Receives NULL on success, otherwise a result with the reason: CONFIG
 *                     names the key or file, STORAGE the store; free it with chatblock_result_free().
 * @return a client for chatblock_client_close(); NULL on failure: no file or thread remains.
 *
 * Owns: the caller owns the client and the error.  Threads: any.  Blocks: while a durable store is
 * read.  Since: 0.1.
 *
 * @pre Strings are NULL or NUL-terminated; `out_error` is NULL or points to a writable pointer.
 */
CHATBLOCK_API
chatblock_client *chatblock_client_open(const char *config_json,
                                        chatblock_result **out_error);

/**
 * Close a client: refuse new calls, wake waiting threads, release all resources.
 *
 * Calls in progress return CLOSED, and a write among them may have happened. Accepted calls that are not
 * finished are dropped; call chatblock_client_flush() before to let them finish. With an outbox, writes are
 * recorded first, return QUEUED, and are sent when the outbox is opened again. Results stay valid. Starting
 * a call concurrently with or after close is undefined behaviour. In a forked child this frees the handle
 * only.
 *
 * @param client      may be NULL: nothing happens.
 * @param timeout_ms  milliseconds to wait for threads of the library that still use the network;
 *                    0 = do not wait, negative = no limit.
 * @return OK; TIMEOUT when work was dropped or such a thread remains, which ends by itself. Lines of the
 *         log have 250 ms of the time, and those that are not written by then are dropped.
 *
 * Owns: takes the client.  Threads: one; no other thread uses the client any more.  Blocks: up to
 * timeout_ms.  Since: 0.1.
 *
 * @pre `client` is NULL or came from chatblock_client_open() and is not closed.
 */
CHATBLOCK_API
chatblock_status chatblock_client_close(chatblock_client *client,
                                        int32_t timeout_ms);

/** @} */

/**
 * @defgroup group_blocklist Blocking calls
 *
 * Each function waits for the answer and returns it as a result. Use them from worker threads; a tick
 * thread uses the asynchronous calls.
 *
 * @{
 */

/**
 * Block accounts: put the targets on the block list of the owner.
 *
 * More than 1000 targets are sent as several requests; after a request that fails as a whole the rest is
 * not sent. A target that is blocked already counts as done (item status UNCHANGED).
 *
 * @param owner    the owner of the list, 1 to 32 bytes.
 * @param targets  count account ids.
 * @param count    1 to 100,000.
 * @return a result, never NULL: OK, PARTIAL, SERVICE (30003 not imported, 30013 list full, ...);
 *         NETWORK, TIMEOUT (the write may have happened), CONNECT (nothing was sent), QUEUED (recorded in
 *         the outbox and will be sent: do not repeat it), BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_add.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_add(const chatblock_client *client,
                                          const char *owner,
                                          const char *const *targets,
                                          size_t count);

/**
 * Unblock accounts: take the targets off the block list of the owner.
 *
 * A target that is not blocked counts as done (item status UNCHANGED). Everything else is as with
 * chatblock_blocklist_add().
 *
 * @param owner    the owner of the list, 1 to 32 bytes.
 * @param targets  count account ids.
 * @param count    1 to 100,000.
 * @return as chatblock_blocklist_add().
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_delete.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_delete(const chatblock_client *client,
                                             const char *owner,
                                             const char *const *targets,
                                             size_t count);

/**
 * Read one page of a block list, oldest block first.
 *
 * Each item is one blocked account with its time. Continue with chatblock_result_next_index() until it
 * is 0. An account that is unblocked between two pages shifts the later pages.
 *
 * @param owner        the owner of the list, 1 to 32 bytes.
 * @param start_index  offset of the first item; 0 for the first page.
 * @param limit        size of the page, 1 to 1000 items.
 * @return a result, never NULL: OK (also for an empty list), SERVICE, NETWORK, TIMEOUT, CONNECT,
 *         BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_get.  Since: 0.1.
 *
 * @pre `client` is NULL or open; `owner` is NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_get(const chatblock_client *client,
                                          const char *owner,
                                          uint32_t start_index,
                                          uint32_t limit);

/**
 * Ask the service who blocks whom.
 *
 * Each item has a relation between the owner (A) and the target (B). Read the status of the item first: a
 * failed item has the relation NONE.
 *
 * @param owner       the owner A, 1 to 32 bytes.
 * @param targets     count account ids, each one a B.
 * @param count       1 to 100,000.
 * @param check_type  CHATBLOCK_CHECK_SINGLE or CHATBLOCK_CHECK_BOTH; any other number is ARGUMENT.
 * @return a result, never NULL: OK, PARTIAL, SERVICE, NETWORK, TIMEOUT, CONNECT, BUSY, STORAGE,
 *         ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: black_list_check.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements.
 */
CHATBLOCK_API
chatblock_result *chatblock_blocklist_check(const chatblock_client *client,
                                            const char *owner,
                                            const char *const *targets,
                                            size_t count,
                                            chatblock_check_type check_type);

/**
 * Make one call with the request JSON of the service.
 *
 * The result is the same as that of the typed function. Use it from languages in which JSON is easier to
 * build than arrays of C strings.
 *
 * @param command       "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
 * @param request_json  the request object of that command, at most 1000 targets.
 * @return as the typed function of that command; ARGUMENT for another command, REQUEST for a request
 *         that is refused before anything is sent (the message names the member): a member that the command
 *         does not have is refused too, which the service itself ignores.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
 * Service: the named command.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_call(const chatblock_client *client,
                                        const char *command,
                                        const char *request_json);

/** @} */

/**
 * @defgroup group_submit Asynchronous calls
 *
 * Each function queues a call and returns at once; chatblock_client_poll() returns the completion.
 *
 * @{
 */

/**
 * Block accounts without waiting; the call ends with one completion that has this tag.
 *
 * The arguments are copied. chatblock_client_poll() returns the completion. Writes of one owner keep their
 * order, and those that are queued together are merged into one request. A check sees the writes accepted
 * before it, and perhaps some accepted after it.
 *
 * @param owner    the owner of the list, 1 to 32 bytes.
 * @param targets  count account ids.
 * @param count    1 to 100,000.
 * @param tag      returned by chatblock_result_tag(); need not be unique.
 * @param out_error  may be NULL. Receives NULL when the call was accepted, otherwise a result with the status
 *                   and a message that names the argument; free it with chatblock_result_free().
 * @return OK = accepted, exactly one completion follows; ARGUMENT, BUSY (queue full), CLOSED, FORKED,
 *         PANIC: nothing was accepted.
 *
 * Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_add.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements; `out_error` is
 * NULL or writable.
 */
CHATBLOCK_API
chatblock_status chatblock_blocklist_add_async(const chatblock_client *client,
                                               const char *owner,
                                               const char *const *targets,
                                               size_t count,
                                               uint64_t tag,
                                               chatblock_result **out_error);

/**
 * Unblock accounts without waiting; the call ends with one completion that has this tag.
 *
 * @param owner    the owner of the list, 1 to 32 bytes.
 * @param targets  count account ids.
 * @param count    1 to 100,000.
 * @param tag      returned by chatblock_result_tag().
 * @param out_error  as for chatblock_blocklist_add_async().
 * @return as chatblock_blocklist_add_async().
 *
 * Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_delete.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements; `out_error` is
 * NULL or writable.
 */
CHATBLOCK_API
chatblock_status chatblock_blocklist_delete_async(const chatblock_client *client,
                                                  const char *owner,
                                                  const char *const *targets,
                                                  size_t count,
                                                  uint64_t tag,
                                                  chatblock_result **out_error);

/**
 * Ask the service who blocks whom without waiting; the call ends with one completion that has this tag.
 *
 * It sees every write of the owner that was accepted before, except those in an outbox that keep failing
 * (stats key "queue.set_aside"): the message of the result says so. Behind other writes in an outbox it
 * waits at most "call_ms" from now and completes with CONNECT after that; otherwise its time starts when
 * it is sent.
 *
 * @param owner       the owner A, 1 to 32 bytes.
 * @param targets     count account ids, each one a B.
 * @param count       1 to 100,000.
 * @param check_type  CHATBLOCK_CHECK_SINGLE or CHATBLOCK_CHECK_BOTH; any other number is ARGUMENT.
 * @param tag         returned by chatblock_result_tag().
 * @param out_error   as for chatblock_blocklist_add_async().
 * @return as chatblock_blocklist_add_async().
 *
 * Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_check.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements; `out_error` is
 * NULL or writable.
 */
CHATBLOCK_API
chatblock_status chatblock_blocklist_check_async(const chatblock_client *client,
                                                 const char *owner,
                                                 const char *const *targets,
                                                 size_t count,
                                                 chatblock_check_type check_type,
                                                 uint64_t tag,
                                                 chatblock_result **out_error);

/**
 * Read one page of a block list without waiting; the call ends with one completion that has this tag.
 *
 * It sees the writes accepted before it, as chatblock_blocklist_check_async().
 *
 * @param owner        the owner of the list, 1 to 32 bytes.
 * @param start_index  offset of the first item; 0 for the first page.
 * @param limit        size of the page, 1 to 1000 items.
 * @param tag          returned by chatblock_result_tag().
 * @param out_error    as for chatblock_blocklist_add_async().
 * @return as chatblock_blocklist_add_async().
 *
 * Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: black_list_get.  Since: 0.1.
 *
 * @pre `client` is NULL or open; `owner` is NULL or NUL-terminated; `out_error` is NULL or writable.
 */
CHATBLOCK_API
chatblock_status chatblock_blocklist_get_async(const chatblock_client *client,
                                               const char *owner,
                                               uint32_t start_index,
                                               uint32_t limit,
                                               uint64_t tag,
                                               chatblock_result **out_error);

/**
 * Make one call with the request JSON of the service without waiting; it ends with one completion that has
 * this tag.
 *
 * @param command       "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
 * @param request_json  the request object of that command, at most 1000 targets.
 * @param tag           returned by chatblock_result_tag().
 * @param out_error     as for chatblock_blocklist_add_async(); its message names the member of the request.
 * @return as chatblock_blocklist_add_async(); REQUEST for a request that is refused at once.
 *
 * Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
 * Service: the named command.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `out_error` is NULL or writable.
 */
CHATBLOCK_API
chatblock_status chatblock_client_submit(const chatblock_client *client,
                                         const char *command,
                                         const char *request_json,
                                         uint64_t tag,
                                         chatblock_result **out_error);

/**
 * Take the next completion.
 *
 * Several threads may poll: each completion is taken once. With an outbox, a write that an earlier client
 * recorded completes only when it is refused, with tag 0.
 *
 * @param timeout_ms  milliseconds; 0 = do not wait, negative = no limit.
 * @return a result for chatblock_result_free(); NULL on timeout, after chatblock_client_wakeup(), when
 *         the client is closing, and for a client that is NULL, forked or has met a bug
 *         (chatblock_client_flush(client, 0) tells which).
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
 *
 * @pre `client` is NULL or open.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_poll(const chatblock_client *client,
                                        int32_t timeout_ms);

/**
 * A file descriptor that is readable while a completion or a wake-up is waiting, for select, poll and epoll.
 *
 * With EPOLLET, call chatblock_client_poll() until it returns NULL: each arrival after that is an edge. A
 * read of the descriptor fails and changes nothing. Do not close it.
 *
 * @return a descriptor that lives as long as the client, or a negative status: UNSUPPORTED, ARGUMENT,
 *         FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * @pre `client` is NULL or open.
 */
CHATBLOCK_API
int32_t chatblock_client_event_fd(const chatblock_client *client);

/**
 * Wake one chatblock_client_poll(), the current one or the next: it returns NULL.
 *
 * @return OK, ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * @pre `client` is NULL or open.
 */
CHATBLOCK_API chatblock_status chatblock_client_wakeup(const chatblock_client *client);

/**
 * Cancel the calls with this tag that are not sent yet. Each still completes, with CANCELLED.
 *
 * @param tag  as passed to the call.
 * @return the number of calls cancelled, or a negative status: ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never on network or disk; briefly on a lock.
 * Since: 0.1.
 *
 * @pre `client` is NULL or open.
 */
CHATBLOCK_API int32_t chatblock_client_cancel(const chatblock_client *client, uint64_t tag);

/**
 * Wait until everything accepted before this call is on disk.
 *
 * @param timeout_ms  milliseconds; 0 = do not wait, negative = no limit.
 * @return OK; TIMEOUT when work remains (it continues); STORAGE when the outbox failed for good, or when a
 *         write since the last sync found no room (its completion says so too); UNSUPPORTED without "path"
 *         or "outbox.path"; ARGUMENT, CLOSED, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
 *
 * @pre `client` is NULL or open.
 */
CHATBLOCK_API
chatblock_status chatblock_client_sync(const chatblock_client *client,
                                       int32_t timeout_ms);

/**
 * Wait until the completion of everything accepted before this call is queued, polled or not.
 *
 * @param timeout_ms  milliseconds; 0 = do not wait, negative = no limit.
 * @return OK, TIMEOUT when work remains (it continues), ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
 *
 * @pre `client` is NULL or open.
 */
CHATBLOCK_API
chatblock_status chatblock_client_flush(const chatblock_client *client,
                                        int32_t timeout_ms);

/** @} */

/**
 * @defgroup group_cached_checks Checks from memory
 *
 * Who blocks whom, from the cache: no JSON, no allocation, no lock, no network.
 *
 * @{
 */

/**
 * Does the owner block the peer? Takes about as long as one memory access.
 *
 * The embedded engine has every owner in memory. On the remote backend an owner is cached after
 * chatblock_client_watch() has read the list, or after a complete listing. UNKNOWN never means "no": decide
 * what suits your game (deliver and watch, or ask with chatblock_blocklist_check()). A write of this client
 * is visible when it is confirmed. An account never blocks itself.
 *
 * @param owner  the owner of the list, 1 to 32 bytes; not checked to be UTF-8.
 * @param peer   the account that may be on it, likewise.
 * @return 1 = blocked, 0 = not blocked, or a negative status: UNKNOWN (the owner is not cached), ARGUMENT
 *         (NULL, empty or too long), FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
int32_t chatblock_client_is_blocked(const chatblock_client *client,
                                    const char *owner,
                                    const char *peer);

/**
 * Which of these owners block the peer? Faster than one call per owner when the lists are larger than the
 * caches of the processor.
 *
 * @param owners  count account ids; duplicates are allowed.
 * @param count   1 to 2,147,483,647.
 * @param peer    the account that may be on their lists, 1 to 32 bytes.
 * @param out     room for count answers: 1 = blocked, 0 = not blocked, or a negative status of this owner:
 *                UNKNOWN, ARGUMENT (NULL, empty or too long).
 * @return how many answers are 1; or a negative status, and nothing is written: ARGUMENT, FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `owners` and `out` have count elements.
 */
CHATBLOCK_API
int32_t chatblock_client_is_blocked_many(const chatblock_client *client,
                                         const char *const *owners,
                                         size_t count,
                                         const char *peer,
                                         int8_t *out);

/**
 * Which of these accounts block which? For example: may these players share a match?
 *
 * @param accounts     count account ids; duplicates are allowed.
 * @param count        1 to 10,000: each is checked against each.
 * @param out_pairs    room for 2 * capacity indices: the owner and the blocked account of each pair, in
 *                     order of owners. NULL when capacity is 0.
 * @param capacity     how many pairs fit; further pairs are counted and not written.
 * @param out_unknown  may be NULL. Receives how many of the accounts are not cached as owners.
 * @return the number of pairs, also beyond capacity; or a negative status, and nothing is written: ARGUMENT
 *         (also when an account is NULL, empty or too long), FORKED, PANIC.
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `accounts` has count elements, `out_pairs`
 * 2 * capacity; `out_unknown` is NULL or writable.
 */
CHATBLOCK_API
int32_t chatblock_client_blocked_pairs(const chatblock_client *client,
                                       const char *const *accounts,
                                       size_t count,
                                       uint32_t *out_pairs,
                                       size_t capacity,
                                       size_t *out_unknown);

/**
 * Subscribe to owners: read their lists in the background and keep them fresh ("cache.refresh_s"). Call it
 * for example when players log in.
 *
 * @param owners  count account ids.
 * @param count   1 to 100,000.
 * @return OK (at once, and always on the embedded engine, which has every owner in memory), ARGUMENT (also
 *         for an invalid account), BUSY (there is no memory for all of them beside those that are watched: one
 *         owner for each 1024 bytes of "cache.max_bytes"), CLOSED, FORKED, PANIC. In case of an error none of
 *         these owners is watched that was not before.
 *
 * Owns: nothing; the strings are copied.  Threads: any, at once.  Blocks: never; the library's threads take the
 * owners a few at a time, so other calls do not wait for them.
 * Service: black_list_get.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `owners` has count elements.
 */
CHATBLOCK_API
chatblock_status chatblock_client_watch(const chatblock_client *client,
                                        const char *const *owners,
                                        size_t count);

/**
 * Unsubscribe from owners: their lists are not read again and are the first to be evicted. Call it for
 * example when players log out.
 *
 * @param owners  count account ids; one that is not watched is ignored.
 * @param count   1 to 100,000.
 * @return as chatblock_client_watch().
 *
 * Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
 *
 * @pre `client` is NULL or open; strings are NULL or NUL-terminated; `owners` has count elements.
 */
CHATBLOCK_API
chatblock_status chatblock_client_unwatch(const chatblock_client *client,
                                          const char *const *owners,
                                          size_t count);

/** @} */

/**
 * @defgroup group_result Results
 *
 * Every call is answered by a result. It never changes, and its strings live as long as it does.
 *
 * @{
 */

/**
 * The status of the call.
 *
 * @param result  may be NULL: reads as ARGUMENT.
 * @return zero or more = done, negative = not done.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API chatblock_status chatblock_result_status(const chatblock_result *result);

/**
 * The code of the service: the ResultCode of the first account that failed, or the ErrorCode of a refusal.
 *
 * @param result  may be NULL.
 * @return the code, for example 30013 for a full list; 0 when there is none.
 *
 * Threads: one at a time.  Blocks: never.  Service: ResultCode, ErrorCode.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
int32_t chatblock_result_service_code(const chatblock_result *result);

/**
 * Whether the same call may succeed later without a change by you.
 *
 * Repeating is safe: to block twice or to unblock twice is no error. Do not repeat an add after a later
 * delete of the same account.
 *
 * @param result  may be NULL.
 * @return 1 or 0.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
int32_t chatblock_result_retryable(const chatblock_result *result);

/**
 * A sentence for people: what failed, why, and the next step. Do not branch on it.
 *
 * @param result  may be NULL.
 * @return a string that lives as long as the result; "" when every account is as wanted. A get or check
 *         that did not wait for writes that are set aside has status OK and says so here.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
const char *chatblock_result_message(const chatblock_result *result);

/**
 * The response object of the service as JSON, with the field names of the service; also for PARTIAL and
 * SERVICE.
 *
 * For a call that was sent as several requests it is one object: items in request order, failed accounts in
 * Fail_Account, accounts without an answer only there.
 *
 * @param result  may be NULL.
 * @return a string that lives as long as the result; "" when there was no answer.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
 * Service: the response of the command.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
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
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API size_t chatblock_result_json_len(const chatblock_result *result);

/**
 * The tag that was passed to an asynchronous call.
 *
 * @param result  may be NULL.
 * @return the tag; 0 for a blocking call.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API uint64_t chatblock_result_tag(const chatblock_result *result);

/**
 * The command of the call, as the service names it.
 *
 * @param result  may be NULL.
 * @return "black_list_add", "black_list_delete", "black_list_get", "black_list_check", or "".
 *
 * Owns: a constant.  Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API const char *chatblock_result_command(const chatblock_result *result);

/**
 * The owner of the list that was read or changed.
 *
 * @param result  may be NULL.
 * @return a string that lives as long as the result; "" when the call was refused before its owner was read.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
 * Service: From_Account.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
const char *chatblock_result_from_account(const chatblock_result *result);

/**
 * Of a get: where the next page starts.
 *
 * @param result  may be NULL.
 * @return the start_index of the next call; 0 when the listing is complete, and for other commands.
 *
 * Threads: one at a time.  Blocks: never.  Service: StartIndex of black_list_get.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API uint32_t chatblock_result_next_index(const chatblock_result *result);

/**
 * The signature that chatblock_usersig_generate() made. It is a secret: do not log it.
 *
 * @param result  may be NULL.
 * @return a string that lives as long as the result and is wiped with it; "" for other results.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API const char *chatblock_result_usersig(const chatblock_result *result);

/**
 * Free a result. Strings obtained from it become invalid.
 *
 * @param result  may be NULL: nothing happens.
 *
 * Owns: takes the result.  Threads: one at a time; the client may be closed already.
 * Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API void chatblock_result_free(chatblock_result *result);

/** @} */

/**
 * @defgroup group_items Items of a result
 *
 * One item per account of the call, read by index.
 *
 * @{
 */

/**
 * The number of items: one per target of the request, in its order; of a get one per blocked account.
 *
 * @param result  may be NULL.
 * @return the number of items; 0 when the call did not become a request.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
size_t chatblock_result_item_count(const chatblock_result *result);

/**
 * The account of an item.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return a string that lives as long as the result; "" when there is no such item.
 *
 * Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
 * Service: To_Account.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
const char *chatblock_result_item_account(const chatblock_result *result,
                                          size_t index);

/**
 * The status of one account.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return OK, UNCHANGED (was as wanted already), SERVICE (see the code of the item), or why there is no
 *         answer for this account: NETWORK, TIMEOUT, CONNECT, QUEUED, CANCELLED, CLOSED; ARGUMENT when
 *         there is no such item.
 *
 * Threads: one at a time.  Blocks: never.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
chatblock_status chatblock_result_item_status(const chatblock_result *result,
                                              size_t index);

/**
 * The ResultCode of the service for one account.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return the code; 0 for success, for items of a get, and where there is no code.
 *
 * Threads: one at a time.  Blocks: never.  Service: ResultCode.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API int32_t chatblock_result_item_code(const chatblock_result *result, size_t index);

/**
 * Of a check: who blocks whom.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return the relation; CHATBLOCK_RELATION_NONE for a failed item and for other commands.
 *
 * Threads: one at a time.  Blocks: never.  Service: Relation of black_list_check.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
chatblock_relation chatblock_result_item_relation(const chatblock_result *result,
                                                  size_t index);

/**
 * Of a get: when the account was blocked.
 *
 * @param result  may be NULL.
 * @param index   0 to chatblock_result_item_count() - 1.
 * @return Unix time in seconds; 0 for other commands.
 *
 * Threads: one at a time.  Blocks: never.  Service: AddBlackTimeStamp of black_list_get.  Since: 0.1.
 *
 * @pre `result` is NULL or a result that is not freed.
 */
CHATBLOCK_API
int64_t chatblock_result_item_time(const chatblock_result *result,
                                   size_t index);

/** @} */

/**
 * @defgroup group_usersig Signatures (UserSig)
 *
 * Generate and verify the signatures of the service. No client is needed.
 *
 * @{
 */

/**
 * Generate the signature with which a user logs in or a REST call is signed.
 *
 * A client signs its own calls; use this function to hand signatures to players.
 *
 * @param sdkappid        the application, from the console; not 0.
 * @param secret_key      the secret key of the application as a string. Never kept, never in a message.
 * @param identifier      the user, 1 to 32 bytes without control characters.
 * @param expire_seconds  lifetime in seconds, at most 50 years (1,576,800,000); with 0 the signature is
 *                        valid only within the second in which it was made.
 * @return a result, never NULL: OK with chatblock_result_usersig(), or ARGUMENT.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: never.
 * Service: UserSig version 2.  Since: 0.1.
 *
 * @pre Strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_usersig_generate(uint32_t sdkappid,
                                             const char *secret_key,
                                             const char *identifier,
                                             uint32_t expire_seconds);

/**
 * Verify a signature at the present time: was it made with this key, for this application and user, and is
 * it still valid?
 *
 * @param sdkappid    the expected application; not 0.
 * @param secret_key  the secret key of the application as a string. Never kept, never in a message.
 * @param identifier  the expected user, 1 to 32 bytes without control characters.
 * @param usersig     the signature.
 * @return a result, never NULL: OK; SIGNATURE with service_code 70003 (not a signature), 70014 (other
 *         application), 70013 (other user), 70001 (expired) or 70009 (other key), and a message with the
 *         reason; ARGUMENT.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: never.
 * Service: UserSig version 2.  Since: 0.1.
 *
 * @pre Strings are NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_usersig_verify(uint32_t sdkappid,
                                           const char *secret_key,
                                           const char *identifier,
                                           const char *usersig);

/** @} */

/**
 * @defgroup group_webhook Webhooks
 *
 * Changes that the service reports to your HTTP server, applied to the cache.
 *
 * @{
 */

/**
 * Verify a webhook of the service and apply it to the cache.
 *
 * Pass what your HTTP server received, and answer with chatblock_result_json() as the body and HTTP
 * status 200, in every case. An add blocks its pairs for chatblock_client_is_blocked() at once; after an add
 * and after a delete the lists concerned are read again, so duplicates, loss and reordering do no harm.
 * Owners that are not cached are ignored. Without "webhook.token" every webhook is refused, unless
 * "webhook.unsigned" is true.
 *
 * @param query     the query string of the request, after the question mark.
 * @param body      its body; need not be NUL-terminated. May be NULL when body_len is 0.
 * @param body_len  bytes of body.
 * @return a result, never NULL: OK; SIGNATURE (forged, stale, another application), REQUEST (not a webhook
 *         of a block list), UNSUPPORTED (embedded engine), ARGUMENT, BUSY, CLOSED, FORKED, PANIC: nothing
 *         was applied.
 *
 * Owns: the caller owns the result.  Threads: any, at once.
 * Blocks: never on network or disk; briefly on a lock.
 * Service: Sns.CallbackBlackListAdd, Sns.CallbackBlackListDelete.  Since: 0.1.
 *
 * @pre `client` is NULL or open; `query` is NULL or NUL-terminated; `body` is NULL or has body_len bytes.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_apply_webhook(const chatblock_client *client,
                                                 const char *query,
                                                 const char *body,
                                                 size_t body_len);

/** @} */

/**
 * @defgroup group_backup Backup
 *
 * A consistent copy of a store that is in use.
 *
 * @{
 */

/**
 * Copy the durable store ("path") or the outbox ("outbox.path") of an open client to a new file.
 *
 * The copy is one file with everything that was on disk when the function was called; call
 * chatblock_client_sync() before to have all accepted writes in it. Do not copy the files of an open client
 * by other means: each is three files, and they change. The command `chatblock restore` restores a copy.
 *
 * @param client  the client.
 * @param path    a new file, created with mode 0600; an existing file is never replaced. A relative path
 *                starts at the current directory.
 * @return a result, never NULL: OK when the copy is on disk; UNSUPPORTED where nothing is on disk, STORAGE,
 *         ARGUMENT, BUSY when no thread can start, CLOSED, FORKED, PANIC: no copy was made.
 *
 * Owns: the caller owns the result.  Threads: any, at once; other calls continue.  Blocks: until the file
 * is copied and synced.  Service: none.  Since: 0.1.
 *
 * @pre `client` is NULL or open; `path` is NULL or NUL-terminated.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_backup(const chatblock_client *client,
                                          const char *path);

/** @} */

/**
 * @defgroup group_stats Statistics
 *
 * The counters of a client, for monitoring.
 *
 * @{
 */

/**
 * The counters and gauges of a client as one JSON object, read at one moment.
 *
 * Groups: "calls" (by command and outcome; always accepted = confirmed + refused + in_doubt + not_sent +
 * cancelled + pending), "queue" (what is waiting), "requests" (what was sent), "latency" (whole calls, in
 * microseconds), "log"; on the remote backend also "retries" (by reason), "rate" (calls per second) and
 * "service" (circuit breaker, endpoint, connections, expiry of the signature). The manual page
 * chatblock-stats(7) lists every key with its unit. Later versions may add keys. There is no secret and no
 * account in it.
 *
 * @param client  the client.
 * @return a result, never NULL: OK with chatblock_result_json(); ARGUMENT, FORKED, PANIC.
 *
 * Owns: the caller owns the result.  Threads: any, at once.  Blocks: never on network or disk. It holds
 * the lock of the scheduler while it visits every owner that has work.  Service: none.  Since: 0.1.
 *
 * @pre `client` is NULL or came from chatblock_client_open() and is not closed.
 */
CHATBLOCK_API
chatblock_result *chatblock_client_stats(const chatblock_client *client);

extern int pthread_setcancelstate(int state, int *before);

/** @} */

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CHATBLOCK_H */
