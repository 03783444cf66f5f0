// P7, P8: one blocklist call to the service through chatblock's C ABI, every item read.

#include "service_client.hpp"

using namespace bench;

namespace {

chatblock_client *open(const RemoteCall &call) {
    // Everything as it comes, but for the pace: the subject is what a call costs.
    std::string more = ",\"rate_per_second\":1000000";
    if (call.has_tls()) more += ",\"tls\":{\"ca_file\":\"" + call.ca_file + "\"}";
    return open_client(call.base_url, call.secret_key, more);
}

void add(const chatblock_client *client, const std::string &owner, const std::vector<const char *> &targets) {
    chatblock_result *result = chatblock_blocklist_add(client, owner.c_str(), targets.data(), targets.size());
    require(chatblock_result_status(result) == CHATBLOCK_OK, chatblock_result_message(result));
    std::size_t done = 0, bytes = 0;
    for (std::size_t i = 0; i < chatblock_result_item_count(result); ++i) {
        bytes += std::string(chatblock_result_item_account(result, i)).size();
        done += chatblock_result_item_status(result, i) == CHATBLOCK_OK && chatblock_result_item_code(result, i) == 0;
    }
    require(done == targets.size() && bytes > done, "an item is missing");
    chatblock_result_free(result);
}

}  // namespace

int main(int count, char **arguments) {
    const RemoteCall call(count, arguments);
    chatblock_client *client = open(call);
    const auto owners = accounts("owne", call.callers);
    const auto names = accounts("play", call.targets);
    std::vector<const char *> targets;
    for (const auto &name : names) targets.push_back(name.c_str());
    run(call.callers, call.calls_each, [&](int caller) { return [&, caller] { add(client, owners[caller], targets); }; });
    chatblock_client_close(client, 1000);
}
