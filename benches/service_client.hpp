// A client of a service on loopback, for the programs that measure ours.
#pragma once

#include <chatblock.h>

#include "remote_call.hpp"

namespace bench {

/// `more` is further members of the configuration, each with a comma before it.
inline chatblock_client *open_client(const std::string &base_url, const std::string &secret_key, const std::string &more) {
    const std::string config = "{\"backend\":\"remote\",\"sdkappid\":" + std::to_string(SDKAPPID) + ",\"secret_key\":\"" +
                               secret_key + "\",\"base_url\":\"" + base_url + "\"" + more + "}";
    chatblock_result *why = nullptr;
    chatblock_client *client = chatblock_client_open(config.c_str(), &why);
    require(client != nullptr, chatblock_result_message(why));
    return client;
}

/// Takes the next completion, which must be a success; false when there was none in time.
inline bool take_completion(const chatblock_client *client, int timeout_ms) {
    chatblock_result *result = chatblock_client_poll(client, timeout_ms);
    if (result == nullptr) return false;
    require(chatblock_result_status(result) == CHATBLOCK_OK, chatblock_result_message(result));
    chatblock_result_free(result);
    return true;
}

}  // namespace bench
