// P7, P8: one blocklist call to the service as a C++ team writes it.

#include <memory>

#include "libcurl_service.hpp"

using namespace bench;

int main(int count, char **arguments) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const RemoteCall call(count, arguments);
    const auto owners = accounts("owne", call.callers);
    const auto targets = accounts("play", call.targets);
    run(call.callers, call.calls_each, [&](int caller) {
        return [&, caller, service = std::make_shared<Service>(call)] {
            std::size_t done = 0;
            for (const auto &item : service->add(owners[caller], targets)) done += item.code == 0 && !item.account.empty();
            require(done == targets.size(), "an item is missing");
        };
    });
}
