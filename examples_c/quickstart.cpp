// The same library from C++17: two deleters and a few lines make it safe to use with exceptions.
//
//   quickstart_cpp '{}'
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "chatblock.h"

namespace {

struct CloseClient {
    void operator()(chatblock_client *client) const { chatblock_client_close(client, 2000); }
};
struct FreeResult {
    void operator()(chatblock_result *result) const { chatblock_result_free(result); }
};
using Client = std::unique_ptr<chatblock_client, CloseClient>;
using Result = std::unique_ptr<chatblock_result, FreeResult>;

Client open(const std::string &config)
{
    chatblock_result *error = nullptr;
    Client client(chatblock_client_open(config.c_str(), &error));
    Result why(error);
    if (!client)
        throw std::runtime_error(chatblock_result_message(why.get()));
    return client;
}

/// Texts of a result live as long as the result: a view is enough to print them.
std::string_view account(const Result &result, std::size_t index)
{
    return chatblock_result_item_account(result.get(), index);
}

Result add(const Client &client, const char *owner, std::initializer_list<const char *> targets)
{
    return Result(chatblock_blocklist_add(client.get(), owner, targets.begin(), targets.size()));
}

void print(std::string_view what, const Result &result)
{
    std::cout << what << ": " << chatblock_status_name(chatblock_result_status(result.get())) << '\n';
    for (std::size_t i = 0; i < chatblock_result_item_count(result.get()); i++)
        std::cout << "  " << account(result, i) << ' '
                  << chatblock_status_name(chatblock_result_item_status(result.get(), i)) << '\n';
    if (std::string_view message = chatblock_result_message(result.get()); !message.empty())
        std::cout << "  " << message << '\n';
}

/// Everybody on the list of `owner`.
std::vector<std::string> blocked_by(const Client &client, const char *owner)
{
    std::vector<std::string> all;
    std::uint32_t next = 0;
    do {
        Result page(chatblock_blocklist_get(client.get(), owner, next, 100));
        if (chatblock_result_status(page.get()) < 0)
            throw std::runtime_error(chatblock_result_message(page.get()));
        for (std::size_t i = 0; i < chatblock_result_item_count(page.get()); i++)
            all.emplace_back(account(page, i));
        next = chatblock_result_next_index(page.get());
    } while (next != 0);
    return all;
}

} // namespace

int main(int argc, char **argv)
try {
    Client client = open(argc > 1 ? argv[1] : "{}");
    print("ann blocks bob, cat and herself", add(client, "ann", {"bob", "cat", "ann"}));
    print("ann blocks bob again", add(client, "ann", {"bob"}));
    std::cout << "ann's list:";
    for (const std::string &name : blocked_by(client, "ann"))
        std::cout << ' ' << name;
    std::cout << '\n';
    return 0;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
