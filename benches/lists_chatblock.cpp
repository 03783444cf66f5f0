// P12: full lists added to a durable store by one caller, and opening it. Arguments: DATABASE PAIRS.

#include <chatblock.h>

#include "population.hpp"

using namespace bench;

namespace {

chatblock_client *open(const char *database) {
    const std::string config = std::string("{\"backend\":\"embedded\",\"path\":\"") + database + "\"}";
    chatblock_result *why = nullptr;
    chatblock_client *client = chatblock_client_open(config.c_str(), &why);
    require(client != nullptr, chatblock_result_message(why));
    return client;
}

void close(chatblock_client *client) {
    require(chatblock_client_close(client, 10000) == CHATBLOCK_OK, "work was left");
}

void add(const chatblock_client *client, const std::string &owner, const std::vector<std::string> &list) {
    std::vector<const char *> targets;
    for (const auto &target : list) targets.push_back(target.c_str());
    chatblock_result *result = chatblock_blocklist_add(client, owner.c_str(), targets.data(), targets.size());
    require(chatblock_result_status(result) == CHATBLOCK_OK, chatblock_result_message(result));
    chatblock_result_free(result);
}

}  // namespace

int main(int count, char **arguments) {
    require(count == 3, "usage: DATABASE PAIRS");
    const unsigned long pairs = std::strtoul(arguments[2], nullptr, 10);
    chatblock_client *client = open(arguments[1]);
    double adding = 0;
    for (unsigned long owner = 0; owner < pairs / 1000; ++owner) {
        const auto name = owner_account(owner);
        const auto list = full_list(owner);
        const double from = wall_us();
        add(client, name, list);
        adding += wall_us() - from;
    }
    close(client);
    const double from = wall_us();
    client = open(arguments[1]);
    const double opening = wall_us() - from;
    const std::string owner = owner_account(pairs / 1000 - 1), target = full_list(pairs / 1000 - 1).back();
    require(chatblock_client_is_blocked(client, owner.c_str(), target.c_str()) == 1, "the last pair is missing");
    close(client);
    std::printf("{\"add_us\": %.4f, \"open_us\": %.4f}\n", adding / pairs, opening / pairs);
}
