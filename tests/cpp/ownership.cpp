// Who owns what: nothing is closed or freed twice, and what is closed, empty or moved from is safe to use.
#include "check.hpp"

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

using chatblock::client;
using chatblock::result;

template <class T>
constexpr bool only_moves = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                            std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
static_assert(only_moves<client> && only_moves<result> && only_moves<chatblock::expected<client>>);

template <class Result, class = void>
constexpr bool has_items = false;
template <class Result>
constexpr bool has_items<Result, std::void_t<decltype(std::declval<Result>().items())>> = true;
static_assert(has_items<const result &> && has_items<result &>);
static_assert(!has_items<result> && !has_items<const result>, "the result would be gone");

template <class Client, class = void>
constexpr bool closes = false;
template <class Client>
constexpr bool closes<Client, std::void_t<decltype(std::declval<Client>().close())>> = true;
static_assert(closes<client &> && !closes<const client &>, "who shares a client cannot close it");

/// Every member of a client that has nothing behind it.
static void every_call_is_refused(const client &client)
{
    using namespace std::chrono_literals;
    CHECK(client.handle() == nullptr);
    CHECK_STATUS(client.add("ann", {"bob"}).status(), argument);
    CHECK_STATUS(client.remove("ann", {"bob"}).status(), argument);
    CHECK_STATUS(client.get("ann").status(), argument);
    CHECK_STATUS(client.check("ann", {"bob"}, chatblock::check_type::both).status(), argument);
    CHECK_STATUS(client.call("black_list_get", "{}").status(), argument);
    CHECK_STATUS(client.add_async("ann", {"bob"}, 1).status(), argument);
    CHECK_STATUS(client.remove_async("ann", {"bob"}, 1).status(), argument);
    CHECK_STATUS(client.check_async("ann", {"bob"}, chatblock::check_type::both, 1).status(), argument);
    CHECK_STATUS(client.submit("black_list_get", "{}", 1).status(), argument);
    CHECK(!client.poll(chatblock::forever));
    CHECK_STATUS(client.event_fd().status(), argument);
    CHECK_STATUS(client.wakeup().status(), argument);
    CHECK_STATUS(client.cancel(1).status(), argument);
    CHECK_STATUS(client.sync(chatblock::forever).status(), argument);
    CHECK_STATUS(client.flush(1s).status(), argument);
    CHECK_STATUS(client.is_blocked("ann", "bob").status(), argument);
    chatblock::blocked answers[1] = {chatblock::blocked::unknown};
    CHECK_STATUS(client.is_blocked_many({"ann"}, "bob", answers).status(), argument);
    CHECK(answers[0] == chatblock::blocked::unknown);
    std::vector<chatblock::blocked_pair> pairs(3);
    CHECK_STATUS(client.blocked_pairs({"ann", "bob"}, pairs).status(), argument);
    CHECK(pairs.empty());
    CHECK_STATUS(client.watch({"ann"}).status(), argument);
    CHECK_STATUS(client.unwatch({"ann"}).status(), argument);
    CHECK_STATUS(client.apply_webhook("", "").status(), argument);
    CHECK_STATUS(client.stats().status(), argument);
}

static void a_client_without_anything_behind_it_refuses()
{
    every_call_is_refused(client());

    client first = open_client();
    const client second = std::move(first);
    every_call_is_refused(first);
    CHECK_STATUS(second.add("ann", {"bob"}).status(), ok);

    client closed = open_client();
    CHECK_STATUS(closed.close().status(), ok);
    every_call_is_refused(closed);
    CHECK_STATUS(closed.close(chatblock::forever).status(), ok);
}

/// A durable store has one client at a time, so that it can be seen who holds it.
static void a_client_is_closed_once_and_by_its_owner()
{
    const char *const config = R"({"path":"owned.db"})";
    {
        const client first = open_client(config);
        CHECK_STATUS(client::open(config).status(), storage);
    }
    client second = open_client(config);
    auto kept = std::make_unique<client>(std::move(second));
    CHECK_STATUS(client::open(config).status(), storage);
    *kept = open_client();
    client third = open_client(config);
    CHECK_STATUS(third.add("ann", {"bob"}).status(), ok);
    CHECK_STATUS(kept->add("ann", {"bob"}).status(), ok);
}

static void a_result_outlives_its_client_and_views_outlive_a_move()
{
    client client = open_client();
    result first = client.add("ann", {"bob", "an account that is no short one"});
    const std::string_view json = first.json(), account = first.items()[1].account;
    CHECK_STATUS(client.close().status(), ok);
    std::vector<result> results;
    results.push_back(std::move(first));
    results.push_back(result(chatblock::status::ok));
    results.reserve(100);
    CHECK(results[0].json().data() == json.data());
    CHECK_VIEW(account, "an account that is no short one");
    CHECK_VIEW(results[0].owner(), "ann");
}

static void a_result_that_was_moved_is_an_error_without_text()
{
    const client client = open_client();
    result from = client.add("ann", {"bob"});
    const result to = std::move(from);
    CHECK_STATUS(from.status(), argument);
    CHECK_VIEW(from.message(), "CHATBLOCK_ERR_ARGUMENT");
    CHECK_VIEW(from.json(), "");
    CHECK_VIEW(from.command(), "");
    CHECK_VIEW(from.owner(), "");
    CHECK_VIEW(from.usersig(), "");
    CHECK_NUMBER(from.items().size(), 0);
    CHECK_VIEW(from.items()[0].account, "");
    CHECK_STATUS(to.status(), ok);
    from = client.get("ann");
    CHECK_STATUS(from.status(), ok);
}

/// What C gave can be taken over, and functions of C take what is behind a client.
static void c_and_cpp_work_on_the_same_client()
{
    const client client = open_client();
    const char *const bob[] = {"bob"};
    const result added(chatblock_blocklist_add(client.handle(), "ann", bob, 1));
    CHECK_STATUS(added.status(), ok);
    CHECK(client.is_blocked("ann", "bob") == chatblock::blocked::yes);
}

int main()
{
    a_client_without_anything_behind_it_refuses();
    a_client_is_closed_once_and_by_its_owner();
    a_result_outlives_its_client_and_views_outlive_a_move();
    a_result_that_was_moved_is_an_error_without_text();
    c_and_cpp_work_on_the_same_client();
    return check_report();
}
