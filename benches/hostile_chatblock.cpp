// Checks of identifiers that were chosen to collide, through chatblock's C ABI. Argument: sip | fnv.

#include <chatblock.h>

#include "hostile.hpp"

using namespace bench;

int main(int count, char **arguments) {
    chatblock_client *client = chatblock_client_open("{}", nullptr);
    require(client != nullptr, "the client does not open");
    const auto add = [&](const std::string &owner, const std::vector<std::string> &list) {
        std::vector<const char *> targets;
        for (const auto &peer : list) targets.push_back(peer.c_str());
        chatblock_result *result = chatblock_blocklist_add(client, owner.c_str(), targets.data(), targets.size());
        require(chatblock_result_status(result) == CHATBLOCK_OK, chatblock_result_message(result));
        chatblock_result_free(result);
    };
    measure_hostile(count == 2 ? arguments[1] : "", add, [&](const Question &question) {
        return static_cast<std::size_t>(
            chatblock_client_is_blocked(client, question.owner.c_str(), question.peer.c_str()));
    });
    chatblock_client_close(client, 1000);
}
