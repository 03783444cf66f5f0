// Calls without waiting: with tags and poll, and with lambdas.
#include "check.hpp"

#include <poll.h>

#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using chatblock::client;
using chatblock::completions;
using chatblock::result;

static void completes(const client &client, std::uint64_t tag, std::string_view command)
{
    const auto done = client.poll(chatblock::forever);
    CHECK(done);
    CHECK_STATUS(done->status(), ok);
    CHECK(done->tag() == tag);
    CHECK_VIEW(done->command(), command);
    CHECK_VIEW(done->items()[0].account, "bob");
}

static void every_call_completes_with_its_tag()
{
    const client client = open_client();
    CHECK_STATUS(client.add_async("ann", {"bob"}, UINT64_MAX).status(), ok);
    CHECK(client.add_async("ann", {"bob", ""}, 1).message().find("targets[1]") != std::string_view::npos);
    CHECK(client.submit("black_list_add", "{\"From_Account\":\"ann\"}", 1).message().find("To_Account") !=
          std::string_view::npos);
    completes(client, UINT64_MAX, "black_list_add");
    CHECK_STATUS(client.check_async("ann", {"bob"}, chatblock::check_type::both, 0).status(), ok);
    completes(client, 0, "black_list_check");
    const char *const request = R"({"From_Account":"ann","StartIndex":0,"MaxLimited":9,"LastSequence":0})";
    CHECK_STATUS(client.submit("black_list_get", request, 7).status(), ok);
    completes(client, 7, "black_list_get");
    CHECK_STATUS(client.submit("black_list_add", "{}", 7).status(), request);
    CHECK_STATUS(client.remove_async("ann", {"bob"}, 7).status(), ok);
    completes(client, 7, "black_list_delete");
    CHECK_STATUS(client.flush(0ms).status(), ok);
    CHECK(!client.poll(0ms));
}

static void a_poll_ends_by_time_by_wakeup_and_by_descriptor()
{
    const client client = open_client();
    const auto began = std::chrono::steady_clock::now();
    CHECK(!client.poll(50ms));
    CHECK(std::chrono::steady_clock::now() - began > 45ms);
    CHECK_STATUS(client.wakeup().status(), ok);
    CHECK(!client.poll(chatblock::forever));
    CHECK_STATUS(client.wakeup().status(), ok);
    CHECK(!client.poll(std::chrono::milliseconds::max()));

    const auto descriptor = client.event_fd();
    CHECK(descriptor && *descriptor >= 0);
    CHECK_STATUS(client.add_async("ann", {"bob"}, 1).status(), ok);
    pollfd waiting = {*descriptor, POLLIN, 0};
    CHECK_NUMBER(poll(&waiting, 1, -1), 1);
    completes(client, 1, "black_list_add");
}

static void what_was_synced_is_there_again()
{
    const char *const config = R"({"path":"synced.db"})";
    client client = open_client(config);
    CHECK_STATUS(client.add_async("ann", {"bob"}, 1).status(), ok);
    CHECK_STATUS(client.sync(chatblock::forever).status(), ok);
    CHECK_STATUS(client.close(chatblock::forever).status(), ok);
    client = open_client(config);
    CHECK(client.is_blocked("ann", "bob") == chatblock::blocked::yes);
}

static void each_lambda_gets_its_own_result()
{
    const client client = open_client();
    completions loop(client);
    std::string heard;
    CHECK(loop.add("ann", {"bob", "ann"}, [&](result r) {
        CHECK_STATUS(r.status(), partial);
        heard += "add ";
    }));
    CHECK(loop.check("ann", {"bob"}, chatblock::check_type::single, [&](const result &r) {
        CHECK(r.items()[0].relation == chatblock::relation::a_with_b);
        heard += "check ";
    }));
    CHECK_NUMBER(loop.pending(), 2);
    while (loop.pending() > 0)
        CHECK(loop.run_once(chatblock::forever));
    CHECK_VIEW(heard, "add check ");
    CHECK(loop.remove("ann", {"bob"}, [&](result &&r) {
        CHECK_VIEW(r.command(), "black_list_delete");
        heard += "remove ";
    }));
    CHECK(loop.submit("black_list_add", R"({"From_Account":"ann","To_Account":["cat"]})", [&](result r) {
        CHECK_VIEW(r.items()[0].account, "cat");
        heard += "submit ";
    }));
    while (loop.pending() > 0)
        CHECK(loop.run_once(chatblock::forever));
    CHECK_VIEW(heard, "add check remove submit ");
    CHECK(!loop.run_once(0ms));
}

static void what_is_refused_at_once_never_runs()
{
    const client client = open_client(R"({"queue":{"max_calls":1}})");
    completions loop(client);
    auto alive = std::make_shared<int>(0);
    const auto never = [alive](const result &) { CHECK_NEVER("it runs"); };
    CHECK_STATUS(loop.add("", {"bob"}, never).status(), argument);
    CHECK_STATUS(loop.submit("black_list_add", "{}", never).status(), request);
    CHECK(loop.add("ann", {"bob"}, [](const result &) {}));
    CHECK_STATUS(loop.add("ann", {"bob"}, never).status(), busy);
    CHECK(loop.add("ann", {"bob"}, never).error().retryable());
    CHECK_NUMBER(loop.pending(), 1);
    CHECK_NUMBER(alive.use_count(), 2);
    CHECK(loop.run_once(chatblock::forever));
}

static void lambdas_may_move_and_start_calls()
{
    const client client = open_client();
    completions loop(client);
    int rounds = 0;
    struct again {
        completions &loop;
        std::unique_ptr<int *> rounds;
        void operator()(const result &done)
        {
            CHECK_STATUS(done.status(), ok);
            if (++**rounds < 5)
                CHECK(loop.add("ann", {"bob"}, again{loop, std::move(rounds)}));
        }
    };
    CHECK(loop.add("ann", {"bob"}, again{loop, std::make_unique<int *>(&rounds)}));
    while (loop.pending() > 0)
        CHECK(loop.run_once(chatblock::forever));
    CHECK_NUMBER(rounds, 5);
}

static void an_exception_comes_out_of_run_once_and_loses_nothing()
{
    const client client = open_client();
    completions loop(client);
    int thrown = 0, ran = 0;
    for (int i = 0; i < 10; i++)
        CHECK(loop.add("ann", {"p" + std::to_string(i), i % 2 ? "ann" : "zed"}, [&ran](result done) {
            ran++;
            for (const auto &item : done.items())
                if (item.status == chatblock::status::service)
                    throw chatblock::error(std::move(done));
        }));
    CHECK_STATUS(client.flush(chatblock::forever).status(), ok);
    for (int i = 0; i < 10; i++) {
        try {
            CHECK(loop.run_once(0ms));
        } catch (const chatblock::error &error) {
            thrown++;
            CHECK_NUMBER(error.service_code(), 30001);
        }
    }
    CHECK_NUMBER(ran, 10);
    CHECK_NUMBER(thrown, 5);
    CHECK_NUMBER(loop.pending(), 0);
    CHECK(!loop.run_once(0ms));
}

static void a_tag_cancels()
{
    const client client = open_client();
    completions loop(client);
    const auto tag = loop.add("ann", {"bob"}, [](const result &r) {
        CHECK(r || r.status() == chatblock::status::cancelled);
    });
    CHECK(tag && *tag != 0);
    CHECK(client.cancel(*tag));
    CHECK(loop.run_once(chatblock::forever));
}

static void what_no_lambda_waits_for_goes_to_the_handler_or_is_kept()
{
    const client client = open_client();
    std::vector<std::uint64_t> tags;
    const auto foreign = [&client] {
        CHECK_STATUS(client.add_async("ann", {"bob"}, 0).status(), ok);
        CHECK_STATUS(client.add_async("ann", {"bob"}, 77).status(), ok);
    };
    foreign();
    completions handled(client, [&tags](const result &r) { tags.push_back(r.tag()); });
    for (int i = 0; i < 2; i++)
        CHECK(handled.run_once(chatblock::forever));
    CHECK((tags == std::vector<std::uint64_t>{0, 77}));
    CHECK(handled.unclaimed().empty());

    foreign();
    completions kept(client);
    for (int i = 0; i < 2; i++)
        CHECK(kept.run_once(chatblock::forever));
    const auto strays = kept.unclaimed();
    CHECK_NUMBER(strays.size(), 2);
    CHECK(strays[0].tag() == 0 && strays[1].tag() == 77);
    CHECK(kept.unclaimed().empty());
}

static void a_loop_that_ends_destroys_what_never_ran()
{
    const client client = open_client();
    auto alive = std::make_shared<int>(0);
    {
        completions loop(client);
        CHECK(loop.add("ann", {"bob"}, [alive](const result &) { CHECK_NEVER("it runs"); }));
        CHECK_NUMBER(alive.use_count(), 2);
    }
    CHECK_NUMBER(alive.use_count(), 1);
}

static void what_was_dropped_by_close_is_told_so()
{
    client client = open_client();
    completions loop(client);
    int ended = 0, thrown = 0;
    for (int i = 0; i < 1000; i++)
        CHECK(loop.add("ann", {"bob"}, [&ended](const result &done) {
            CHECK(done || done.status() == chatblock::status::closed);
            if (++ended == 10)
                throw std::runtime_error("the tenth");
        }));
    for (int i = 0; i < 5; i++)
        CHECK(loop.run_once(chatblock::forever));
    const result closed = client.close(chatblock::forever);
    CHECK(closed || closed.status() == chatblock::status::timeout);
    CHECK(!loop.run_once(chatblock::forever));
    while (loop.pending() > 0) {
        try {
            loop.abandon();
        } catch (const std::runtime_error &) {
            thrown++;
        }
    }
    CHECK_NUMBER(ended, 1000);
    CHECK_NUMBER(thrown, 1);
    CHECK_STATUS(loop.add("ann", {"bob"}, [](const result &) {}).status(), argument);
}

/// Four threads start calls, two run lambdas, and each lambda runs once.
static void any_number_of_threads_may_take_part()
{
    constexpr std::size_t calls = 2000;
    const client client = open_client();
    completions loop(client);
    std::vector<std::atomic<int>> ran(4 * calls);
    std::atomic<bool> ends{false};
    std::vector<std::thread> starters, runners;
    for (int i = 0; i < 2; i++)
        runners.emplace_back([&] {
            while (!ends)
                loop.run_once(chatblock::forever);
        });
    std::atomic<std::size_t> refused{0};
    for (std::size_t thread = 0; thread < 4; thread++)
        starters.emplace_back([&, thread] {
            const std::string owner = "owner" + std::to_string(thread);
            for (std::size_t i = 0; i < calls; i++)
                if (!loop.add(owner, {"p" + std::to_string(i % 500)}, [&ran, at = thread * calls + i](const result &r) {
                        ran[at] += r.status() == chatblock::status::ok ? 1 : 100;
                    }))
                    refused++;
        });
    for (std::thread &thread : starters)
        thread.join();
    while (loop.pending() > 0)
        std::this_thread::sleep_for(1ms);
    ends = true;
    for (std::size_t i = 0; i < runners.size(); i++)
        CHECK_STATUS(client.wakeup().status(), ok);
    for (std::thread &thread : runners)
        thread.join();
    std::size_t once = 0;
    for (const auto &count : ran)
        once += count == 1;
    CHECK_NUMBER(refused, 0);
    CHECK_NUMBER(once, ran.size());
    CHECK(loop.unclaimed().empty());
}

int main()
{
    every_call_completes_with_its_tag();
    a_poll_ends_by_time_by_wakeup_and_by_descriptor();
    what_was_synced_is_there_again();
    each_lambda_gets_its_own_result();
    what_is_refused_at_once_never_runs();
    lambdas_may_move_and_start_calls();
    an_exception_comes_out_of_run_once_and_loses_nothing();
    a_tag_cancels();
    what_no_lambda_waits_for_goes_to_the_handler_or_is_kept();
    a_loop_that_ends_destroys_what_never_ran();
    what_was_dropped_by_close_is_told_so();
    any_number_of_threads_may_take_part();
    return check_report();
}
