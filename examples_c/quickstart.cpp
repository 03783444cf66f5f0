// The same library from C++17, through chatblock.hpp: owners, views, containers, exceptions on demand.
//
//   quickstart_cpp '{}'
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "chatblock.hpp"

namespace {

void print(std::string_view what, const chatblock::result &result)
{
    std::cout << what << ": " << chatblock::name(result.status()) << '\n';
    for (const auto &item : result.items())
        std::cout << "  " << item.account << ' ' << chatblock::name(item.status) << '\n';
    if (!result.message().empty())
        std::cout << "  " << result.message() << '\n';
}

/// Everybody on the list of `owner`.
std::vector<std::string> blocked_by(const chatblock::client &client, std::string_view owner)
{
    std::vector<std::string> all;
    std::uint32_t next = 0;
    do {
        const auto page = client.get(owner, next, 100).or_throw();
        for (const auto &item : page.items())
            all.emplace_back(item.account);
        next = page.next_index();
    } while (next != 0);
    return all;
}

} // namespace

int main(int argc, char **argv)
try {
    const auto client = chatblock::client::open(argc > 1 ? argv[1] : "{}").or_throw();
    print("ann blocks bob, cat and herself", client.add("ann", {"bob", "cat", "ann"}));
    print("ann blocks bob again", client.add("ann", {"bob"}));
    std::cout << "ann's list:";
    for (const std::string &name : blocked_by(client, "ann"))
        std::cout << ' ' << name;
    std::cout << '\n';
    if (client.is_blocked("ann", "bob") == chatblock::blocked::yes)
        std::cout << "ann does not hear bob\n";
    return 0;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
