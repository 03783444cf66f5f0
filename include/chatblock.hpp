/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef CHATBLOCK_HPP
#define CHATBLOCK_HPP

/**
 * @file chatblock.hpp
 * @brief The C++17 interface: chatblock.h with RAII, views, containers and lambdas. Header only.
 *
 * Rules for everything here. A comment says only what differs. The function of chatblock.h that a comment
 * names says what the call does and describes every status.
 *
 * - **Errors**: no function throws an exception of its own. A call returns a `result` or an `expected<T>`,
 *   which are true when it was done; or_throw() turns a failure into an exception where exceptions are enabled.
 *   Apart from that only memory exhaustion throws, and your own lambdas.
 * - **Strings**: arguments are UTF-8, copied where C needs a NUL at the end. One that contains a NUL is passed
 *   on as NULL, so that the library refuses it with status::argument. Returned strings are views that live as
 *   long as the result they came from.
 * - **Ownership**: `client` closes and `result` frees. Both can be moved and not copied; one that is moved
 *   from, closed or empty is safe to use and returns status::argument.
 * - **Threads**: any number of threads may use a `const client &` at once; only the owner of the client can
 *   close it. A result belongs to one thread at a time.
 * - **Lifetime**: a result may outlive its client.
 * - **Time**: milliseconds; 0 = do not wait, `forever` = no limit. Longer than 24 days is no limit, too.
 */

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#if defined(__cpp_exceptions)
#include <stdexcept>
#endif

#include "chatblock.h"

namespace chatblock {

/// Status of a call or of one item: chatblock_status. Zero or more = done. Later versions may add some.
enum class status : std::int32_t {
    unchanged = CHATBLOCK_UNCHANGED,
    partial = CHATBLOCK_PARTIAL,
    ok = CHATBLOCK_OK,
    argument = CHATBLOCK_ERR_ARGUMENT,
    config = CHATBLOCK_ERR_CONFIG,
    request = CHATBLOCK_ERR_REQUEST,
    service = CHATBLOCK_ERR_SERVICE,
    network = CHATBLOCK_ERR_NETWORK,
    timeout = CHATBLOCK_ERR_TIMEOUT,
    busy = CHATBLOCK_ERR_BUSY,
    cancelled = CHATBLOCK_ERR_CANCELLED,
    closed = CHATBLOCK_ERR_CLOSED,
    storage = CHATBLOCK_ERR_STORAGE,
    unknown = CHATBLOCK_ERR_UNKNOWN,
    signature = CHATBLOCK_ERR_SIGNATURE,
    unsupported = CHATBLOCK_ERR_UNSUPPORTED,
    forked = CHATBLOCK_ERR_FORKED,
    panic = CHATBLOCK_ERR_PANIC,
    connect = CHATBLOCK_ERR_CONNECT,
    queued = CHATBLOCK_ERR_QUEUED,
};

/// The directions that a check asks about: chatblock_check_type.
enum class check_type : std::int32_t {
    single = CHATBLOCK_CHECK_SINGLE,
    both = CHATBLOCK_CHECK_BOTH,
};

/// Who blocks whom between the owner A and the target B: chatblock_relation.
enum class relation : std::int32_t {
    none = CHATBLOCK_RELATION_NONE,
    no = CHATBLOCK_RELATION_NO,
    a_with_b = CHATBLOCK_RELATION_A_WITH_B,
    b_with_a = CHATBLOCK_RELATION_B_WITH_A,
    both_way = CHATBLOCK_RELATION_BOTH_WAY,
};

/// Does the owner block the peer? `unknown` = not cached, which never means "no". Only is_blocked_many()
/// returns `invalid`: that owner is not an account id.
enum class blocked : std::int8_t {
    no = 0,
    yes = 1,
    unknown = CHATBLOCK_ERR_UNKNOWN,
    invalid = CHATBLOCK_ERR_ARGUMENT,
};

/// One answer of blocked_pairs(): the account at index `owner` blocks the one at index `peer`.
struct blocked_pair {
    std::uint32_t owner;
    std::uint32_t peer;
};

/// No time limit.
inline constexpr std::chrono::milliseconds forever{-1};

/// The name of a status in C, for example "CHATBLOCK_ERR_TIMEOUT".
inline std::string_view name(status of) noexcept
{
    return chatblock_status_name(static_cast<chatblock_status>(of));
}

/// The version of the library at run time, for example "0.1.0".
inline std::string_view version() noexcept
{
    return chatblock_version();
}

namespace detail {

inline std::int32_t to_ms(std::chrono::milliseconds time) noexcept
{
    const auto count = time.count();
    return count < 0 || count > (std::numeric_limits<std::int32_t>::max)() ? -1 : static_cast<std::int32_t>(count);
}

inline bool has_nul(std::string_view text) noexcept
{
    return !text.empty() && std::memchr(text.data(), '\0', text.size()) != nullptr;
}

/// A string for C.
class text {
public:
    explicit text(std::string_view view) : copy_(view) {}
    const char *c_str() const noexcept { return has_nul(copy_) ? nullptr : copy_.c_str(); }

protected:
    std::string copy_;
};

/// A string whose copy is wiped.
class secret : public text {
public:
    using text::text;
    secret(const secret &) = delete;
    secret &operator=(const secret &) = delete;
    ~secret()
    {
        volatile char *byte = copy_.data();
        for (std::size_t left = copy_.size(); left > 0; --left)
            *byte++ = '\0';
    }
};

inline constexpr std::size_t id_bytes = 32 + 1;

/// An account id for C, without heap. What cannot be one is passed on as NULL.
inline const char *copy_id(std::string_view id, char (&copy)[id_bytes]) noexcept
{
    if (id.size() >= id_bytes || has_nul(id))
        return nullptr;
    id.copy(copy, id.size());
    copy[id.size()] = '\0';
    return copy;
}

template <class Range, class = void>
inline constexpr bool holds_texts = false;
template <class Range>
inline constexpr bool holds_texts<Range, std::void_t<decltype(*std::begin(std::declval<Range &>()))>> =
    std::is_convertible_v<decltype(*std::begin(std::declval<Range &>())), std::string_view>;

} // namespace detail

/// Account ids for C, copied from `{"bob", "cat"}` or from any container or range of strings, views or
/// literals. Such a container converts implicitly where a call takes `accounts`.
///
/// Up to 64 ids of up to 32 bytes need no heap. Build it once for ids that are used often, such as the members
/// of a channel.
///
/// Threads: any number may read it at once.
class accounts {
public:
    accounts(std::initializer_list<std::string_view> ids)
    {
        for (std::string_view id : ids)
            append(id);
    }

    template <class Range, class = std::enable_if_t<detail::holds_texts<Range>>>
    accounts(Range &&ids) // NOLINT: implicit, so that a container can be passed as it is
    {
        for (auto &&id : ids)
            append(id);
    }

    accounts(const accounts &) = delete;
    accounts &operator=(const accounts &) = delete;

    /// size() ids for the functions of chatblock.h; they live as long as this object.
    const char *const *data() const noexcept { return size_ <= few ? few_ : many_.data(); }
    std::size_t size() const noexcept { return size_; }

private:
    static constexpr std::size_t few = 64;
    static constexpr std::size_t chunk_bytes = 16384;

    void append(std::string_view id) { push(detail::has_nul(id) ? nullptr : copy(id)); }

    const char *copy(std::string_view id)
    {
        if (id.size() >= left_) {
            left_ = id.size() < chunk_bytes ? chunk_bytes : id.size() + 1;
            chunks_.push_back(std::make_unique<char[]>(left_));
            next_ = chunks_.back().get();
        }
        char *const start = next_;
        id.copy(start, id.size());
        start[id.size()] = '\0';
        next_ += id.size() + 1;
        left_ -= id.size() + 1;
        return start;
    }

    void push(const char *id)
    {
        if (size_ < few) {
            few_[size_] = id;
        } else {
            if (size_ == few)
                many_.assign(few_, few_ + few);
            many_.push_back(id);
        }
        ++size_;
    }

    const char *few_[few];
    char bytes_[few * detail::id_bytes];
    char *next_ = bytes_;
    std::size_t left_ = sizeof bytes_;
    std::size_t size_ = 0;
    std::vector<const char *> many_;
    std::vector<std::unique_ptr<char[]>> chunks_;
};

/// One item of a result. The view lives as long as the result.
struct item {
    std::string_view account;
    chatblock::status status;                   ///< See chatblock_result_item_status().
    std::int32_t code;                          ///< The service's ResultCode; 0 where there is none.
    chatblock::relation relation;               ///< Of a check, else none.
    std::chrono::system_clock::time_point time; ///< Of a get: when it was blocked, else the epoch.
};

/// The items of a result: one per target of the request, in its order; of a get one per blocked account.
class item_range {
public:
    explicit item_range(const chatblock_result *of) noexcept : of_(of) {}

    std::size_t size() const noexcept { return chatblock_result_item_count(of_); }
    bool empty() const noexcept { return size() == 0; }

    /// Beyond size() it is an item with an empty account and status::argument.
    item operator[](std::size_t index) const noexcept
    {
        return {
            chatblock_result_item_account(of_, index),
            static_cast<chatblock::status>(chatblock_result_item_status(of_, index)),
            chatblock_result_item_code(of_, index),
            static_cast<chatblock::relation>(chatblock_result_item_relation(of_, index)),
            std::chrono::system_clock::time_point(std::chrono::seconds(chatblock_result_item_time(of_, index))),
        };
    }

    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = item;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = item;

        iterator() noexcept = default;
        item operator*() const noexcept { return item_range(of_)[index_]; }
        iterator &operator++() noexcept
        {
            ++index_;
            return *this;
        }
        iterator operator++(int) noexcept { return {of_, index_++}; }
        friend bool operator==(const iterator &a, const iterator &b) noexcept { return a.index_ == b.index_; }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept { return a.index_ != b.index_; }

    private:
        friend item_range;
        iterator(const chatblock_result *of, std::size_t index) noexcept : of_(of), index_(index) {}
        const chatblock_result *of_ = nullptr;
        std::size_t index_ = 0;
    };

    iterator begin() const noexcept { return {of_, 0}; }
    iterator end() const noexcept { return {of_, size()}; }

private:
    const chatblock_result *of_;
};

/// The result of a call: status, message, JSON and items; of some calls only a status.
///
/// Owns: every view that was read from it lives as long as the result does, also when it is moved.
/// Threads: one at a time.
class result {
public:
    /// Takes ownership of a result of chatblock.h.
    explicit result(chatblock_result *of) noexcept : of_(of) {}
    /// Only a status.
    explicit result(chatblock::status only) noexcept : only_(only) {}

    /// Whether the call was done, at least for some accounts: see status::partial.
    explicit operator bool() const noexcept { return static_cast<std::int32_t>(status()) >= 0; }

    chatblock::status status() const noexcept
    {
        return of_ ? static_cast<chatblock::status>(chatblock_result_status(of_.get())) : only_;
    }

    /// The code of the service, for example 30013 for a full list; 0 when there is none.
    std::int32_t service_code() const noexcept { return chatblock_result_service_code(of_.get()); }

    /// Whether the same call may succeed later without a change by you.
    bool retryable() const noexcept
    {
        if (of_)
            return chatblock_result_retryable(of_.get()) != 0;
        return only_ == chatblock::status::busy || only_ == chatblock::status::timeout;
    }

    /// A sentence for people, or the name of the status where there is only that; "" when every account is as
    /// wanted. NUL-terminated.
    std::string_view message() const noexcept
    {
        if (of_)
            return chatblock_result_message(of_.get());
        return only_ == chatblock::status::ok ? "" : name(only_);
    }

    /// The response of the service, the answer to a webhook, the stats, or "". NUL-terminated.
    std::string_view json() const noexcept
    {
        return {chatblock_result_json(of_.get()), chatblock_result_json_len(of_.get())};
    }

    /// The tag that was passed to an asynchronous call; 0 for a blocking call.
    std::uint64_t tag() const noexcept { return chatblock_result_tag(of_.get()); }

    /// "black_list_add" and so on, or "".
    std::string_view command() const noexcept { return chatblock_result_command(of_.get()); }

    /// The owner of the list that was read or changed; "" when the call was refused before.
    std::string_view owner() const noexcept { return chatblock_result_from_account(of_.get()); }

    /// Of a get: where the next page starts, 0 when the listing is complete.
    std::uint32_t next_index() const noexcept { return chatblock_result_next_index(of_.get()); }

    /// The signature that usersig_generate() made: a secret, wiped with the result. Else "".
    std::string_view usersig() const noexcept { return chatblock_result_usersig(of_.get()); }

    /// Not on a temporary: in `for (auto item : client.get(...).items())` the result would be destroyed first.
    item_range items() const & noexcept { return item_range(of_.get()); }
    item_range items() const && = delete;

#if defined(__cpp_exceptions)
    /// Returns the result when the call was done; throws chatblock::error otherwise.
    result or_throw() &&;
#endif

private:
    struct deleter {
        void operator()(chatblock_result *of) const noexcept { chatblock_result_free(of); }
    };

    std::unique_ptr<chatblock_result, deleter> of_;
    chatblock::status only_ = chatblock::status::argument;
};

#if defined(__cpp_exceptions)
/// A call that was not done, as an exception: what() is the message, answer() the result.
class error : public std::runtime_error {
public:
    explicit error(result answer)
        : std::runtime_error(std::string(answer.message())), answer_(std::make_shared<result>(std::move(answer)))
    {
    }
    const result &answer() const noexcept { return *answer_; }
    chatblock::status status() const noexcept { return answer_->status(); }
    std::int32_t service_code() const noexcept { return answer_->service_code(); }
    bool retryable() const noexcept { return answer_->retryable(); }

private:
    std::shared_ptr<const result> answer_;
};

inline result result::or_throw() &&
{
    if (!*this)
        throw chatblock::error(std::move(*this));
    return std::move(*this);
}
#endif

/// A value, or a result with the reason why there is none.
template <class T>
class [[nodiscard]] expected {
public:
    expected(T value) : value_(std::move(value)), why_(chatblock::status::ok) {}
    /// @param empty  what operator*() returns without a value.
    expected(result why, T empty = T()) : value_(std::move(empty)), why_(std::move(why)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(why_); }
    chatblock::status status() const noexcept { return why_.status(); }
    const result &error() const & noexcept { return why_; }
    result error() && noexcept { return std::move(why_); }

    /// The value; an empty one when this is false.
    const T &operator*() const & noexcept { return value_; }
    T &&operator*() && noexcept { return std::move(value_); }
    const T *operator->() const noexcept { return &value_; }

    T value_or(T otherwise) && { return *this ? std::move(value_) : std::move(otherwise); }

    /// Whether there is a value and it is this one.
    friend bool operator==(const expected &one, const T &value) { return one && one.value_ == value; }
    friend bool operator!=(const expected &one, const T &value) { return !(one == value); }

#if defined(__cpp_exceptions)
    /// The value; throws chatblock::error when there is none.
    T or_throw() &&
    {
        if (!*this)
            throw chatblock::error(std::move(why_));
        return std::move(value_);
    }
#endif

private:
    T value_;
    result why_;
};

/// A handle to block lists: opened once, shared as `const client &` by any number of threads.
///
/// The destructor closes it and waits at most 1 s; close() also reports whether work was dropped. No other
/// thread may use the client at that time.
class client {
public:
    /// An empty client, like one that is closed or moved from: every call returns status::argument.
    client() noexcept = default;

    /// chatblock_client_open(): open a client with a configuration in JSON.
    ///
    /// @param config_json  one JSON object; see chatblock-config(5). The copy made here is wiped.
    /// @return a client, or a result with the reason: config names the key or file, storage the store.
    /// Blocks: while a durable store is read.
    static expected<client> open(std::string_view config_json = "{}")
    {
        chatblock_result *why = nullptr;
        client opened(chatblock_client_open(detail::secret(config_json).c_str(), &why));
        if (!opened.of_)
            return expected<client>(result(why));
        return expected<client>(std::move(opened));
    }

    /// chatblock_client_close(): refuse new calls, wake waiting threads, release all resources.
    /// @return ok, also when it is closed already; timeout when work was dropped.
    ///
    /// Threads: one; no other thread uses the client any more.  Blocks: up to timeout.
    result close(std::chrono::milliseconds timeout = std::chrono::seconds(1)) noexcept
    {
        return status_of(chatblock_client_close(of_.release(), detail::to_ms(timeout)));
    }

    /// For functions of chatblock.h; NULL when the client is empty. The client keeps ownership.
    const chatblock_client *handle() const noexcept { return of_.get(); }

    /// chatblock_blocklist_add(): block accounts, 1 to 100,000.
    /// @return ok, partial, service (30003 not imported, 30013 list full, ...); network, timeout (the write may
    ///         have happened), connect (nothing was sent), busy, storage, argument, closed, forked, panic.
    /// Blocks: up to "call_ms".
    [[nodiscard]] result add(std::string_view owner, const accounts &targets) const
    {
        return result(chatblock_blocklist_add(handle(), detail::text(owner).c_str(), targets.data(), targets.size()));
    }

    /// chatblock_blocklist_delete(): unblock accounts, 1 to 100,000. `delete` is a keyword of C++.
    /// @return as add().  Blocks: up to "call_ms".
    [[nodiscard]] result remove(std::string_view owner, const accounts &targets) const
    {
        return result(
            chatblock_blocklist_delete(handle(), detail::text(owner).c_str(), targets.data(), targets.size()));
    }

    /// chatblock_blocklist_get(): read one page of a list, oldest block first; each item has a time.
    ///
    /// @param start_index  0 at first, then result::next_index() until that is 0.
    /// @param limit  size of the page, 1 to 1000.
    /// @return as add(); ok also for an empty list.  Blocks: up to "call_ms".
    [[nodiscard]] result get(std::string_view owner, std::uint32_t start_index = 0,
                             std::uint32_t limit = 1000) const
    {
        return result(chatblock_blocklist_get(handle(), detail::text(owner).c_str(), start_index, limit));
    }

    /// chatblock_blocklist_check(): ask who blocks whom; each item has a relation.
    /// @return as add().  Blocks: up to "call_ms".
    [[nodiscard]] result check(std::string_view owner, const accounts &targets, check_type type) const
    {
        return result(chatblock_blocklist_check(handle(), detail::text(owner).c_str(), targets.data(), targets.size(),
                                                static_cast<chatblock_check_type>(type)));
    }

    /// chatblock_client_call(): one call with the request JSON of the service.
    ///
    /// @param command  "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
    /// @return as add(); argument for another command, request when the JSON is refused.
    /// Blocks: up to "call_ms".
    [[nodiscard]] result call(std::string_view command, std::string_view request_json) const
    {
        return result(chatblock_client_call(handle(), detail::text(command).c_str(),
                                            detail::text(request_json).c_str()));
    }

    /// chatblock_blocklist_add_async(): block accounts; one completion with this tag follows, for poll().
    /// The class completions does the same with lambdas.
    /// @return ok = accepted; argument, busy, closed, forked, panic: nothing was accepted, and message() names the
    ///         argument.  Blocks: never.
    [[nodiscard]] result add_async(std::string_view owner, const accounts &targets, std::uint64_t tag) const
    {
        return accepted([&](chatblock_result **error) {
            return chatblock_blocklist_add_async(handle(), detail::text(owner).c_str(), targets.data(),
                                                 targets.size(), tag, error);
        });
    }

    /// chatblock_blocklist_delete_async(): as add_async(), to unblock.
    [[nodiscard]] result remove_async(std::string_view owner, const accounts &targets, std::uint64_t tag) const
    {
        return accepted([&](chatblock_result **error) {
            return chatblock_blocklist_delete_async(handle(), detail::text(owner).c_str(), targets.data(),
                                                    targets.size(), tag, error);
        });
    }

    /// chatblock_blocklist_check_async(): as add_async(), to check. It sees the writes accepted before.
    [[nodiscard]] result check_async(std::string_view owner, const accounts &targets, check_type type,
                                     std::uint64_t tag) const
    {
        return accepted([&](chatblock_result **error) {
            return chatblock_blocklist_check_async(handle(), detail::text(owner).c_str(), targets.data(),
                                                   targets.size(), static_cast<chatblock_check_type>(type), tag,
                                                   error);
        });
    }

    /// chatblock_blocklist_get_async(): as add_async(), to read one page of a list.
    [[nodiscard]] result get_async(std::string_view owner, std::uint32_t start_index, std::uint32_t limit,
                                   std::uint64_t tag) const
    {
        return accepted([&](chatblock_result **error) {
            return chatblock_blocklist_get_async(handle(), detail::text(owner).c_str(), start_index, limit, tag, error);
        });
    }

    /// chatblock_client_submit(): as add_async(), with the request JSON of the service; also request.
    [[nodiscard]] result submit(std::string_view command, std::string_view request_json, std::uint64_t tag) const
    {
        return accepted([&](chatblock_result **error) {
            return chatblock_client_submit(handle(), detail::text(command).c_str(),
                                           detail::text(request_json).c_str(), tag, error);
        });
    }

    /// chatblock_client_poll(): take the next completion. Several threads may; each is taken once.
    /// @return nothing on timeout, after wakeup(), and for a client that is closed, forked or met a bug.
    /// Blocks: up to timeout.
    [[nodiscard]] std::optional<result> poll(std::chrono::milliseconds timeout) const noexcept
    {
        chatblock_result *const next = chatblock_client_poll(handle(), detail::to_ms(timeout));
        return next ? std::optional<result>(next) : std::nullopt;
    }

    /// chatblock_client_event_fd(): a file descriptor that is readable while a completion is waiting, for
    /// epoll, poll and select. The client owns it: do not read from it, do not close it.
    /// @return the descriptor; unsupported, argument, forked, panic.
    expected<int> event_fd() const { return number<int>(chatblock_client_event_fd(handle())); }

    /// chatblock_client_wakeup(): wake one poll(), the current one or the next.  @return ok, argument, forked, panic.
    result wakeup() const noexcept { return status_of(chatblock_client_wakeup(handle())); }

    /// chatblock_client_cancel(): cancel the calls with this tag that are not sent yet. Each still completes.
    /// @return how many were cancelled; argument, forked, panic.
    expected<std::size_t> cancel(std::uint64_t tag) const
    {
        return number<std::size_t>(chatblock_client_cancel(handle(), tag));
    }

    /// chatblock_client_sync(): wait until everything accepted before is on disk.
    /// @return ok; timeout, storage, unsupported without a file, argument, closed, forked, panic.
    /// Blocks: up to timeout.
    [[nodiscard]] result sync(std::chrono::milliseconds timeout) const noexcept
    {
        return status_of(chatblock_client_sync(handle(), detail::to_ms(timeout)));
    }

    /// chatblock_client_flush(): wait until the completion of everything accepted before is queued.
    /// @return ok; timeout when work remains (it continues), argument, forked, panic.  Blocks: up to timeout.
    [[nodiscard]] result flush(std::chrono::milliseconds timeout) const noexcept
    {
        return status_of(chatblock_client_flush(handle(), detail::to_ms(timeout)));
    }

    /// chatblock_client_is_blocked(): does owner block peer? From memory, without heap:
    /// `if (client.is_blocked(hearer, speaker) == chatblock::blocked::yes)`.
    /// @return yes, no, or unknown, which never means "no"; argument for an id that is not 1 to 32 bytes, forked,
    ///         panic: the value is unknown.
    /// Blocks: never.
    expected<blocked> is_blocked(std::string_view owner, std::string_view peer) const noexcept
    {
        char owner_copy[detail::id_bytes], peer_copy[detail::id_bytes];
        const std::int32_t answer = chatblock_client_is_blocked(handle(), detail::copy_id(owner, owner_copy),
                                                                detail::copy_id(peer, peer_copy));
        if (answer < 0 && answer != CHATBLOCK_ERR_UNKNOWN)
            return expected<blocked>(result(static_cast<status>(answer)), blocked::unknown);
        return static_cast<blocked>(answer);
    }

    /// chatblock_client_is_blocked_many(): which of these owners block peer? Faster than one call per owner when
    /// the lists are larger than the caches of the processor.
    ///
    /// @param answers  a container or array of `blocked`, with room for owners.size(). An owner that is not an
    ///                 account id reads blocked::invalid.
    /// @return how many are yes; argument (also when there is no room), forked, panic: nothing is written.
    /// Blocks: never.
    template <class Answers>
    expected<std::size_t> is_blocked_many(const accounts &owners, std::string_view peer, Answers &&answers) const
    {
        static_assert(std::is_same_v<decltype(std::data(answers)), blocked *>, "answers are chatblock::blocked");
        if (std::size(answers) < owners.size())
            return result(status::argument);
        char copy[detail::id_bytes];
        return number<std::size_t>(
            chatblock_client_is_blocked_many(handle(), owners.data(), owners.size(), detail::copy_id(peer, copy),
                                             reinterpret_cast<std::int8_t *>(std::data(answers))));
    }

    /// chatblock_client_blocked_pairs(): which of these accounts, 1 to 10,000, block which?
    ///
    /// @param pairs  receives the pairs in order of owners; its memory is reused.
    /// @return how many of the accounts are not cached as owners; argument (also for what is not an account
    ///         id), forked, panic: `pairs` is empty.
    /// Blocks: never.
    expected<std::size_t> blocked_pairs(const accounts &among, std::vector<blocked_pair> &pairs) const
    {
        static_assert(sizeof(blocked_pair) == 2 * sizeof(std::uint32_t), "a pair is two numbers");
        pairs.resize(pairs.capacity());
        for (;;) {
            std::size_t unknown = 0;
            const std::int32_t found =
                chatblock_client_blocked_pairs(handle(), among.data(), among.size(),
                                               reinterpret_cast<std::uint32_t *>(pairs.data()), pairs.size(),
                                               &unknown);
            const std::size_t count = found < 0 ? 0 : static_cast<std::size_t>(found);
            const bool fits = count <= pairs.size();
            pairs.resize(count);
            if (found < 0)
                return result(static_cast<status>(found));
            if (fits)
                return unknown;
        }
    }

    /// chatblock_client_watch(): subscribe to owners: read their lists in the background and keep
    /// them fresh.
    /// @return ok; argument, busy, closed, forked, panic: no owner is watched.  Blocks: never.
    [[nodiscard]] result watch(const accounts &owners) const noexcept
    {
        return status_of(chatblock_client_watch(handle(), owners.data(), owners.size()));
    }

    /// chatblock_client_unwatch(): unsubscribe from owners.  @return as watch().
    [[nodiscard]] result unwatch(const accounts &owners) const noexcept
    {
        return status_of(chatblock_client_unwatch(handle(), owners.data(), owners.size()));
    }

    /// chatblock_client_apply_webhook(): verify a webhook of the service and apply it to the cache.
    ///
    /// @param query  the query string of the request, after the question mark.
    /// @return ok; signature, request, unsupported, argument, busy, closed, forked, panic: nothing was applied.
    ///         In every case answer the request with result::json() and HTTP status 200.
    /// Blocks: never.
    [[nodiscard]] result apply_webhook(std::string_view query, std::string_view body) const
    {
        return result(
            chatblock_client_apply_webhook(handle(), detail::text(query).c_str(), body.data(), body.size()));
    }

    /// chatblock_client_backup(): copy the durable store or the outbox of an open client to a new file.
    ///
    /// @param path  an existing file is never replaced.
    /// @return ok; unsupported where nothing is on disk, storage, argument, busy, closed, forked, panic: no copy
    ///         was made.
    /// Blocks: until the copy is on disk.
    [[nodiscard]] result backup(std::string_view path) const
    {
        return result(chatblock_client_backup(handle(), detail::text(path).c_str()));
    }

    /// chatblock_client_stats(): the counters and gauges of the client as one JSON object in
    /// result::json().
    /// @return ok; argument, forked, panic.  Blocks: never.
    [[nodiscard]] result stats() const noexcept { return result(chatblock_client_stats(handle())); }

private:
    explicit client(chatblock_client *of) noexcept : of_(of) {}

    /// ok, or the result with which the library says why it did not accept a call.
    template <class Call>
    static result accepted(Call hand_over)
    {
        chatblock_result *error = nullptr;
        const chatblock_status done = hand_over(&error);
        return error == nullptr ? status_of(done) : result(error);
    }

    static result status_of(chatblock_status done) noexcept { return result(static_cast<status>(done)); }

    template <class Number>
    static expected<Number> number(std::int32_t count)
    {
        if (count < 0)
            return result(static_cast<status>(count));
        return static_cast<Number>(count);
    }

    struct closer {
        void operator()(chatblock_client *of) const noexcept { chatblock_client_close(of, 1000); }
    };

    std::unique_ptr<chatblock_client, closer> of_;
};

/// Asynchronous calls, each with a lambda that takes its `chatblock::result`.
///
/// The lambda runs once, in a thread that calls run_once(): per tick with
/// `while (loop.run_once(0ms)) {}`, or in a thread with `while (!ends) loop.run_once(chatblock::forever);`,
/// which client::wakeup() wakes. An exception of a lambda leaves that run_once(); other completions stay for the
/// next one. Lambdas may start calls, and may be move-only.
///
/// One loop per client, because it takes all completions. Those without a lambda (with tag 0 a recorded write of
/// an earlier client that the service refused, and calls made with a tag of your own) go to the handler passed
/// to the constructor; without one they are kept for unclaimed(). Lambdas that never ran are destroyed with the
/// loop.
///
/// Lifetime: the client outlives the loop and is not moved.  Threads: any number, at once.
class completions {
public:
    explicit completions(const client &of) noexcept : client_(of) {}

    /// @param unclaimed  takes a result; several threads at once when several call run_once().
    template <class Handler>
    completions(const client &of, Handler unclaimed) : client_(of), handler_(make(std::move(unclaimed)))
    {
    }

    completions(const completions &) = delete;
    completions &operator=(const completions &) = delete;

    /// client::add_async() with a lambda.
    /// @return the tag of the call, for client::cancel(); or why it was not accepted: the lambda is destroyed
    ///         and never runs.  Blocks: never.
    template <class Then>
    expected<std::uint64_t> add(std::string_view owner, const accounts &targets, Then then)
    {
        return start(std::move(then), [&](std::uint64_t tag) { return client_.add_async(owner, targets, tag); });
    }

    /// client::remove_async() with a lambda; as add().
    template <class Then>
    expected<std::uint64_t> remove(std::string_view owner, const accounts &targets, Then then)
    {
        return start(std::move(then), [&](std::uint64_t tag) { return client_.remove_async(owner, targets, tag); });
    }

    /// client::check_async() with a lambda; as add().
    template <class Then>
    expected<std::uint64_t> check(std::string_view owner, const accounts &targets, check_type type, Then then)
    {
        return start(std::move(then),
                     [&](std::uint64_t tag) { return client_.check_async(owner, targets, type, tag); });
    }

    /// client::get_async() with a lambda; as add().
    template <class Then>
    expected<std::uint64_t> get(std::string_view owner, std::uint32_t start_index, std::uint32_t limit, Then then)
    {
        return start(std::move(then),
                     [&](std::uint64_t tag) { return client_.get_async(owner, start_index, limit, tag); });
    }

    /// client::submit() with a lambda; as add().
    template <class Then>
    expected<std::uint64_t> submit(std::string_view command, std::string_view request_json, Then then)
    {
        return start(std::move(then),
                     [&](std::uint64_t tag) { return client_.submit(command, request_json, tag); });
    }

    /// Takes one completion and runs its lambda.
    /// @return whether there was one; false on timeout, after client::wakeup(), and when the client is closed.
    /// Blocks: up to timeout, and as long as the lambda.
    bool run_once(std::chrono::milliseconds timeout)
    {
        std::optional<result> done = client_.poll(timeout);
        if (!done)
            return false;
        if (const auto then = claim(done->tag()))
            then->run(*std::move(done));
        else if (handler_)
            handler_->run(*std::move(done));
        else
            keep(*std::move(done));
        return true;
    }

    /// Without a handler: takes the completions without a lambda since the last call, oldest first.
    [[nodiscard]] std::vector<result> unclaimed()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return std::exchange(kept_, {});
    }

    /// After client::close(): runs every pending lambda with status::closed. When one of them throws, the others
    /// stay pending.
    void abandon()
    {
        while (const auto then = claim_any())
            then->run(result(status::closed));
    }

    /// The number of pending lambdas.
    std::size_t pending() const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return waiting_.size();
    }

private:
    struct task {
        task() = default;
        task(const task &) = delete;
        task &operator=(const task &) = delete;
        virtual ~task() = default;
        virtual void run(result done) = 0;
    };

    template <class Then>
    struct task_of final : task {
        explicit task_of(Then body) : then(std::move(body)) {}
        void run(result done) override { then(std::move(done)); }
        Then then;
    };

    template <class Then>
    static std::unique_ptr<task> make(Then then)
    {
        return std::make_unique<task_of<Then>>(std::move(then));
    }

    /// The lambda is registered before the call is made, because another thread may complete it at once.
    template <class Then, class Call>
    expected<std::uint64_t> start(Then then, Call call)
    {
        struct withdrawal {
            completions *from;
            std::uint64_t tag;
            bool due = true;
            ~withdrawal()
            {
                if (due)
                    from->claim(tag);
            }
        };
        withdrawal unless_accepted{this, add_task(make(std::move(then)))};
        result accepted = call(unless_accepted.tag);
        if (!accepted)
            return expected<std::uint64_t>(std::move(accepted));
        unless_accepted.due = false;
        return unless_accepted.tag;
    }

    std::uint64_t add_task(std::unique_ptr<task> then)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        waiting_.emplace(next_tag_, std::move(then));
        return next_tag_++;
    }

    std::unique_ptr<task> claim(std::uint64_t tag)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return take(waiting_.find(tag));
    }

    std::unique_ptr<task> claim_any()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        return take(waiting_.begin());
    }

    std::unique_ptr<task> take(std::unordered_map<std::uint64_t, std::unique_ptr<task>>::iterator at)
    {
        if (at == waiting_.end())
            return nullptr;
        std::unique_ptr<task> then = std::move(at->second);
        waiting_.erase(at);
        return then;
    }

    void keep(result done)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        kept_.push_back(std::move(done));
    }

    const client &client_;
    const std::unique_ptr<task> handler_;
    mutable std::mutex mutex_;
    std::vector<result> kept_;
    std::uint64_t next_tag_ = 1;
    std::unordered_map<std::uint64_t, std::unique_ptr<task>> waiting_;
};

/// chatblock_usersig_generate(): the signature with which a player logs in, in result::usersig().
///
/// @param sdkappid    the application; not 0.
/// @param secret_key  the secret key of the application. The copy made here is wiped.
/// @param identifier  the user, 1 to 32 bytes.
/// @param expire      lifetime, at most 50 years.
/// @return ok, or argument.  Threads: any.  Blocks: never.
[[nodiscard]] inline result usersig_generate(std::uint32_t sdkappid, std::string_view secret_key,
                                             std::string_view identifier, std::chrono::seconds expire)
{
    constexpr std::int64_t most = (std::numeric_limits<std::uint32_t>::max)();
    if (expire.count() < 0 || expire.count() > most)
        return result(status::argument);
    return result(chatblock_usersig_generate(sdkappid, detail::secret(secret_key).c_str(),
                                             detail::text(identifier).c_str(),
                                             static_cast<std::uint32_t>(expire.count())));
}

/// chatblock_usersig_verify(): was it made with this key, for this application and user, and is it still valid?
/// @return ok; signature with a service_code (70001 expired, 70003, 70009, 70013, 70014), argument.
///
/// Threads: any.  Blocks: never.
[[nodiscard]] inline result usersig_verify(std::uint32_t sdkappid, std::string_view secret_key,
                                           std::string_view identifier, std::string_view usersig)
{
    return result(chatblock_usersig_verify(sdkappid, detail::secret(secret_key).c_str(),
                                           detail::text(identifier).c_str(), detail::text(usersig).c_str()));
}

} // namespace chatblock

#endif
