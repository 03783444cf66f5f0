// P11: a durable embedded store. Adds, each on disk before the call returns: every caller is an owner of its own, and no
// account is added twice. Checks of one account, and first pages of 100.
// Arguments: adds DATABASE CALLERS EACH ROWS, checks DATABASE PAIRS COUNT, or gets DATABASE ROWS COUNT; ROWS are
// in each list before.

#include <chatblock.h>

#include <algorithm>
#include <cstring>

#include "population.hpp"

using namespace bench;

namespace {

chatblock_client *open(const std::string &path) {
    const std::string config = "{\"backend\":\"embedded\",\"path\":\"" + path + "\"}";
    chatblock_result *why = nullptr;
    chatblock_client *client = chatblock_client_open(config.c_str(), &why);
    require(client != nullptr, chatblock_result_message(why));
    return client;
}

void fill(const chatblock_client *client, const std::string &owner, const std::vector<std::string> &list) {
    if (list.empty()) return;
    std::vector<const char *> targets;
    for (const auto &target : list) targets.push_back(target.c_str());
    chatblock_result *result = chatblock_blocklist_add(client, owner.c_str(), targets.data(), targets.size());
    require(chatblock_result_status(result) == CHATBLOCK_OK, chatblock_result_message(result));
    chatblock_result_free(result);
}

void adds(const chatblock_client *client, int callers, int each, int rows) {
    require(rows + each + each / 10 + 3 <= 1000, "a list holds 1000 accounts");
    const auto owners = accounts("owne", callers);
    const auto targets = accounts("play", 1000);
    for (const auto &owner : owners) fill(client, owner, {targets.begin(), targets.begin() + rows});
    run(callers, each, [&](int caller) {
        return [&, caller, next = static_cast<std::size_t>(rows)]() mutable {
            const char *target = targets.at(next++).c_str();
            chatblock_result *result = chatblock_blocklist_add(client, owners[caller].c_str(), &target, 1);
            require(chatblock_result_item_status(result, 0) == CHATBLOCK_OK, chatblock_result_message(result));
            chatblock_result_free(result);
        };
    });
}

void checks(const chatblock_client *client, unsigned long pairs, std::size_t count) {
    populate(pairs, [&](const auto &owner, const auto &list) { fill(client, owner, list); });
    const auto ask = [&](const Question &question) {
        const char *target = question.peer.c_str();
        chatblock_result *result =
            chatblock_blocklist_check(client, question.owner.c_str(), &target, 1, CHATBLOCK_CHECK_SINGLE);
        const bool is_blocked = chatblock_result_item_relation(result, 0) == CHATBLOCK_RELATION_A_WITH_B;
        chatblock_result_free(result);
        return is_blocked;
    };
    ns_per_question(questions(pairs, count / 10, 1), ask);
    std::printf("{\"cpu_us\": %.4f}\n", ns_per_question(questions(pairs, count, 2), ask) / 1e3);
}

void gets(const chatblock_client *client, int rows, int count) {
    const auto owners = accounts("owne", 100);
    for (const auto &owner : owners) fill(client, owner, accounts("play", rows));
    const std::size_t whole = std::min(rows, 100);
    run(1, count, [&](int) {
        return [&, at = std::size_t{0}]() mutable {
            chatblock_result *result = chatblock_blocklist_get(client, owners[at++ % owners.size()].c_str(), 0, 100);
            std::size_t length = 0;
            for (std::size_t index = 0; index < whole; ++index) {
                length += std::strlen(chatblock_result_item_account(result, index));
                require(chatblock_result_item_time(result, index) > 0, "an entry has no time");
            }
            require(length == whole * 15 && chatblock_result_item_count(result) == whole, "a page is not whole");
            chatblock_result_free(result);
        };
    });
}

}  // namespace

int main(int count, char **arguments) {
    require(count >= 5, "usage: WHAT DATABASE NUMBER NUMBER [ROWS]");
    const auto number = [&](int at) { return std::atoi(arguments[at]); };
    chatblock_client *client = open(arguments[2]);
    if (std::strcmp(arguments[1], "adds") == 0) {
        adds(client, number(3), number(4), count > 5 ? number(5) : 0);
    } else if (std::strcmp(arguments[1], "checks") == 0) {
        checks(client, number(3), number(4));
    } else if (std::strcmp(arguments[1], "gets") == 0) {
        gets(client, number(3), number(4));
    } else {
        fail("adds, checks or gets");
    }
    chatblock_client_close(client, 10000);
}
