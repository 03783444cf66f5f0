// P11: adds to a durable embedded store, each on disk before the call returns. Every caller is an owner
// of its own, and no account is added twice.
// Arguments: DATABASE CALLERS ADDS_EACH (at most 900).

#include <chatblock.h>

#include "common.hpp"

using namespace bench;

int main(int count, char **arguments) {
    require(count == 4, "usage: DATABASE CALLERS ADDS_EACH");
    const std::string config = std::string("{\"backend\":\"embedded\",\"path\":\"") + arguments[1] + "\"}";
    chatblock_result *why = nullptr;
    chatblock_client *client = chatblock_client_open(config.c_str(), &why);
    require(client != nullptr, chatblock_result_message(why));
    const int callers = std::atoi(arguments[2]), adds = std::atoi(arguments[3]);
    require(adds <= 900, "a list holds 1000 accounts");
    const auto owners = accounts("owne", callers);
    const auto targets = accounts("play", 1000);
    run(callers, adds, [&](int caller) {
        return [&, caller, next = std::size_t{0}]() mutable {
            const char *target = targets.at(next++).c_str();
            chatblock_result *result = chatblock_blocklist_add(client, owners[caller].c_str(), &target, 1);
            require(chatblock_result_item_status(result, 0) == CHATBLOCK_OK, chatblock_result_message(result));
            chatblock_result_free(result);
        };
    });
    chatblock_client_close(client, 1000);
}
