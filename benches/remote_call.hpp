// P7, P8: what is asked of the service, by whichever client.
#pragma once

#include <cstdlib>

#include "common.hpp"

namespace bench {

constexpr unsigned SDKAPPID = 1400000001;
constexpr const char *IDENTIFIER = "administrator";

/// Arguments: URL CA_FILE|- USERSIG SECRET_KEY TARGETS CALLERS CALLS_EACH
struct RemoteCall {
    std::string base_url, ca_file = "-", usersig, secret_key;
    int targets = 0, callers = 0, calls_each = 0;

    /// A call that is repeated in another way, over HTTP.
    RemoteCall(std::string url, std::string signature) : base_url(std::move(url)), usersig(std::move(signature)) {}

    RemoteCall(int count, char **arguments) {
        require(count == 8, "usage: URL CA_FILE|- USERSIG SECRET_KEY TARGETS CALLERS CALLS_EACH");
        base_url = arguments[1];
        ca_file = arguments[2];
        usersig = arguments[3];
        secret_key = arguments[4];
        targets = std::atoi(arguments[5]);
        callers = std::atoi(arguments[6]);
        calls_each = std::atoi(arguments[7]);
        require(targets > 0 && callers > 0 && calls_each > 0, "numbers must be positive");
    }

    bool has_tls() const { return ca_file != "-"; }
};

}  // namespace bench
