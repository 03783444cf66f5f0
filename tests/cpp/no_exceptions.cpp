// Every template of the header, built in every standard, with and without exceptions and type information.
// Without exceptions everything but or_throw() is there.
#include "check.hpp"

#include <array>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using chatblock::blocked;
using chatblock::client;

template <class Answer, class = void>
constexpr bool throws = false;
template <class Answer>
constexpr bool throws<Answer, std::void_t<decltype(std::declval<Answer>().or_throw())>> = true;
#if defined(__cpp_exceptions)
static_assert(throws<chatblock::result> && throws<chatblock::expected<client>>);
#else
static_assert(!throws<chatblock::result> && !throws<chatblock::expected<client>>);
#endif

static void calls_answer(const client &client)
{
    const auto added = client.add("ann", {"bob", "ann"});
    CHECK_STATUS(added.status(), partial);
    std::string names;
    for (const auto &item : added.items())
        names += item.account;
    CHECK_VIEW(names, "bobann");
    CHECK_STATUS(client.add("ann", std::vector<std::string>{"ann"}).status(), service);
    CHECK_STATUS(client::open("{").error().status(), config);
    CHECK(client.cancel(1).value_or(7) == 0);
}

static void questions_are_answered(const client &client)
{
    std::array<blocked, 2> answers{};
    std::vector<chatblock::blocked_pair> pairs;
    CHECK(client.is_blocked("ann", "bob") == blocked::yes);
    CHECK(client.is_blocked_many({"ann", "bob"}, "bob", answers) == 1U);
    CHECK(client.blocked_pairs({"ann", "bob"}, pairs) == 0U);
    CHECK_NUMBER(pairs.size(), 1);
}

static void lambdas_run(const client &client)
{
    int ran = 0, strays = 0;
    chatblock::completions loop(client, [&strays](const chatblock::result &) { strays++; });
    const auto done = [&ran](const chatblock::result &answer) { ran += answer ? 1 : 100; };
    CHECK(loop.add("ann", {"bob"}, [done, held = std::make_unique<int>(3)](const auto &answer) { done(answer); }));
    CHECK(loop.check("ann", {"bob"}, chatblock::check_type::both, done));
    CHECK(loop.remove("ann", {"bob"}, done));
    CHECK(loop.submit("black_list_add", R"({"From_Account":"ann","To_Account":["bob"]})", done));
    CHECK(client.add_async("ann", {"cat"}, 0));
    for (int i = 0; i < 5; i++)
        CHECK(loop.run_once(chatblock::forever));
    CHECK_NUMBER(ran, 4);
    CHECK_NUMBER(strays, 1);
}

int main()
{
    const client client = open_client();
    calls_answer(client);
    questions_are_answered(client);
    lambdas_run(client);
    return check_report();
}
