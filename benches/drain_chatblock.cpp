// P9: how long it takes until every block is confirmed, under the limit of the service.
// Arguments: URL SECRET_KEY BLOCKS OWNERS RATE

#include "service_client.hpp"

using namespace bench;

namespace {

/// How often the service said that there were too many calls; those were repeated.
long too_many(const chatblock_client *client) {
    chatblock_result *stats = chatblock_client_stats(client);
    const std::string text = chatblock_result_json(stats), key = "\"throttled\":";
    chatblock_result_free(stats);
    const auto found = text.find(key);
    require(found != std::string::npos, "the stats lack " + key);
    return std::atol(text.c_str() + found + key.size());
}

}  // namespace

int main(int count, char **arguments) {
    require(count == 6, "usage: URL SECRET_KEY BLOCKS OWNERS RATE");
    const int blocks = std::atoi(arguments[3]), owner_count = std::atoi(arguments[4]);
    require(blocks > 0 && owner_count > 0, "numbers must be positive");
    chatblock_client *client = open_client(arguments[1], arguments[2], std::string(",\"rate_per_second\":") + arguments[5]);
    const auto owners = accounts("owne", owner_count), names = accounts("play", blocks / owner_count + 1);
    const Moment from;
    for (int i = 0; i < blocks; ++i) {
        const char *target = names[i / owner_count].c_str();
        const auto status = chatblock_blocklist_add_async(client, owners[i % owner_count].c_str(), &target, 1, i, nullptr);
        require(status == CHATBLOCK_OK, "a call was not accepted: " + std::to_string(status));
    }
    for (int taken = 0; taken < blocks; ++taken) require(take_completion(client, 60000), "a completion is missing");
    const Moment to;
    const long refusals = too_many(client);
    chatblock_client_close(client, 1000);
    std::printf("{\"seconds\": %.4f, \"cpu_us\": %.4f, \"refusals\": %ld}\n", (to.wall - from.wall) / 1e6,
                (to.cpu - from.cpu) / blocks, refusals);
}
