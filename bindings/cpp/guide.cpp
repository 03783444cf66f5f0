// The pieces of README.md as one program, which the tests run.
#include <chatblock.hpp>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

int delivered;

void deliver(const std::string &)
{
    delivered++;
}

void tell_player(const char *what)
{
    std::cout << what << '\n';
}

void without_exceptions(const chatblock::client &client, std::string_view owner,
                        const std::vector<std::string> &targets)
{
    const auto result = client.add(owner, targets);
    if (!result)
        std::cerr << result.message() << (result.retryable() ? ", try again later\n" : "\n");
    for (const auto &item : result.items())
        if (item.code == 30013)
            tell_player("your list is full");
}

void with_exceptions(const chatblock::client &client)
{
    try {
        const auto result = client.add("ann", {"ann"}).or_throw();
        std::cout << result.json() << '\n';
    } catch (const chatblock::error &error) {
        std::cerr << error.what() << ", code " << error.service_code() << '\n';
    }
}

std::vector<std::string> everybody_on_the_list(const chatblock::client &client, std::string_view owner)
{
    std::vector<std::string> names;
    std::uint32_t next = 0;
    do {
        const auto page = client.get(owner, next).or_throw();
        for (const auto &item : page.items())
            names.emplace_back(item.account);
        next = page.next_index();
    } while (next != 0);
    return names;
}

void say_to_one(const chatblock::client &client, const std::string &speaker, const std::string &hearer)
{
    switch (client.is_blocked(hearer, speaker).or_throw()) {
    case chatblock::blocked::yes:
        return;
    case chatblock::blocked::unknown:
        if (!client.watch({hearer})) /* read the list, for the next time */
            std::cerr << "not watched: " << hearer << '\n';
        break;
    default:
        break;
    }
    deliver(hearer);
}

void say_to_all(const chatblock::client &client, const std::string &speaker, const std::vector<std::string> &channel)
{
    std::vector<chatblock::blocked> answers(channel.size());
    client.is_blocked_many(channel, speaker, answers).or_throw();
    for (std::size_t i = 0; i < channel.size(); i++)
        if (answers[i] != chatblock::blocked::yes)
            deliver(channel[i]);
}

void per_tick(const chatblock::client &client)
{
    chatblock::completions loop(client, [](chatblock::result stray) {
        std::cerr << "a write of an earlier run was refused: " << stray.message() << '\n';
    });

    const auto accepted = loop.add("ann", {"bob"}, [](const chatblock::result &done) {
        if (done)
            tell_player("bob is blocked");
    });
    if (!accepted)
        std::cerr << accepted.error().message() << '\n';

    for (int tick = 0; tick < 100 && loop.pending() > 0; tick++) {
        while (loop.run_once(0ms)) {
        }
        std::this_thread::sleep_for(16ms);
    }
}

void in_a_thread(const chatblock::client &client)
{
    chatblock::completions loop(client);
    std::atomic<bool> ends{false};
    std::thread runner([&] {
        while (!ends) {
            try {
                loop.run_once(chatblock::forever);
            } catch (const std::exception &error) {
                std::cerr << error.what() << '\n'; /* what a lambda threw; nothing else is lost */
            }
        }
    });
    loop.remove("ann", {"bob"}, [](chatblock::result done) {
            std::move(done).or_throw();
            tell_player("bob is unblocked");
        }).or_throw();

    client.flush(5s).or_throw();
    ends = true;
    client.wakeup().or_throw();
    runner.join();
    while (loop.run_once(0ms)) {
    }
}

} // namespace

int main()
{
    auto client = chatblock::client::open("{}").or_throw();
    without_exceptions(client, "ann", {"cat", "dan"});
    with_exceptions(client);
    if (everybody_on_the_list(client, "ann") != std::vector<std::string>{"cat", "dan"})
        return 1;
    say_to_one(client, "cat", "ann");
    say_to_one(client, "ann", "cat");
    say_to_all(client, "cat", {"ann", "bob", "dan"});
    if (delivered != 3)
        return 1;
    per_tick(client);
    if (client.is_blocked("ann", "bob") != chatblock::blocked::yes)
        return 1;
    in_a_thread(client);
    if (client.is_blocked("ann", "bob") != chatblock::blocked::no)
        return 1;

    if (!client.close(2s))
        std::cerr << "unsent blocklist changes\n";
    std::cout << "guide: every piece does what it says\n";
    return 0;
}
