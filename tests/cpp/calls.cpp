// Every call that waits, what its result says, and what becomes of a failure with and without exceptions.
#include "check.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

using chatblock::client;
using chatblock::relation;
using chatblock::result;

static void a_result_tells_what_became_of_each_account(const client &client)
{
    const result added = client.add("ann", {"bob", "ann", "cat"});
    CHECK_STATUS(added.status(), partial);
    CHECK(added);
    CHECK_NUMBER(added.service_code(), 30001);
    CHECK(!added.retryable());
    CHECK_PART(added.message(), "ann");
    CHECK_VIEW(added.command(), "black_list_add");
    CHECK_VIEW(added.owner(), "ann");
    CHECK_VIEW(added.usersig(), "");
    CHECK_NUMBER(added.tag(), 0);
    CHECK_NUMBER(added.next_index(), 0);
    CHECK_PART(added.json(), "\"Fail_Account\":[\"ann\"]");
    CHECK(added.json().back() == '}');

    std::vector<std::string> seen;
    for (const auto &item : added.items()) {
        const bool is_ann = item.account == "ann";
        seen.emplace_back(item.account);
        CHECK(item.status == (is_ann ? chatblock::status::service : chatblock::status::ok));
        CHECK_NUMBER(item.code, is_ann ? 30001 : 0);
        CHECK(item.relation == relation::none);
        CHECK_NUMBER(item.time.time_since_epoch().count(), 0);
    }
    CHECK((seen == std::vector<std::string>{"bob", "ann", "cat"}));
}

static void items_are_a_range(const client &client)
{
    const result page = client.get("ann");
    const auto items = page.items();
    CHECK_NUMBER(items.size(), 2);
    CHECK(!items.empty());
    CHECK_VIEW(items[1].account, "cat");
    CHECK_VIEW(items[2].account, "");
    CHECK_STATUS(items[2].status, argument);
    CHECK_NUMBER(std::distance(items.begin(), items.end()), 2);
    CHECK(std::any_of(items.begin(), items.end(), [](const auto &item) { return item.account == "cat"; }));
    auto at = items.begin();
    CHECK_VIEW((*at++).account, "bob");
    CHECK_VIEW((*at).account, "cat");
    CHECK(++at == items.end());
    CHECK(client.get("nobody").or_throw().command() == "black_list_get");
}

static void what_was_so_already_is_unchanged(const client &client)
{
    const result again = client.add("ann", {"bob"});
    CHECK_STATUS(again.status(), ok);
    CHECK_VIEW(again.message(), "");
    CHECK_STATUS(again.items()[0].status, unchanged);
    const result removed = client.remove("ann", {"cat", "nobody"});
    CHECK_STATUS(removed.status(), ok);
    CHECK_VIEW(removed.command(), "black_list_delete");
    CHECK_STATUS(removed.items()[0].status, ok);
    CHECK_STATUS(removed.items()[1].status, unchanged);
}

static void a_check_knows_four_relations(const client &client)
{
    CHECK(client.add("bob", {"ann"}));
    CHECK(client.add("eve", {"ann"}));
    const result both = client.check("ann", {"zoe", "eve", "bob"}, chatblock::check_type::both);
    CHECK_VIEW(both.command(), "black_list_check");
    CHECK(both.items()[0].relation == relation::no);
    CHECK(both.items()[1].relation == relation::b_with_a);
    CHECK(both.items()[2].relation == relation::both_way);
    const result single = client.check("ann", {"eve", "bob"}, chatblock::check_type::single);
    CHECK(single.items()[0].relation == relation::no);
    CHECK(single.items()[1].relation == relation::a_with_b);
}

static void a_list_is_read_page_by_page()
{
    using clock = std::chrono::system_clock;
    const client client = open_client();
    const auto before = std::chrono::floor<std::chrono::seconds>(clock::now());
    CHECK(client.add("ann", {"p0", "p1", "p2", "p3", "p4", "p5", "p6"}));
    std::string seen;
    std::uint32_t start = 0;
    int pages = 0;
    do {
        const result page = client.get("ann", start, 3);
        CHECK_STATUS(page.status(), ok);
        for (const auto &item : page.items()) {
            seen += item.account;
            CHECK(item.time >= before && item.time <= clock::now());
        }
        start = page.next_index();
    } while (++pages < 10 && start != 0);
    CHECK_NUMBER(pages, 3);
    CHECK_VIEW(seen, "p0p1p2p3p4p5p6");
    CHECK_STATUS(client.get("ann", 0, 1001).status(), argument);
}

static void a_call_takes_the_json_of_the_service(const client &client)
{
    const result added = client.call("black_list_add", R"({"From_Account":"gil","To_Account":["hal"]})");
    CHECK_STATUS(added.status(), ok);
    CHECK_VIEW(added.owner(), "gil");
    CHECK_STATUS(client.call("black_list_add", "{}").status(), request);
    CHECK_STATUS(client.call("black_list_burn", "{}").status(), argument);
}

static void stats_are_json(const client &client)
{
    const result stats = client.stats();
    CHECK_STATUS(stats.status(), ok);
    CHECK_PART(stats.json(), "\"backend\":\"embedded\"");
    CHECK_NUMBER(stats.items().size(), 0);
}

static void a_webhook_always_has_an_answer(const client &client)
{
    const result refused = client.apply_webhook("SdkAppid=1", "{}");
    CHECK_STATUS(refused.status(), unsupported);
    CHECK_PART(refused.json(), "\"ActionStatus\":\"FAIL\"");
    CHECK_STATUS(client.apply_webhook("SdkAppid=1", {}).status(), unsupported);
}

static void a_signature_is_made_and_verified()
{
    using namespace std::chrono_literals;
    const result made = chatblock::usersig_generate(1400000001, TEST_KEY, "ann", 1min);
    CHECK_STATUS(made.status(), ok);
    const auto verify = [&](std::uint32_t app, std::string_view user, std::string_view signature) {
        return chatblock::usersig_verify(app, TEST_KEY, user, signature);
    };
    CHECK_STATUS(verify(1400000001, "ann", made.usersig()).status(), ok);
    CHECK_NUMBER(verify(1400000002, "ann", made.usersig()).service_code(), 70014);
    CHECK_NUMBER(verify(1400000001, "bob", made.usersig()).service_code(), 70013);
    CHECK_STATUS(verify(1400000001, "ann", "eJw*").status(), signature);
    CHECK_STATUS(chatblock::usersig_generate(1400000001, TEST_KEY, "ann", -1s).status(), argument);
    CHECK_STATUS(chatblock::usersig_generate(1400000001, TEST_KEY, "ann", 4294967296s).status(), argument);
    CHECK_STATUS(chatblock::usersig_generate(1400000001, TEST_KEY, "ann", 1576800000s).status(), ok);
}

static void a_failure_becomes_an_exception_on_demand(const client &client)
{
    CHECK_STATUS(client.add("ann", {"bob", "ann"}).or_throw().status(), partial);
    bool thrown = false;
    try {
        const result never = client.add("ann", {"ann"}).or_throw();
        CHECK(!never);
    } catch (const chatblock::error &error) {
        thrown = true;
        const std::exception &base = error;
        CHECK_STATUS(error.status(), service);
        CHECK_NUMBER(error.service_code(), 30001);
        CHECK(!error.retryable());
        CHECK_VIEW(base.what(), error.answer().message().data());
        CHECK_PART(base.what(), "ann");
        CHECK_PART(error.answer().json(), "\"ResultItem\"");
        CHECK_NUMBER(error.answer().items()[0].code, 30001);
        const chatblock::error copy = error;
        CHECK(&copy.answer() == &error.answer());
    }
    CHECK(thrown);
}

static void an_expected_has_a_value_or_a_reason(const client &client)
{
    auto opened = chatblock::client::open(R"({"colour":"red"})");
    CHECK(!opened);
    CHECK_STATUS(opened.status(), config);
    CHECK_PART(opened.error().message(), "colour");
    CHECK(opened->handle() == nullptr);
    bool thrown = false;
    try {
        std::move(opened).or_throw();
    } catch (const std::runtime_error &error) {
        thrown = true;
        CHECK_PART(error.what(), "colour");
    }
    CHECK(thrown);

    const auto cancelled = client.cancel(7);
    CHECK(cancelled == 0U);
    CHECK_NUMBER(*cancelled, 0);
    CHECK_STATUS(cancelled.error().status(), ok);
    CHECK_NUMBER(client.cancel(7).or_throw(), 0);
    CHECK_NUMBER(client.cancel(7).value_or(5), 0);
    CHECK_NUMBER(chatblock::client().cancel(7).value_or(5), 5);
    CHECK(chatblock::client().cancel(7) != 0U);
    CHECK_VIEW(chatblock::client::open().or_throw().stats().message(), "");
}

static void a_status_alone_reads_as_a_result(const client &client)
{
    const result synced = client.sync(chatblock::forever);
    CHECK_STATUS(synced.status(), unsupported);
    CHECK_VIEW(synced.message(), "CHATBLOCK_ERR_UNSUPPORTED");
    CHECK_VIEW(synced.json(), "");
    CHECK_NUMBER(synced.service_code(), 0);
    CHECK_NUMBER(synced.items().size(), 0);
    CHECK(!synced.retryable());
    CHECK(result(chatblock::status::busy).retryable());
    const result flushed = client.flush(std::chrono::milliseconds(0));
    CHECK(flushed);
    CHECK_VIEW(flushed.message(), "");
}

static void statuses_have_the_numbers_and_names_of_the_header()
{
    for (std::int32_t number = CHATBLOCK_ERR_QUEUED; number <= CHATBLOCK_UNCHANGED; number++)
        CHECK(chatblock::name(static_cast<chatblock::status>(number)) != "CHATBLOCK_ERR_?");
    CHECK_VIEW(chatblock::name(chatblock::status::connect), "CHATBLOCK_ERR_CONNECT");
    CHECK_VIEW(chatblock::name(chatblock::status::queued), "CHATBLOCK_ERR_QUEUED");
    CHECK(!result(chatblock::status::queued).retryable());
    CHECK_VIEW(chatblock::name(chatblock::status::unchanged), "CHATBLOCK_UNCHANGED");
    CHECK_VIEW(chatblock::name(static_cast<chatblock::status>(-99)), "CHATBLOCK_ERR_?");
    CHECK_VIEW(chatblock::version(), chatblock_version());
}

int main()
{
    const client client = open_client();
    a_result_tells_what_became_of_each_account(client);
    items_are_a_range(client);
    what_was_so_already_is_unchanged(client);
    a_check_knows_four_relations(client);
    a_list_is_read_page_by_page();
    a_call_takes_the_json_of_the_service(client);
    stats_are_json(client);
    a_webhook_always_has_an_answer(client);
    a_signature_is_made_and_verified();
    a_failure_becomes_an_exception_on_demand(client);
    an_expected_has_a_value_or_a_reason(client);
    a_status_alone_reads_as_a_result(client);
    statuses_have_the_numbers_and_names_of_the_header();
    return check_report();
}
