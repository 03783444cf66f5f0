// Who blocks whom, from memory: answers, refusals, and room for answers.
#include "check.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

using chatblock::blocked;
using chatblock::client;

static const std::string longest(32, 'x'), too_long(33, 'x');

static void an_answer_is_yes_or_no_or_an_error(const client &client)
{
    using namespace std::string_view_literals;
    CHECK(client.is_blocked("ann", "bob") == blocked::yes);
    CHECK(client.is_blocked("ann", "bob") != blocked::no);
    CHECK(client.is_blocked("bob", "ann") == blocked::no);
    CHECK(client.is_blocked("ann", longest) == blocked::yes);
    CHECK(client.is_blocked(longest, "ann") == blocked::no);
    for (std::string_view bad : {""sv, std::string_view(too_long), "b\0b"sv, "bob\0"sv}) {
        CHECK_STATUS(client.is_blocked("ann", bad).status(), argument);
        CHECK_STATUS(client.is_blocked(bad, "bob").status(), argument);
        CHECK(client.is_blocked("ann", bad) != blocked::no);
        CHECK(*client.is_blocked("ann", bad) == blocked::unknown);
        CHECK(client.is_blocked("ann", bad).value_or(blocked::unknown) == blocked::unknown);
    }
}

/// Nothing is known of anybody, and nobody is asked: the address does not answer.
static void nothing_known_is_not_no()
{
    const client remote = open_client(
        R"({"sdkappid":1400000001,"secret_key":")" TEST_KEY R"(","base_url":"https://example.invalid"})");
    CHECK(remote.is_blocked("ann", "bob") == blocked::unknown);
    CHECK(remote.is_blocked("ann", "bob") != blocked::no);
    std::array<blocked, 2> answers{};
    CHECK(remote.is_blocked_many({"ann", "bob"}, "cat", answers) == 0U);
    CHECK(answers[0] == blocked::unknown && answers[1] == blocked::unknown);
    std::vector<chatblock::blocked_pair> pairs;
    CHECK(remote.blocked_pairs({"ann", "bob", "cat"}, pairs) == 3U);
}

static void each_owner_has_its_own_answer(const client &client)
{
    using namespace std::string_view_literals;
    const chatblock::accounts owners{"ann", "", "cat", too_long, "c\0t"sv, "ann"};
    const std::vector<blocked> wanted{blocked::yes,     blocked::invalid, blocked::no,
                                      blocked::invalid, blocked::invalid, blocked::yes};
    std::vector<blocked> answers(owners.size());
    CHECK(client.is_blocked_many(owners, "bob", answers) == 2U);
    CHECK(answers == wanted);
    blocked array[6];
    CHECK_NUMBER(*client.is_blocked_many(owners, "bob", array), 2);
    CHECK(std::equal(wanted.begin(), wanted.end(), array));
}

static void answers_need_room(const client &client)
{
    std::vector<blocked> answers(3, blocked::unknown);
    CHECK_STATUS(client.is_blocked_many({"ann", "ann", "ann", "ann"}, "bob", answers).status(), argument);
    CHECK_STATUS(client.is_blocked_many({}, "bob", answers).status(), argument);
    CHECK_STATUS(client.is_blocked_many({"ann"}, too_long, answers).status(), argument);
    CHECK(answers == std::vector<blocked>(3, blocked::unknown));
    CHECK(client.is_blocked_many({"ann", "ann"}, "bob", answers) == 2U);
    CHECK(answers[1] == blocked::yes && answers[2] == blocked::unknown);
}

static void pairs_are_found_whatever_room_there_was(const client &client)
{
    const chatblock::accounts among{"ann", "bob", "cat", "bob"};
    std::vector<chatblock::blocked_pair> pairs;
    for (std::size_t room : {0U, 1U, 2U, 3U, 100U}) {
        pairs.assign(room, {9, 9});
        pairs.shrink_to_fit();
        CHECK(client.blocked_pairs(among, pairs) == 0U);
        CHECK_NUMBER(pairs.size(), 2);
        CHECK(pairs[0].owner == 0 && pairs[0].peer == 1);
        CHECK(pairs[1].owner == 0 && pairs[1].peer == 3);
    }
    CHECK(client.blocked_pairs({"cat", "dan"}, pairs) == 0U);
    CHECK(pairs.empty());
    CHECK_STATUS(client.blocked_pairs({"ann", ""}, pairs).status(), argument);
    CHECK_STATUS(client.blocked_pairs({}, pairs).status(), argument);
}

static void watching_takes_accounts(const client &client)
{
    CHECK_STATUS(client.watch({"ann", "bob"}).status(), ok);
    CHECK_STATUS(client.unwatch(std::vector<std::string>{"ann", "bob"}).status(), ok);
    CHECK_STATUS(client.watch({"ann", too_long}).status(), argument);
    CHECK_STATUS(client.unwatch({}).status(), argument);
}

int main()
{
    const client client = open_client();
    CHECK(client.add("ann", {"bob", longest}));
    an_answer_is_yes_or_no_or_an_error(client);
    nothing_known_is_not_no();
    each_owner_has_its_own_answer(client);
    answers_need_room(client);
    pairs_are_found_whatever_room_there_was(client);
    watching_takes_accounts(client);
    return check_report();
}
