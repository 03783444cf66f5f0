// What may stand for accounts and texts, and what is made of it for C.
#include "check.hpp"

#include <array>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

using chatblock::accounts;
using chatblock::client;

static_assert(std::is_convertible_v<std::vector<std::string>, accounts>);
static_assert(!std::is_convertible_v<std::string, accounts> && !std::is_convertible_v<const char *, accounts> &&
                  !std::is_convertible_v<std::vector<int>, accounts>,
              "one text is not a list of accounts");

static void are_ann_bob_cat(const accounts &ids)
{
    CHECK_NUMBER(ids.size(), 3);
    CHECK_TEXT(ids.data()[0], "ann");
    CHECK_TEXT(ids.data()[1], "bob");
    CHECK_TEXT(ids.data()[2], "cat");
}

/// Strings that are made while the range is read, once.
struct words {
    std::istream &from;
    std::istream_iterator<std::string> begin() const { return std::istream_iterator<std::string>(from); }
    std::istream_iterator<std::string> end() const { return {}; }
};

static void any_container_of_texts_will_do()
{
    const char *const literals[] = {"ann", "bob", "cat"};
    const std::string_view views[] = {std::string_view("annbob").substr(0, 3), "bob", "cat"};
    are_ann_bob_cat({"ann", "bob", "cat"});
    are_ann_bob_cat({std::string("ann"), std::string("bob"), std::string("cat")});
    are_ann_bob_cat(literals);
    are_ann_bob_cat(views);
    are_ann_bob_cat(std::vector<std::string>{"ann", "bob", "cat"});
    are_ann_bob_cat(std::vector<const char *>{"ann", "bob", "cat"});
    are_ann_bob_cat(std::array<std::string_view, 3>{"ann", "bob", "cat"});
    are_ann_bob_cat(std::set<std::string>{"cat", "bob", "ann"});
    are_ann_bob_cat(std::list<std::string>{"ann", "bob", "cat"});
    are_ann_bob_cat(std::deque<std::string>{"ann", "bob", "cat"});
    are_ann_bob_cat(std::forward_list<std::string>{"ann", "bob", "cat"});
    std::istringstream text("ann bob cat");
    are_ann_bob_cat(words{text});
}

static void the_ids_are_copies()
{
    std::vector<std::string> names{"ann", "bob", "cat"};
    const accounts ids(names);
    for (std::string &name : names)
        name = "???";
    are_ann_bob_cat(ids);
}

/// Numbers around those at which memory is taken from elsewhere.
static void any_number_of_ids_stays_in_order()
{
    for (std::size_t length : {1U, 32U, 33U, 20000U})
        for (std::size_t count : {0U, 1U, 63U, 64U, 65U, 1000U}) {
            std::vector<std::string> names;
            for (std::size_t i = 0; i < count; i++)
                names.push_back(std::to_string(i) + std::string(length, 'x'));
            const accounts ids(names);
            CHECK_NUMBER(ids.size(), count);
            bool same = true;
            for (std::size_t i = 0; i < count; i++)
                same = same && names[i] == ids.data()[i];
            CHECK(same);
        }
}

/// Ids that fill the room there is to its last byte, or pass it by one.
static void long_ids_do_not_touch_each_other()
{
    for (std::size_t room : {64U * 33U, 16384U})
        for (std::size_t length = room - 2; length <= room + 1; length++) {
            const std::string filler(64U * 33U, 'f'), first(length, 'x'), second("bob");
            const accounts ids{first, second}, after{filler, first, second};
            CHECK(first == ids.data()[0] && second == ids.data()[1]);
            CHECK(first == after.data()[1] && second == after.data()[2]);
        }
}

static void a_hundred_thousand_accounts_are_one_call()
{
    const client client = open_client();
    std::vector<std::string> names(100000, "bob");
    CHECK_STATUS(client.check("ann", names, chatblock::check_type::single).status(), ok);
    names.emplace_back("one too many");
    CHECK_STATUS(client.check("ann", names, chatblock::check_type::single).status(), argument);
}

static void an_account_that_cannot_be_is_refused_and_named(const client &client)
{
    using namespace std::string_view_literals;
    const std::string too_long(33, 'x');
    const auto refused = client.add("ann", {"bob", too_long});
    CHECK_STATUS(refused.status(), argument);
    CHECK_PART(refused.message(), "targets[1]");
    CHECK_PART(client.add("ann", {}).message(), "count");
    CHECK_PART(client.add("", {"bob"}).message(), "owner");
    CHECK_PART(client.add("ann", {"bob", "c\0t"sv}).message(), "targets[1]");
    CHECK_STATUS(client.add("ann", {"\xff"}).status(), argument);
}

static void a_nul_inside_is_refused_and_never_cuts(const client &client)
{
    using namespace std::string_view_literals;
    const auto ann = "ann\0x"sv;
    CHECK_STATUS(client.add(ann, {"bob"}).status(), argument);
    CHECK_STATUS(client.remove(ann, {"bob"}).status(), argument);
    CHECK_STATUS(client.get(ann).status(), argument);
    CHECK_STATUS(client.check(ann, {"bob"}, chatblock::check_type::both).status(), argument);
    CHECK_STATUS(client.call("black_list_get\0"sv, "{}").status(), argument);
    CHECK_STATUS(client.call("black_list_get", "{}\0"sv).status(), argument);
    CHECK_STATUS(client.add_async(ann, {"bob"}, 1).status(), argument);
    CHECK_STATUS(client.remove_async("ann", {ann}, 1).status(), argument);
    CHECK_STATUS(client.check_async(ann, {"bob"}, chatblock::check_type::both, 1).status(), argument);
    CHECK_STATUS(client.submit("black_list_get", "{}\0"sv, 1).status(), argument);
    CHECK_STATUS(client.watch({ann}).status(), argument);
    CHECK_STATUS(client.unwatch({ann}).status(), argument);
    CHECK_STATUS(client.apply_webhook("SdkAppid=1\0"sv, "{}").status(), argument);
    CHECK_STATUS(client::open("{}\0"sv).status(), argument);
    CHECK_STATUS(chatblock::usersig_generate(1, "key\0"sv, "ann", std::chrono::seconds(1)).status(), argument);
    CHECK_STATUS(chatblock::usersig_generate(1, "key", ann, std::chrono::seconds(1)).status(), argument);
    CHECK_STATUS(chatblock::usersig_verify(1, "key", "ann", "eJw\0"sv).status(), argument);
    CHECK_STATUS(client.apply_webhook("SdkAppid=1", "{\0}"sv).status(), unsupported);
    const auto list = client.get("ann");
    CHECK_NUMBER(list.items().size(), 0);
}

static void a_view_need_not_end_with_a_nul(const client &client)
{
    const std::string_view text = "annbob{}";
    CHECK_STATUS(client.add(text.substr(0, 3), {text.substr(3, 3)}).status(), ok);
    CHECK(client.is_blocked(text.substr(0, 3), text.substr(3, 3)) == chatblock::blocked::yes);
    CHECK(client.is_blocked(text.substr(0, 2), text.substr(3, 3)) == chatblock::blocked::no);
    CHECK(client::open(text.substr(6)));
}

int main()
{
    any_container_of_texts_will_do();
    the_ids_are_copies();
    any_number_of_ids_stays_in_order();
    long_ids_do_not_touch_each_other();
    a_hundred_thousand_accounts_are_one_call();
    const client client = open_client();
    an_account_that_cannot_be_is_refused_and_named(client);
    a_nul_inside_is_refused_and_never_cuts(client);
    a_view_need_not_end_with_a_nul(client);
    return check_report();
}
